/** In which system call a process is blocked (/proc/PID/syscall), by its name. */
import { readText } from './proc.js';

export type BlockingCall =
  | 'accept'
  | 'wait'
  | 'select'
  | 'poll'
  | 'epoll'
  | 'read'
  | 'write'
  | 'sleep'
  | 'other';

/** The numbers of the calls (asm/unistd.h). */
const numbers: Partial<Record<string, Partial<Record<BlockingCall, readonly number[]>>>> = {
  x64: {
    accept: [43, 288],
    wait: [61, 247],
    select: [23, 270],
    poll: [7, 271],
    epoll: [232, 281, 441],
    read: [0, 19, 45, 47],
    write: [1, 20, 44, 46],
    sleep: [34, 35, 130, 230],
  },
  arm64: {
    accept: [202, 242],
    wait: [95, 260],
    select: [72],
    poll: [73],
    epoll: [22, 441],
    read: [63, 65, 207, 212],
    write: [64, 66, 206, 211],
    sleep: [101, 115, 133],
  },
};

const names = new Map(
  Object.entries(numbers[process.arch] ?? {}).flatMap(([name, list]) =>
    list.map(number => [number, name as BlockingCall] as const),
  ),
);

export interface BlockedIn {
  readonly call: BlockingCall;
  /** The first arguments, as the kernel has them. */
  readonly args: readonly number[];
}

/** Undefined while the process runs, or where the kernel does not tell. */
export function blockedIn(pid: number, tid = pid): BlockedIn | undefined {
  const [number, ...args] = readText(`/proc/${pid}/task/${tid}/syscall`).trim().split(' ');
  if (number === undefined || !/^\d+$/.test(number)) return undefined;
  return { call: names.get(Number(number)) ?? 'other', args: args.slice(0, 6).map(Number) };
}

export const waitsForMany = (call: BlockingCall | undefined) =>
  call === 'select' || call === 'poll' || call === 'epoll';
