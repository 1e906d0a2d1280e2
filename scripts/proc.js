/** Processes, as /proc shows them (proc(5)): for the tests and the bench. Imports nothing of the project. */
import fs from 'node:fs';

const microsPerTick = 10_000; // of USER_HZ, 100 on every Linux that Node runs on

/**
 * @typedef {object} ProcessStat
 * @property {number} pid
 * @property {string} comm
 * @property {string} state R, S, D, Z, T, …
 * @property {number} parent
 * @property {number} group
 * @property {number} session
 * @property {number} cpuMicros CPU time, that of children that ended and were waited for included
 * @property {number} minorFaults page faults without I/O, those of children that ended and were waited for included
 * @property {number} startedAt in ticks since the machine was started
 */

/** @param {number} pid @returns {ProcessStat | undefined} undefined for a process that is gone */
export function stat(pid) {
  try {
    const text = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    const close = text.lastIndexOf(')'); // comm may have parentheses and spaces of its own
    const fields = text.slice(close + 2).split(' ');
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    return {
      pid,
      comm: text.slice(text.indexOf('(') + 1, close),
      state: fields[0] ?? '',
      parent: Number(fields[1]),
      group: Number(fields[2]),
      session: Number(fields[3]),
      cpuMicros: ticks * microsPerTick,
      minorFaults: Number(fields[7]) + Number(fields[8]),
      startedAt: Number(fields[19]),
    };
  } catch {
    return undefined;
  }
}

/** Whether it runs: a zombie does not. @param {number} pid */
export function isAlive(pid) {
  const state = stat(pid)?.state;
  return state !== undefined && state !== 'Z' && state !== 'X';
}

/** The same of a process that was seen before, whose id another may have by now. @param {ProcessStat} seen */
export function stillRuns({ pid, startedAt }) {
  return isAlive(pid) && stat(pid)?.startedAt === startedAt;
}

function allProcesses() {
  const pids = fs.readdirSync('/proc').filter(name => /^\d+$/.test(name));
  return pids.flatMap(pid => stat(Number(pid)) ?? []);
}

/** The children of a process, zombies among them. @param {number} pid */
export function children(pid) {
  return allProcesses().filter(({ parent }) => parent === pid);
}

/** A process and all its descendants, found by their parents: a zygote has a process group of its own. @param {number} root */
export function family(root) {
  /** @type {Map<number, ProcessStat[]>} */
  const byParent = new Map();
  const all = allProcesses();
  for (const process of all) {
    const siblings = byParent.get(process.parent);
    if (siblings) siblings.push(process);
    else byParent.set(process.parent, [process]);
  }
  const members = all.filter(({ pid }) => pid === root);
  for (const { pid } of members) members.push(...(byParent.get(pid) ?? []));
  return members;
}

/** The ids of all that descend from a process. @param {number} root */
export function descendants(root) {
  return family(root).flatMap(({ pid }) => (pid === root ? [] : pid));
}

/** The ids of the processes that were started with this variable in their environment, zombies left out. @param {string} variable */
export function startedWith(variable) {
  return allProcesses().flatMap(({ pid }) => (environment(pid).includes(variable) ? pid : []));
}

/** @param {number} pid */
function environment(pid) {
  try {
    return fs.readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return []; // gone, or another user's
  }
}

/** Where each open descriptor leads. @param {number} pid */
export function descriptors(pid) {
  const folder = `/proc/${pid}/fd`;
  /** @type {Map<number, string>} */
  const open = new Map();
  for (const fd of fs.readdirSync(folder)) {
    try {
      open.set(Number(fd), fs.readlinkSync(`${folder}/${fd}`));
    } catch {
      // closed since readdir
    }
  }
  return open;
}

/** A field of /proc/PID/status, such as VmRSS or SigBlk. @param {number} pid @param {string} field */
export function status(pid, field) {
  const text = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
  return new RegExp(`^${field}:\\s*(.*)$`, 'm').exec(text)?.[1] ?? '';
}

/** What ps(1) shows; '' for one that has ended. @param {number} pid */
export function title(pid) {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').replace(/\0+$/, '');
  } catch {
    return '';
  }
}
