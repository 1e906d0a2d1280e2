/** The lecture's names for system calls, which the kernel has under several. */
import type { CallName, Enter } from './events.js';

const names: Partial<Record<CallName, string>> = {
  accept4: 'accept',
  vfork: 'vfork',
  clone: 'fork',
  clone3: 'fork',
  dup3: 'dup2',
  pselect6: 'select',
  ppoll: 'poll',
  epoll_pwait: 'epoll_wait',
  epoll_pwait2: 'epoll_wait',
  rt_sigsuspend: 'sigsuspend',
  rt_sigtimedwait: 'sigwait',
  rt_sigaction: 'sigaction',
  nanosleep: 'sleep',
  clock_nanosleep: 'sleep',
  tkill: 'kill',
  tgkill: 'kill',
  exit_group: 'exit',
  recvfrom: 'recv',
  sendto: 'send',
};

/** Calls in which a process may wait, for as long as it takes. */
const waiting: ReadonlySet<CallName> = new Set<CallName>([
  ...(['accept', 'accept4', 'read', 'readv', 'recvfrom', 'recvmsg', 'write', 'writev', 'sendto'] as const),
  ...(['sendmsg', 'sendfile', 'connect', 'wait4', 'waitid', 'select', 'pselect6', 'poll', 'ppoll'] as const),
  ...(['epoll_wait', 'epoll_pwait', 'epoll_pwait2', 'pause', 'rt_sigsuspend', 'rt_sigtimedwait'] as const),
  ...(['nanosleep', 'clock_nanosleep', 'vfork'] as const),
]);

export function callName({ call, details }: Pick<Enter, 'call' | 'details'>): string {
  // The kernel has one call for both: wait() is that for any child, and waits.
  if (call === 'wait4') return details.target === -1 && details.nohang !== true ? 'wait' : 'waitpid';
  return names[call] ?? call;
}

export function mayWait({ call, details }: Pick<Enter, 'call' | 'details'>): boolean {
  return waiting.has(call) && details.nohang !== true && details.timeout !== 0;
}

export const isFork = (call: CallName) =>
  call === 'fork' || call === 'vfork' || call === 'clone' || call === 'clone3';
export const isAccept = (call: CallName) => call === 'accept' || call === 'accept4';
export const isWait = (call: CallName) => call === 'wait4' || call === 'waitid';

/** "18 ms", "1.25 s". */
export function duration(ms: number): string {
  if (ms >= 1000) return `${trimmed(ms / 1000, ms >= 10_000 ? 1 : 2)} s`;
  return `${trimmed(ms, ms >= 10 ? 0 : 1)} ms`;
}

function trimmed(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)));
}

/** "1 child", "3 children". */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
