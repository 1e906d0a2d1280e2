/** What /proc tells of a process (proc(5)). */
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from './wait.ts';

export interface ProcessStat {
  pid: number;
  comm: string;
  /** R, S, D, Z, T, … */
  state: string;
  parent: number;
  group: number;
  session: number;
  /** When it was started, in ticks since the machine was. */
  startedAt: number;
}

export function stat(pid: number): ProcessStat | undefined {
  try {
    const text = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    const close = text.lastIndexOf(')');
    const fields = text.slice(close + 2).split(' ');
    const [state, parent, group, session] = fields;
    return {
      pid,
      comm: text.slice(text.indexOf('(') + 1, close),
      state: state!,
      parent: Number(parent),
      group: Number(group),
      session: Number(session),
      startedAt: Number(fields[19]),
    };
  } catch {
    return undefined;
  }
}

export function isAlive(pid: number): boolean {
  const state = stat(pid)?.state;
  return state !== undefined && state !== 'Z' && state !== 'X';
}

function allProcesses(): ProcessStat[] {
  const found = fs.readdirSync('/proc').filter(name => /^\d+$/.test(name));
  return found.flatMap(name => stat(Number(name)) ?? []);
}

/** The children of a process, zombies among them. */
export function children(pid: number): ProcessStat[] {
  return allProcesses().filter(({ parent }) => parent === pid);
}

export function descendants(pid: number): number[] {
  const all = allProcesses();
  const found = [pid];
  for (const ancestor of found)
    found.push(...all.filter(({ parent }) => parent === ancestor).map(({ pid }) => pid));
  return found.slice(1);
}

/** Where each open descriptor leads. */
export function descriptors(pid: number): Map<number, string> {
  const folder = `/proc/${pid}/fd`;
  const open = new Map<number, string>();
  for (const fd of fs.readdirSync(folder)) {
    try {
      open.set(Number(fd), fs.readlinkSync(`${folder}/${fd}`));
    } catch {
      // closed while we looked
    }
  }
  return open;
}

/** A field of /proc/PID/status, such as VmRSS or SigBlk. */
export function status(pid: number, field: string): string {
  const text = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
  return new RegExp(`^${field}:\\s*(.*)$`, 'm').exec(text)?.[1] ?? '';
}

/** What ps(1) shows; '' for one that has ended. */
export function title(pid: number): string {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').replace(/\0+$/, '');
  } catch {
    return '';
  }
}

/** How often each has been put to sleep, or was made to give way: a process that sleeps on keeps its numbers. */
function switches(pids: readonly number[]): string {
  return pids
    .flatMap(pid => [status(pid, 'voluntary_ctxt_switches'), status(pid, 'nonvoluntary_ctxt_switches')])
    .join();
}

/** Waits for a second in which none of these processes ran. */
export async function sleepsThrough(...pids: number[]): Promise<void> {
  let before = '';
  await eventually('a second without a wake-up', async () => {
    const now = switches(pids);
    if (now === before) return true;
    before = now;
    await sleep(1000);
    return false;
  });
}

/** Sends a signal to a process that may be gone. */
export function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The TCP port that a process listens on, once it does: its sockets (/proc/PID/fd) among all (/proc/net/tcp). */
export async function listeningPort(pid: number): Promise<number> {
  const listening = '0A'; // TCP_LISTEN
  return eventually('a listening socket', () => {
    const table = fs.readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1);
    const own = new Set([...descriptors(pid).values()].map(target => /^socket:\[(\d+)\]$/.exec(target)?.[1]));
    const rows = table.map(line => line.trim().split(/\s+/)).filter(([, , , state]) => state === listening);
    const found = rows.find(([, , , , , , , , , inode]) => own.has(inode));
    return found && Number.parseInt(found[1]!.split(':')[1]!, 16);
  });
}
