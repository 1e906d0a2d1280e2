/**
 * What an idle connection costs in memory, in KiB. Two ways to see it:
 * the processes: their pages, one that n processes share counting 1/n for each, and their page tables;
 * the machine: how much more it has in use. That has in it all that the kernel keeps for a process and a socket,
 * but also whatever else the machine does meanwhile: on a busy one it tells little.
 *
 * @typedef {'pages' | 'pageTables' | 'both' | 'machine'} Figure
 */
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { markdownTable } from 'markdown-table';
import { family } from '../scripts/proc.js';
import { build, hold, load, median, oneByOne, progress, settle } from './harness.js';
import { choose, positive } from './servers.js';

// What processes and sockets take, summed up: MemAvailable would not do, as it leaves out the free pages that
// each CPU keeps for itself, hundreds of MiB after many processes have ended.
const usedByTheMachine = ['AnonPages', 'PageTables', 'KernelStack', 'Slab', 'Shmem'];

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: 'perl,python,callbacks,stream,http' },
    connections: { type: 'string', default: '300' },
    rounds: { type: 'string', default: '3' },
  },
});
const connections = positive('connections', values.connections);
const rounds = positive('rounds', values.rounds);

build();
const table = await oneByOne(choose(values.only), async running => {
  /** @type {Record<Figure, number>[]} */
  const differences = [];
  await load(running, ['--count', '50', '--seconds', '5']); // what the first connections cost is not theirs alone
  for (let round = 1; round <= rounds; round++) {
    progress(`${running.server.label}, round ${round}`);
    await settle(running);
    const before = await look(running.pid);
    const held = await hold(running, connections);
    const after = await look(running.pid);
    const { connections: answering } = await held.ask();
    if (answering !== connections) throw new Error(`${running.server.name}: only ${answering} answered`);
    await held.release();
    const pages = after.pages - before.pages;
    const pageTables = after.pageTables - before.pageTables;
    const machine = after.machine - before.machine;
    differences.push({ pages, pageTables, both: pages + pageTables, machine });
  }
  const each = (/** @type {Figure} */ key) =>
    (median(differences.map(difference => difference[key])) / connections).toFixed(0);
  return [running.server.label, each('pages'), each('pageTables'), each('both'), each('machine')];
});
const head = [`KiB per idle connection, of ${connections}`, 'pages', 'page tables', 'both', 'machine'];
console.log(markdownTable([head, ...table], { align: ['l', 'r', 'r', 'r', 'r'] }));

/** Waits a little first: the kernel frees pages late. */
async function look(/** @type {number} */ pid) {
  await sleep(500);
  return memory(pid);
}

/** The value in KiB of `Key:   123 kB` in a file of /proc. */
function kibibytes(/** @type {string} */ file, /** @type {string} */ key) {
  try {
    return Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(fs.readFileSync(file, 'latin1'))?.[1] ?? 0);
  } catch {
    return 0; // it ended meanwhile
  }
}

/** KiB: what the machine has in use, and what the family has, a page that n processes share counting 1/n. */
function memory(/** @type {number} */ root) {
  const pids = family(root).map(({ pid }) => pid);
  const sum = (/** @type {string} */ file, /** @type {string} */ key) =>
    pids.reduce((total, pid) => total + kibibytes(`/proc/${pid}/${file}`, key), 0);
  return {
    machine: usedByTheMachine.reduce((total, key) => total + kibibytes('/proc/meminfo', key), 0),
    pages: sum('smaps_rollup', 'Pss'),
    pageTables: sum('status', 'VmPTE'),
  };
}
