/** Many live connections at once, each its own process: do all answer, and what do idle ones cost the busy ones? */
import { parseArgs } from 'node:util';
import { markdownTable } from 'markdown-table';
import { build, hold, installed, load, median, progress, start, stop } from './harness.js';
import { choose } from './servers.js';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: 'callbacks' },
    connections: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '3' },
  },
});
const connections = Number(values.connections);

build();
const table = [];
for (const server of choose(values.only).filter(installed)) {
  const running = await start(server);
  const rate = async () => (await load(running, ['--seconds', values.seconds])).perSecond;
  try {
    progress(`${server.label}: none idle`);
    const before = await rates(rate);
    progress(`${server.label}: opening ${connections}`);
    const held = await hold(running, connections);
    progress(`${server.label}: ${held.opened.connections} idle`);
    const during = await rates(rate);
    const { connections: answering, errors, p99 } = await held.ask();
    await held.release();
    progress(`${server.label}: none idle any more`);
    const after = await rates(rate);
    const none = (before + after) / 2; // what changed on the machine meanwhile counts half
    const problems = Object.entries({ ...held.opened.errors, ...errors }).map(
      ([name, count]) => `${count} ${name}`,
    );
    const cells = [held.opened.connections, answering, p99, Math.round(none), Math.round(during)];
    table.push([server.label, ...cells, (during / none).toFixed(2), problems.join(', ') || '0']);
    if (answering !== connections) process.exitCode = 1;
  } finally {
    await stop(running);
  }
}
progress('');
const head = [
  '',
  'held',
  'then answered',
  'p99 µs',
  'conn/s, none idle',
  'conn/s, all idle',
  'ratio',
  'errors',
];
console.log(
  markdownTable(
    [head, ...table].map(row => row.map(String)),
    { align: ['l', 'r', 'r', 'r', 'r', 'r', 'r'] },
  ),
);

async function rates(/** @type {() => Promise<number>} */ rate) {
  const found = [];
  for (let round = 0; round < Number(values.rounds); round++) found.push(await rate());
  return median(found);
}
