/**
 * `npm run bench:speed`: what each measure of native/speed gives. A server with all of them runs beside one for each
 * measure that lacks it (TRUEFORK_SPEED), and all get the same connections in turns. CPU time and page faults of a
 * connection are compared, not wall time: those are the process's own, whatever else the machine does.
 */
import { parseArgs } from 'node:util';
import { markdownTable } from 'markdown-table';
import { family } from '../scripts/proc.js';
import { build, complain, load, median, progress, settle, start, stop } from './harness.js';
import { choose, positive } from './servers.js';

/** @typedef {import('./harness.js').Running} Running */

const measures = [
  'text-huge-pages',
  'data-huge-pages',
  'heap-placement',
  'arena',
  'garbage',
  'settled-malloc',
  'rehearsal',
];

const { values } = parseArgs({
  options: {
    server: { type: 'string', default: 'callbacks' },
    measures: { type: 'string', default: measures.join(',') },
    rounds: { type: 'string', default: '7' },
    connections: { type: 'string', default: '300' },
  },
});
const rounds = positive('rounds', values.rounds);
const connections = positive('connections', values.connections);
const server = choose(values.server).find(({ name }) => name === values.server);
if (!server?.ours) throw new Error(`--server ${values.server}: not a server of ours (bench/servers.js)`);

/** One server, and what its connections cost in each round. @typedef {{ running: Running, cpu: number[], faults: number[] }} Variant */

build();
/** @type {Variant[]} */
const variants = [];
try {
  for (const without of ['', ...values.measures.split(',')]) {
    const command = (/** @type {number} */ port) => [
      'env',
      `TRUEFORK_SPEED=${without && `-${without}`}`,
      ...server.command(port),
    ];
    const running = await start({ ...server, name: without ? `without ${without}` : 'with all', command });
    variants.push({ running, cpu: [], faults: [] });
  }
  for (const { running } of variants) await serve(running, 100); // what is compiled on the way is not counted
  for (let round = 0; round < rounds; round++) {
    progress(`round ${round + 1}/${rounds}`);
    const first = round % variants.length;
    for (const variant of [...variants.slice(first), ...variants.slice(0, first)]) {
      const { cpu, faults } = await serve(variant.running, connections);
      variant.cpu.push(cpu / connections);
      variant.faults.push(faults / connections);
    }
  }
  progress('');
  console.log(table());
} finally {
  for (const { running } of variants) await stop(running).catch(complain);
}

/** What the server and its children spent on so many connections. */
async function serve(/** @type {Running} */ running, /** @type {number} */ count) {
  const before = spent(running.pid);
  await load(running, ['--clients', '2', '--count', String(count), '--seconds', '60']);
  await settle(running);
  const after = spent(running.pid);
  return { cpu: after.cpu - before.cpu, faults: after.faults - before.faults };
}

function spent(/** @type {number} */ root) {
  const sum = { cpu: 0, faults: 0 };
  for (const { cpuMicros, minorFaults } of family(root)) {
    sum.cpu += cpuMicros;
    sum.faults += minorFaults;
  }
  return sum;
}

function table() {
  const [all, ...without] = variants;
  const ratio = (/** @type {Variant} */ variant) =>
    median(variant.cpu.map((cpu, round) => cpu / /** @type {Variant} */ (all).cpu[round]));
  const row = (/** @type {Variant} */ variant) => [
    variant.running.server.name,
    median(variant.cpu).toFixed(0),
    ratio(variant).toFixed(3),
    median(variant.faults).toFixed(1),
  ];
  const header = ['', 'CPU µs per connection', '× with all', 'page faults per connection'];
  return markdownTable([header, row(all), ...without.map(row)], { align: ['l', 'r', 'r', 'r'] });
}
