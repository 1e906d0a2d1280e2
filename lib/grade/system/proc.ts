/** What /proc tells of processes (proc(5)). Each answer is of one moment: a process that ended meanwhile is left out. */
import fs from 'node:fs';

export interface ProcessStat {
  readonly pid: number;
  readonly name: string;
  /** R, S, D, Z, T, t … */
  readonly state: string;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** Page faults of children that were waited for: grows with each of them. */
  readonly childFaults: number;
  /** Ticks since the machine started. */
  readonly startedAt: number;
  readonly residentPages: number;
}

export function readText(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

export function stat(pid: number): ProcessStat | undefined {
  const text = readText(`/proc/${pid}/stat`);
  if (text === '') return undefined;
  const close = text.lastIndexOf(')');
  const fields = text.slice(close + 2).split(' ');
  return {
    pid,
    name: text.slice(text.indexOf('(') + 1, close),
    state: fields[0]!,
    parent: Number(fields[1]),
    group: Number(fields[2]),
    session: Number(fields[3]),
    childFaults: Number(fields[8]),
    startedAt: Number(fields[19]),
    residentPages: Number(fields[21]),
  };
}

/** Of a process: its children, theirs, and so on; zombies among them. */
export function descendants(ancestor: number): ProcessStat[] {
  const tree: ProcessStat[] = [];
  const known = new Set([ancestor]);
  for (const parent of known) {
    for (const pid of childrenOf(parent)) {
      const found = known.has(pid) ? undefined : stat(pid);
      if (found === undefined) continue;
      known.add(pid);
      tree.push(found);
    }
  }
  return tree;
}

function childrenOf(pid: number): number[] {
  const threads = listed(`/proc/${pid}/task`);
  return threads.flatMap(tid =>
    readText(`/proc/${pid}/task/${tid}/children`).split(' ').filter(Boolean).map(Number),
  );
}

export function isRunning(pid: number): boolean {
  const state = stat(pid)?.state;
  return state !== undefined && state !== 'Z' && state !== 'X';
}

/** Descriptor numbers by the inode of the socket that they lead to. */
export function socketsOf(pid: number): Map<number, number> {
  const sockets = new Map<number, number>();
  for (const fd of listed(`/proc/${pid}/fd`)) {
    const inode = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${fd}`))?.[1];
    if (inode !== undefined && !sockets.has(Number(inode))) sockets.set(Number(inode), Number(fd));
  }
  return sockets;
}

/** Regular files that a process has open for writing. */
export function filesWrittenBy(pid: number): string[] {
  return listed(`/proc/${pid}/fd`).flatMap(fd => {
    const path = linkOf(`/proc/${pid}/fd/${fd}`);
    if (!path.startsWith('/') || /^\/(dev|proc|sys)\//.test(path)) return [];
    const flags = /^flags:\s*(\d+)/m.exec(readText(`/proc/${pid}/fdinfo/${fd}`))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & 3) !== 0 ? [path] : [];
  });
}

function listed(folder: string): string[] {
  try {
    return fs.readdirSync(folder);
  } catch {
    return [];
  }
}

function linkOf(path: string): string {
  try {
    return fs.readlinkSync(path);
  } catch {
    return '';
  }
}

/** Bytes that a process made dirty on a block device. */
export function bytesToDisk(pid: number): number {
  return Number(/^write_bytes: (\d+)/m.exec(readText(`/proc/${pid}/io`))?.[1] ?? 0);
}

/** Signals that a process has a handler for, as a set of numbers. */
export function handledSignals(pid: number): Set<number> {
  const mask = BigInt(`0x${/^SigCgt:\s*([0-9a-f]+)/m.exec(readText(`/proc/${pid}/status`))?.[1] ?? '0'}`);
  const signals = new Set<number>();
  for (let signal = 1; signal <= 64; signal++) if ((mask >> BigInt(signal - 1)) & 1n) signals.add(signal);
  return signals;
}

export interface Activity {
  /** Every thread sleeps, is stopped or has ended. */
  readonly asleep: boolean;
  /** Nanoseconds on a CPU, of all threads. */
  readonly cpu: number;
  /** Changes with each time that a thread was scheduled, and with the set of processes. */
  readonly turns: string;
}

/** How much the processes have run so far. */
export function activity(processes: readonly ProcessStat[]): Activity {
  let asleep = true;
  let cpu = 0;
  const turns: string[] = [];
  for (const { pid, state } of processes) {
    turns.push(`${pid}${state === 'Z' ? 'z' : ''}`);
    if (state === 'Z') continue;
    for (const tid of listed(`/proc/${pid}/task`)) {
      const task = `/proc/${pid}/task/${tid}`;
      const [onCpu, , slices] = readText(`${task}/schedstat`).split(' ').map(Number);
      const text = readText(`${task}/stat`);
      const now = text.slice(text.lastIndexOf(')') + 2)[0] ?? 'X';
      if (!'SITZX'.includes(now)) asleep = false;
      cpu += onCpu ?? 0;
      turns.push(`${tid}:${slices}`);
    }
  }
  return { asleep, cpu, turns: turns.join() };
}
