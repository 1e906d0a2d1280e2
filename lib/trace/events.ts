/**
 * What a trace consists of. Room lib/trace: runs a program under the tracer of native/trace, and draws what its processes
 * did. It imports the addon's door and lib/errors; the command and the grader stand above it.
 */

/** Common to all: when, and in which process and thread. */
interface Happened {
  /** Milliseconds since the program was started, with microseconds behind the point. */
  readonly time: number;
  readonly pid: number;
  /** The thread; the same as `pid` in the first thread of a process. */
  readonly tid: number;
}

export interface SocketAddress {
  readonly family: 'IPv4' | 'IPv6' | 'Unix';
  /** An IP address, or the path of a Unix socket. */
  readonly address: string;
  /** 0 for a Unix socket. */
  readonly port: number;
}

/** A place in the source of the program. */
export interface SourceLine {
  readonly file: string;
  readonly line: number;
  readonly function?: string;
}

/** A process, or a thread, begins. The program's own first process is `root`, and has no parent here. */
export interface Born extends Happened {
  readonly kind: 'born';
  readonly by: 'root' | 'fork' | 'vfork' | 'clone' | 'thread';
  /** The process that called fork(), or 0. For a thread, its own process. */
  readonly parent: number;
}

export interface Exec extends Happened {
  readonly kind: 'exec';
  readonly path: string;
  readonly argv: readonly string[];
}

/** A process has ended. From here until its parent has waited it is a zombie. */
export interface Exit extends Happened {
  readonly kind: 'exit';
  /** The wait status, for WIFEXITED and the like. */
  readonly status: number;
  /** The exit code, where it was not a signal. */
  readonly code?: number;
  readonly signal?: NodeJS.Signals;
}

/** One thread of several has ended. */
export interface ThreadExit extends Happened {
  readonly kind: 'thread-exit';
}

/** The calls of the filter 'life-cycle'. */
export type LifeCycleCall =
  | 'fork'
  | 'vfork'
  | 'clone'
  | 'clone3'
  | 'wait4'
  | 'waitid'
  | 'socket'
  | 'bind'
  | 'listen'
  | 'accept'
  | 'accept4'
  | 'connect'
  | 'shutdown'
  | 'close'
  | 'dup'
  | 'dup2'
  | 'dup3'
  | 'setsockopt'
  | 'select'
  | 'pselect6'
  | 'poll'
  | 'ppoll'
  | 'epoll_wait'
  | 'epoll_pwait'
  | 'epoll_pwait2'
  | 'pause'
  | 'rt_sigsuspend'
  | 'rt_sigtimedwait'
  | 'nanosleep'
  | 'clock_nanosleep'
  | 'rt_sigaction'
  | 'rt_sigreturn'
  | 'kill'
  | 'tkill'
  | 'tgkill'
  | 'setsid'
  | 'exit_group';

/** What the filter 'read-write' adds. */
export type ReadWriteCall =
  | 'read'
  | 'write'
  | 'readv'
  | 'writev'
  | 'recvfrom'
  | 'sendto'
  | 'recvmsg'
  | 'sendmsg'
  | 'sendfile';

export type CallName = LifeCycleCall | ReadWriteCall;

/** The arguments of a call, and what it gave back, under the names of their manual pages; only those that fit the call. */
export interface CallDetails {
  /** The descriptor it is about; of select and poll, how many there are. */
  readonly fd?: number;
  /** dup2, dup3: the new number. */
  readonly newfd?: number;
  /** bind, connect: the argument. accept: the peer. listen: the socket's own address. */
  readonly address?: SocketAddress;
  /** accept, listen, socket: the socket's inode, the same for all descriptors of it, in whatever process. */
  readonly inode?: number;
  readonly backlog?: number;
  /** read, write and their like: how many bytes were asked for. */
  readonly length?: number;
  /** The first bytes that were written, or read. */
  readonly data?: Buffer;
  /** setsockopt: as 'SO_REUSEADDR', otherwise 'level:number'. */
  readonly option?: string;
  readonly value?: number;
  /** wait4, waitid: whom to wait for (-1 is any child). kill: to whom. */
  readonly target?: number;
  /** wait4, waitid: WNOHANG was given. */
  readonly nohang?: boolean;
  /** wait4, waitid, when they found a child: its wait status. The result is its process ID, for waitid as well. */
  readonly status?: number;
  /** rt_sigaction, kill. */
  readonly signal?: NodeJS.Signals;
  /** rt_sigaction, where it changes something: the new disposition. */
  readonly disposition?: 'default' | 'ignored' | 'handler';
  /** rt_sigaction: SA_RESTART is set. */
  readonly restart?: boolean;
  /** select, poll, nanosleep: milliseconds; -1 is without end. */
  readonly timeout?: number;
  /** exit_group. */
  readonly code?: number;
  /** shutdown: 'read', 'write' or 'both'. */
  readonly how?: 'read' | 'write' | 'both';
  /** fork, clone: it makes a thread. */
  readonly thread?: boolean;
}

