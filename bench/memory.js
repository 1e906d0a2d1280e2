/**
 * What an idle connection costs in memory. Two ways to see it, in KiB per connection:
 * the machine: how much less MemAvailable there is, with all that the kernel keeps for a process and a socket;
 * the processes: their proportional set size, where a page shared by n counts 1/n, and their page tables.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { markdownTable } from 'markdown-table';
import { build, hold, installed, load, median, progress, settle, start, stop } from './harness.js';
import { memory } from './proc.js';
import { choose } from './servers.js';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: 'perl,python,callbacks,stream,http' },
    connections: { type: 'string', default: '300' },
    rounds: { type: 'string', default: '3' },
  },
});
const connections = Number(values.connections);

build();
const table = [];
for (const server of choose(values.only).filter(installed)) {
  const running = await start(server);
  /** @type {{ machine: number, processes: number, pageTables: number }[]} */
  const differences = [];
  try {
    await load(running, ['--count', '50', '--seconds', '5']); // what the first connections cost is not theirs alone
    for (let round = 1; round <= Number(values.rounds); round++) {
      progress(`${server.label}, round ${round}`);
      await settle(running);
      const before = await look(running.pid);
      const held = await hold(running, connections);
      if (held.opened.connections !== connections) throw new Error(`held only ${held.opened.connections}`);
      const after = await look(running.pid);
      await held.release();
      differences.push({
        machine: before.available - after.available,
        processes: after.proportional - before.proportional,
        pageTables: after.pageTables - before.pageTables,
      });
    }
  } finally {
    await stop(running);
  }
  const each = (/** @type {'machine' | 'processes' | 'pageTables'} */ key) =>
    (median(differences.map(difference => difference[key])) / connections).toFixed(0);
  table.push([server.label, each('machine'), each('processes'), each('pageTables')]);
}
progress('');
const head = [`KiB per idle connection, of ${connections}`, 'machine', 'processes', 'their page tables'];
console.log(markdownTable([head, ...table], { align: ['l', 'r', 'r', 'r'] }));

/** Waits a little first: the kernel frees pages late. */
async function look(/** @type {number} */ pid) {
  await sleep(500);
  return memory(pid);
}
