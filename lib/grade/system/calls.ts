/** In which system call a process is blocked (/proc/PID/syscall), by its name. */
import { readText } from './proc.js';

export type BlockingCall = 'accept' | 'wait' | 'select' | 'poll' | 'epoll' | 'read' | 'write' | 'sleep' | 'other';

const numbers: Record<string, Record<number, BlockingCall>> = {
  x64: {
    0: 'read', 1: 'write', 7: 'poll', 19: 'read', 20: 'write', 23: 'select', 34: 'sleep', 35: 'sleep', 43: 'accept', 44: 'write',
    45: 'read', 46: 'write', 47: 'read', 61: 'wait', 130: 'sleep', 230: 'sleep', 232: 'epoll', 247: 'wait', 270: 'select',
    271: 'poll', 281: 'epoll', 288: 'accept', 441: 'epoll',
  },
  arm64: {
    22: 'epoll', 63: 'read', 64: 'write', 65: 'read', 66: 'write', 72: 'select', 73: 'poll', 95: 'wait', 101: 'sleep',
    115: 'sleep', 133: 'sleep', 202: 'accept', 206: 'write', 207: 'read', 211: 'write', 212: 'read', 242: 'accept',
    260: 'wait', 441: 'epoll',
  },
};

export interface BlockedIn {
  readonly call: BlockingCall;
  /** The first arguments, as the kernel has them. */
  readonly args: readonly number[];
}

/** Undefined while the process runs, or where the kernel does not tell. */
export function blockedIn(pid: number, tid = pid): BlockedIn | undefined {
  const [number, ...args] = readText(`/proc/${pid}/task/${tid}/syscall`).trim().split(' ');
  if (number === undefined || !/^\d+$/.test(number)) return undefined;
  return { call: numbers[process.arch]?.[Number(number)] ?? 'other', args: args.slice(0, 6).map(Number) };
}

export const waitsForMany = (call: BlockingCall | undefined) =>
  call === 'select' || call === 'poll' || call === 'epoll';
