/** The structs of the calls, under their names in C. */
import type { PosixConstants } from './posix-constants.js';

/** An IPv4 address: `struct sockaddr_in`. The port is a plain number: no htons(). */
export interface SockAddrIn {
  family: PosixConstants['AF_INET'];
  /** Dotted decimal, like `'127.0.0.1'`; INADDR_ANY is `'0.0.0.0'`. Names are not resolved. */
  address: string;
  port: number;
}

/** An IPv6 address: `struct sockaddr_in6`. */
export interface SockAddrIn6 {
  family: PosixConstants['AF_INET6'];
  /** Like `'::1'`, or `'fe80::1%eth0'` with a scope. Names are not resolved. */
  address: string;
  port: number;
  flowinfo?: number;
  /** The interface's number, for a link-local address. */
  scopeid?: number;
}

/** A Unix-domain address: `struct sockaddr_un`. */
export interface SockAddrUn {
  family: PosixConstants['AF_UNIX'];
  /** At most 107 bytes. A name that begins with a NUL is abstract: no file (unix(7)). */
  path: string;
}

export type SockAddr = SockAddrIn | SockAddrIn6 | SockAddrUn;

/** Room for an address of any family, to be filled by accept(): `struct sockaddr_storage`. Begin with `{}`. */
export interface SockAddrStorage {
  family?: SockAddr['family'];
  address?: string;
  port?: number;
  flowinfo?: number;
  scopeid?: number;
  path?: string;
}

/** Seconds and microseconds: `struct timeval`. */
export interface TimeVal {
  tv_sec: number;
  tv_usec: number;
}

/** What close() does with data not yet sent: `struct linger`. */
export interface Linger {
  /** 0: close() returns at once, and the kernel sends on. */
  l_onoff: number;
  /** Seconds to wait. 0: drop the data and reset the connection. */
  l_linger: number;
}

/** A descriptor that poll() watches: `struct pollfd`. */
export interface PollFd {
  /** Negative: the entry is passed over. */
  fd: number;
  /** What to watch for: POLLIN, POLLOUT, POLLPRI, POLLRDHUP. */
  events: number;
  /** What has happened, filled in by poll(). */
  revents?: number;
}

/** A soft and a hard limit: `struct rlimit`. `Infinity` is RLIM_INFINITY. */
export interface RLimit {
  rlim_cur: number;
  rlim_max: number;
}

/** What a process has used: `struct rusage` (getrusage(2)), the fields that Linux fills. */
export interface RUsage {
  /** CPU time in user mode. */
  ru_utime: TimeVal;
  /** CPU time in the kernel. */
  ru_stime: TimeVal;
  /** Most resident memory, in KiB. */
  ru_maxrss: number;
  /** Page faults without, and with, reading from a disk. */
  ru_minflt: number;
  ru_majflt: number;
  /** Reads and writes by the file system. */
  ru_inblock: number;
  ru_oublock: number;
  /** Times it gave the processor away, and times it was taken away. */
  ru_nvcsw: number;
  ru_nivcsw: number;
}

/** Soft timer of a process: `struct itimerval`. */
export interface ITimerVal {
  /** Time to the one after: zero for a timer that rings once. */
  it_interval: TimeVal;
  /** Time to the next: zero for a timer that is off. */
  it_value: TimeVal;
}

/** What waitpid() gives: the child, and a status for WIFEXITED() and its like. */
export interface WaitResult {
  /** The child; 0 with WNOHANG when none has changed; -1 when there is no child to wait for. */
  pid: number;
  status: number;
}

/** What is known about a signal: part of `siginfo_t` (sigaction(2)). */
export interface SigInfo {
  signo: number;
  /** Why it was sent: SI_USER, SI_KERNEL, for SIGCHLD CLD_EXITED and its like. */
  code: number;
  /** The process that sent it; for SIGCHLD the child. 0 where there is none. */
  pid: number;
  /** That process's real user. */
  uid: number;
  /** SIGCHLD: the exit status or the signal. */
  status: number;
}
