/** What /proc tells of a server and all its descendants. */
import fs from 'node:fs';

const microsPerTick = 10_000; // of USER_HZ, 100 on every Linux that Node runs on

/** @typedef {{ pid: number, state: string, parent: number, cpu: number, started: string }} Process */

/** @returns {Process | undefined} of a process that may be gone */
function readProcess(/** @type {string} */ pid) {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // from the third of proc(5) on
    const cpu = fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) * microsPerTick;
    return { pid: Number(pid), state: fields[0], parent: Number(fields[1]), cpu, started: fields[19] };
  } catch {
    return undefined;
  }
}

/** The process and its descendants, found by parent: a zygote has a process group of its own. */
export function family(/** @type {number} */ root) {
  const pids = fs.readdirSync('/proc').filter(name => /^\d+$/.test(name));
  const all = pids.flatMap(pid => readProcess(pid) ?? []);
  /** @type {Map<number, Process[]>} */
  const children = new Map();
  for (const found of all) {
    const siblings = children.get(found.parent);
    if (siblings) siblings.push(found);
    else children.set(found.parent, [found]);
  }
  const members = all.filter(({ pid }) => pid === root);
  for (const { pid } of members) members.push(...(children.get(pid) ?? []));
  return members;
}

/** Is it still there, and not another process with the same id? */
export function lives(/** @type {Process} */ { pid, started }) {
  const found = readProcess(String(pid));
  return found !== undefined && found.started === started && found.state !== 'Z';
}

/** µs of CPU that a server and its children took, those that ended and were waited for included. */
export function cpuMicros(/** @type {number} */ root) {
  return family(root).reduce((sum, { cpu }) => sum + cpu, 0);
}

/** The value in KiB of `Key:   123 kB` in a file of /proc. */
function kibibytes(/** @type {string} */ file, /** @type {string} */ key) {
  try {
    return Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(fs.readFileSync(file, 'latin1'))?.[1] ?? 0);
  } catch {
    return 0; // it ended meanwhile
  }
}

// What processes and sockets take, summed up: MemAvailable would not do, as it leaves out the free pages that
// each CPU keeps for itself, hundreds of MiB after many processes have ended.
const usedByTheMachine = ['AnonPages', 'PageTables', 'KernelStack', 'Slab', 'Shmem'];

/** KiB: what the machine has in use, and what the family has, a page that n processes share counting 1/n. */
export function memory(/** @type {number} */ root) {
  const pids = family(root).map(({ pid }) => pid);
  const sum = (/** @type {string} */ file, /** @type {string} */ key) =>
    pids.reduce((total, pid) => total + kibibytes(`/proc/${pid}/${file}`, key), 0);
  return {
    machine: usedByTheMachine.reduce((total, key) => total + kibibytes('/proc/meminfo', key), 0),
    pages: sum('smaps_rollup', 'Pss'),
    pageTables: sum('status', 'VmPTE'),
  };
}
