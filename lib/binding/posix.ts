/** The part of the addon that truefork/posix wraps. */
import type { PosixConstants } from './posix-constants.js';
import type {
  ITimerVal,
  Linger,
  PollFd,
  RLimit,
  RUsage,
  SigInfo,
  SockAddr,
  SockAddrStorage,
  TimeVal,
  WaitResult,
} from './posix-structs.js';

/** Of a sigaction: 0 is SIG_DFL, 1 is SIG_IGN. */
export type NativeHandler = 0 | 1 | ((signo: number, info: SigInfo) => void);

export interface NativeSigAction {
  sa_handler: NativeHandler;
  sa_mask: number[];
  sa_flags: number;
}

type NoArguments = 'getpid' | 'getppid' | 'getpgrp' | 'getuid' | 'geteuid' | 'getgid' | 'getegid' | 'setsid';
type StatusTest = 'WIFEXITED' | 'WIFSIGNALED' | 'WCOREDUMP' | 'WIFSTOPPED' | 'WIFCONTINUED';
type StatusPart = 'WEXITSTATUS' | 'WTERMSIG' | 'WSTOPSIG';

export interface PosixCalls
  extends Record<NoArguments, () => number>,
    Record<StatusTest, (status: number) => boolean>,
    Record<StatusPart, (status: number) => number> {
  constants: PosixConstants;

  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: SockAddr): void;
  listen(fd: number, backlog: number): void;
  accept(fd: number, peer?: SockAddrStorage): number;
  connect(fd: number, address: SockAddr): void;
  getsockname(fd: number): SockAddr;
  getpeername(fd: number): SockAddr;
  getsockopt(fd: number, level: number, option: number): number | string | Linger | TimeVal;
  setsockopt(fd: number, level: number, option: number, value: unknown): void;
  shutdown(fd: number, how: number): void;
  send(fd: number, buffer: Uint8Array, length?: number, flags?: number, offset?: number): number;
  recv(fd: number, buffer: Uint8Array, length?: number, flags?: number, offset?: number): number;

  read(fd: number, buffer: Uint8Array, length?: number, offset?: number): number;
  write(fd: number, buffer: Uint8Array, length?: number, offset?: number): number;
  close(fd: number): void;
  pipe(): [number, number];
  dup(fd: number): number;
  dup2(from: number, to: number): number;
  fcntl(fd: number, command: number, argument?: number): number;

  select(
    nfds: number,
    readfds: Uint8Array | null,
    writefds: Uint8Array | null,
    exceptfds: Uint8Array | null,
    timeout: TimeVal | null,
  ): number;
  FD_ZERO(set: Uint8Array): void;
  FD_SET(fd: number, set: Uint8Array): void;
  FD_CLR(fd: number, set: Uint8Array): void;
  FD_ISSET(fd: number, set: Uint8Array): boolean;
  poll(fds: PollFd[], timeout: number): number;

  /** A process ID; or the description of the thread that makes a fork unsafe. */
  fork(maxDescendants: number, maxGenerations: number): number | string;
  _exit(status: number): never;
  execve(path: string, argv: readonly string[], envp: readonly string[]): never;
  execvp(file: string, argv: readonly string[], envp: readonly string[]): never;
  getsid(pid?: number): number;
  setpgid(pid: number, pgid: number): void;
  getpgid(pid: number): number;
  setuid(uid: number): void;
  setgid(gid: number): void;
  setgroups(groups: readonly number[]): void;
  getgroups(): number[];
  getrlimit(resource: number): RLimit;
  setrlimit(resource: number, limit: RLimit): void;
  nice(increment: number): number;

  wait4(pid: number, options: number, withUsage: boolean): WaitResult & { rusage?: RUsage };

  sigaction(signo: number, action?: NativeSigAction): NativeSigAction;
  sigprocmask(how: number, set?: number[]): number[];
  sigpending(): number[];
  sigsuspend(mask: number[]): void;
  pause(): void;
  kill(pid: number, signo: number): void;
  killpg(group: number, signo: number): void;
  raise(signo: number): void;
  alarm(seconds: number): number;
  setitimer(which: number, value: ITimerVal): ITimerVal;
  getitimer(which: number): ITimerVal;
  sleep(seconds: number): number;
}
