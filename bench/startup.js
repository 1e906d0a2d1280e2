/** From the start of the process to `listening`, against the time that `node -e 0` takes from start to end. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { markdownTable } from 'markdown-table';
import { median, progress } from './harness.js';
import { positive, servers } from './servers.js';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '10' } } });
const rounds = positive('rounds', values.rounds);
const ours = servers.filter(server => server.ours);
/** @type {Map<string, number[]>} */
const times = new Map();
for (const label of ['node -e 0', ...ours.map(server => server.label)]) times.set(label, []);

for (let round = 1; round <= rounds; round++) {
  progress(`round ${round}`);
  times.get('node -e 0')?.push(await untilItEnds());
  for (const server of ours)
    times.get(server.label)?.push(await untilItListens([...server.command(0), '--json']));
}
progress('');

const reference = median(times.get('node -e 0') ?? []);
const rows = [...times].map(([label, all]) => [
  label,
  median(all).toFixed(1),
  (median(all) / reference).toFixed(2),
]);
console.log(markdownTable([['', 'ms', '× node -e 0'], ...rows], { align: ['l', 'r', 'r'] }));

async function untilItEnds() {
  const began = performance.now();
  await once(spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' }), 'exit');
  return performance.now() - began;
}

async function untilItListens(/** @type {string[]} */ [command, ...args]) {
  const began = performance.now();
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = once(child, 'exit');
  const [line] = await Promise.race([once(createInterface({ input: child.stdout }), 'line'), exit]);
  const took = performance.now() - began;
  child.kill();
  await exit;
  if (JSON.parse(line)?.event !== 'listening') throw new Error(`${args.join(' ')} does not listen`);
  return took;
}