/** A call begins. It has not returned until its `leave`: a process whose last event is this one is in that call now. */
export interface Enter extends Happened {
  readonly kind: 'enter';
  readonly call: CallName;
  readonly details: CallDetails;
  /** Return addresses in the program's own code, nearest first: for `sourceLines()`. */
  readonly addresses?: readonly CodeAddress[];
  /** A truefork/posix script's own line. */
  readonly where?: SourceLine;
}

export interface CodeAddress {
  /** The file with the code. */
  readonly file: string;
  /** The address in that file, as addr2line takes it. */
  readonly address: number;
}

export interface Leave extends Happened {
  readonly kind: 'leave';
  readonly call: CallName;
  /** The arguments again, and what the kernel filled in. */
  readonly details: CallDetails;
  /** -1 with `errno`, where the call failed. */
  readonly result: number;
  /** 'EAGAIN' and so on. A call that a signal interrupted has 'EINTR'. */
  readonly errno?: string;
  /**
   * With 'EINTR', whether the program sees it. 'if-no-restart': if the signal that follows has a handler without
   * SA_RESTART; 'if-handler': if it has a handler. Otherwise the kernel begins the call anew: another `enter`.
   */
  readonly interrupted?: 'seen' | 'if-no-restart' | 'if-handler';
  readonly entered: Enter;
}

/** A signal is delivered: its handler runs now, or its default action happens. */
export interface SignalDelivered extends Happened {
  readonly kind: 'signal';
  readonly signal: NodeJS.Signals | `SIGRT${number}`;
  readonly disposition: 'default' | 'ignored' | 'handler';
  /** With a handler: whether the interrupted call goes on. */
  readonly restart?: boolean;
  /** The process it is about (SIGCHLD: the child) or that sent it; 0 is the kernel. */
  readonly sender: number;
  /** SIGCHLD: what became of the child. */
  readonly child?: 'exited' | 'killed' | 'stopped' | 'continued';
}

/** SIGSTOP and its like: all threads of the process stand still. */
export interface Stopped extends Happened {
  readonly kind: 'stopped';
  readonly signal: NodeJS.Signals;
}

export interface Continued extends Happened {
  readonly kind: 'continued';
}

/** The tracer has changed a call: an injection, or a limit that holds for every traced program. */
export interface Intervened extends Happened {
  readonly kind: 'intervened';
  readonly call: CallName;
  /**
   * 'injected': what an injection asked for. 'stranger': a signal to a process that is not of the program. 'everybody':
   * kill(-1). 'process-limit': a fork beyond `maxProcesses`.
   */
  readonly reason: 'injected' | 'stranger' | 'everybody' | 'process-limit';
  /** The name of the injection. */
  readonly injection?: string;
}

/** With `watchHandlers`: what a signal handler called that is not async-signal-safe (signal-safety(7)). */
export interface UnsafeCall extends Happened {
  readonly kind: 'unsafe-call';
  readonly signal: NodeJS.Signals;
  readonly function: string;
}

/** The program cannot be traced any further; it has been ended. */
export interface Refused extends Happened {
  readonly kind: 'refused';
  readonly reason: '32-bit';
}

export type TraceEvent =
  | Born
  | Exec
  | Exit
  | ThreadExit
  | Enter
  | Leave
  | SignalDelivered
  | Stopped
  | Continued
  | Intervened
  | UnsafeCall
  | Refused;
