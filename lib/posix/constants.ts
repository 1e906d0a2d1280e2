/** The constants, as the addon read them from the headers of the system it was built on. */
import { native } from '../binding/native.js';

export type { PosixConstants } from '../binding/posix-constants.js';

const constants = native.posix.constants;

// Address families and protocols

/** No family in particular. */
export const AF_UNSPEC = constants.AF_UNSPEC;
/** Sockets of this machine, named by a path (unix(7)). */
export const AF_UNIX = constants.AF_UNIX;
/** IPv4 (ip(7)). */
export const AF_INET = constants.AF_INET;
/** IPv6 (ipv6(7)). */
export const AF_INET6 = constants.AF_INET6;
/** The level of IPv4 options in setsockopt(). */
export const IPPROTO_IP = constants.IPPROTO_IP;
/** TCP, and the level of its options (tcp(7)). */
export const IPPROTO_TCP = constants.IPPROTO_TCP;
/** UDP (udp(7)). */
export const IPPROTO_UDP = constants.IPPROTO_UDP;
/** The level of IPv6 options. */
export const IPPROTO_IPV6 = constants.IPPROTO_IPV6;

// Sockets

/** A reliable stream of bytes, both ways: TCP. */
export const SOCK_STREAM = constants.SOCK_STREAM;
/** Datagrams: UDP. */
export const SOCK_DGRAM = constants.SOCK_DGRAM;
/** A stream that keeps the bounds of records. */
export const SOCK_SEQPACKET = constants.SOCK_SEQPACKET;
/** Raw network protocol access. */
export const SOCK_RAW = constants.SOCK_RAW;
/** May be added to the type: sets O_NONBLOCK. */
export const SOCK_NONBLOCK = constants.SOCK_NONBLOCK;
/** May be added to the type: sets FD_CLOEXEC. */
export const SOCK_CLOEXEC = constants.SOCK_CLOEXEC;
/** The longest backlog that listen() takes by default. */
export const SOMAXCONN = constants.SOMAXCONN;
/** No more is received. */
export const SHUT_RD = constants.SHUT_RD;
/** No more is sent: the peer reads end of file. */
export const SHUT_WR = constants.SHUT_WR;
/** Neither. */
export const SHUT_RDWR = constants.SHUT_RDWR;
/** Out-of-band data. */
export const MSG_OOB = constants.MSG_OOB;
/** Look at the data and leave it in the queue. */
export const MSG_PEEK = constants.MSG_PEEK;
/** Send on the local network only. */
export const MSG_DONTROUTE = constants.MSG_DONTROUTE;
/** Wait until all that was asked for is there. */
export const MSG_WAITALL = constants.MSG_WAITALL;
/** This call does not wait: EAGAIN instead. */
export const MSG_DONTWAIT = constants.MSG_DONTWAIT;
/** No SIGPIPE when the peer is gone: EPIPE alone. send() here always has it. */
export const MSG_NOSIGNAL = constants.MSG_NOSIGNAL;
/** More will follow: hold the packet back. */
export const MSG_MORE = constants.MSG_MORE;
/** The real length of a datagram. */
export const MSG_TRUNC = constants.MSG_TRUNC;

// Socket options

/** The level of the options of every socket (socket(7)). */
export const SOL_SOCKET = constants.SOL_SOCKET;
/** bind() may take an address that only connections in TIME_WAIT still have. */
export const SO_REUSEADDR = constants.SO_REUSEADDR;
/** Several sockets may bind the same address, and share its clients. */
export const SO_REUSEPORT = constants.SO_REUSEPORT;
/** The type of the socket; read only. */
export const SO_TYPE = constants.SO_TYPE;
/** The pending error, which reading it clears; read only. */
export const SO_ERROR = constants.SO_ERROR;
/** Datagrams may go to a broadcast address. */
export const SO_BROADCAST = constants.SO_BROADCAST;
/** Size of the send buffer in bytes; the kernel doubles what is set. */
export const SO_SNDBUF = constants.SO_SNDBUF;
/** Size of the receive buffer in bytes; the kernel doubles what is set. */
export const SO_RCVBUF = constants.SO_RCVBUF;
/** Probe a silent peer. */
export const SO_KEEPALIVE = constants.SO_KEEPALIVE;
/** What close() does with unsent data: `{ l_onoff, l_linger }`, in seconds. */
export const SO_LINGER = constants.SO_LINGER;
/** How long a receiving call waits: a timeval. */
export const SO_RCVTIMEO = constants.SO_RCVTIMEO;
/** How long a sending call waits: a timeval. */
export const SO_SNDTIMEO = constants.SO_SNDTIMEO;
/** Whether the socket listens; read only. */
export const SO_ACCEPTCONN = constants.SO_ACCEPTCONN;
/** Out-of-band data comes in the stream. */
export const SO_OOBINLINE = constants.SO_OOBINLINE;
/** The family of the socket; read only. */
export const SO_DOMAIN = constants.SO_DOMAIN;
/** The protocol of the socket; read only. */
export const SO_PROTOCOL = constants.SO_PROTOCOL;
/** The network interface to use, by name. */
export const SO_BINDTODEVICE = constants.SO_BINDTODEVICE;
/** Send at once, without gathering (Nagle). */
export const TCP_NODELAY = constants.TCP_NODELAY;
/** Largest segment in bytes. */
export const TCP_MAXSEG = constants.TCP_MAXSEG;
/** Send full segments only. */
export const TCP_CORK = constants.TCP_CORK;
/** Seconds of silence before the first probe. */
export const TCP_KEEPIDLE = constants.TCP_KEEPIDLE;
/** Seconds between probes. */
export const TCP_KEEPINTVL = constants.TCP_KEEPINTVL;
/** Probes without an answer before the connection is dropped. */
export const TCP_KEEPCNT = constants.TCP_KEEPCNT;
/** accept() only once there is data: seconds to wait for it. */
export const TCP_DEFER_ACCEPT = constants.TCP_DEFER_ACCEPT;
/** Acknowledge at once. */
export const TCP_QUICKACK = constants.TCP_QUICKACK;
/** The congestion control algorithm, by name. */
export const TCP_CONGESTION = constants.TCP_CONGESTION;
/** Milliseconds that data may stay unacknowledged. */
export const TCP_USER_TIMEOUT = constants.TCP_USER_TIMEOUT;
/** Data in the first packet: length of the queue. */
export const TCP_FASTOPEN = constants.TCP_FASTOPEN;
/** An IPv6 socket takes no IPv4 clients. */
export const IPV6_V6ONLY = constants.IPV6_V6ONLY;

// Descriptors

/** Standard input. */
export const STDIN_FILENO = constants.STDIN_FILENO;
/** Standard output. */
export const STDOUT_FILENO = constants.STDOUT_FILENO;
/** Standard error. */
export const STDERR_FILENO = constants.STDERR_FILENO;
/** Read the descriptor's flags: FD_CLOEXEC. */
export const F_GETFD = constants.F_GETFD;
/** Set them. */
export const F_SETFD = constants.F_SETFD;
/** Read the open file's flags: O_NONBLOCK and the like. */
export const F_GETFL = constants.F_GETFL;
/** Set them. */
export const F_SETFL = constants.F_SETFL;
/** The descriptor is closed when another program is executed. */
export const FD_CLOEXEC = constants.FD_CLOEXEC;
/** Open for reading. */
export const O_RDONLY = constants.O_RDONLY;
/** Open for writing. */
export const O_WRONLY = constants.O_WRONLY;
/** Open for both. */
export const O_RDWR = constants.O_RDWR;
/** Mask of the three above. */
export const O_ACCMODE = constants.O_ACCMODE;
/** Each write goes to the end. */
export const O_APPEND = constants.O_APPEND;
/** SIGIO when input or output is possible. */
export const O_ASYNC = constants.O_ASYNC;
/** Calls do not wait: EAGAIN instead. */
export const O_NONBLOCK = constants.O_NONBLOCK;

// select and poll

/** How many descriptors an fd_set has room for: 0 to 1023. */
export const FD_SETSIZE = constants.FD_SETSIZE;
/** There is data to read, or a client to accept. */
export const POLLIN = constants.POLLIN;
/** There is urgent data. */
export const POLLPRI = constants.POLLPRI;
/** There is room to write. */
export const POLLOUT = constants.POLLOUT;
/** An error; always reported. */
export const POLLERR = constants.POLLERR;
/** The peer has hung up; always reported. */
export const POLLHUP = constants.POLLHUP;
/** The descriptor is not open; always reported. */
export const POLLNVAL = constants.POLLNVAL;
/** The peer has finished sending. */
export const POLLRDHUP = constants.POLLRDHUP;

// wait

/** Do not wait: pid 0 if no child has changed. */
export const WNOHANG = constants.WNOHANG;
/** Tell of stopped children as well. */
export const WUNTRACED = constants.WUNTRACED;
/** Tell of children continued by SIGCONT as well. */
export const WCONTINUED = constants.WCONTINUED;

// Limits

/** CPU time in seconds. */
export const RLIMIT_CPU = constants.RLIMIT_CPU;
/** Size of a file in bytes. */
export const RLIMIT_FSIZE = constants.RLIMIT_FSIZE;
/** Size of the data segment in bytes. */
export const RLIMIT_DATA = constants.RLIMIT_DATA;
/** Size of the stack in bytes. */
export const RLIMIT_STACK = constants.RLIMIT_STACK;
/** Size of a core file in bytes. */
export const RLIMIT_CORE = constants.RLIMIT_CORE;
/** Resident memory in bytes; without effect on Linux. */
export const RLIMIT_RSS = constants.RLIMIT_RSS;
/** Processes of this user. */
export const RLIMIT_NPROC = constants.RLIMIT_NPROC;
/** One more than the highest descriptor. */
export const RLIMIT_NOFILE = constants.RLIMIT_NOFILE;
/** Locked memory in bytes. */
export const RLIMIT_MEMLOCK = constants.RLIMIT_MEMLOCK;
/** Address space in bytes. Node itself needs about 1 GB. */
export const RLIMIT_AS = constants.RLIMIT_AS;
/** The niceness that the process may give itself is at least 20 less this. */
export const RLIMIT_NICE = constants.RLIMIT_NICE;

// Signals

/** Hangup of the terminal. Default: end. */
export const SIGHUP = constants.SIGHUP;
/** Ctrl-C. Default: end. */
export const SIGINT = constants.SIGINT;
/** Ctrl-\\. Default: end with a core dump. */
export const SIGQUIT = constants.SIGQUIT;
/** Illegal instruction; cannot be handled in JavaScript. */
export const SIGILL = constants.SIGILL;
/** Breakpoint; cannot be handled in JavaScript. */
export const SIGTRAP = constants.SIGTRAP;
/** abort(3). Default: end with a core dump. */
export const SIGABRT = constants.SIGABRT;
/** Bad memory access; cannot be handled in JavaScript. */
export const SIGBUS = constants.SIGBUS;
/** Arithmetic error; cannot be handled in JavaScript. */
export const SIGFPE = constants.SIGFPE;
/** End, at once: cannot be caught, blocked or ignored. */
export const SIGKILL = constants.SIGKILL;
/** For the user. Default: end; in Node, start the debugger. */
export const SIGUSR1 = constants.SIGUSR1;
/** Invalid memory reference; cannot be handled in JavaScript. */
export const SIGSEGV = constants.SIGSEGV;
/** For the user. Default: end. */
export const SIGUSR2 = constants.SIGUSR2;
/** Write without a reader. Node ignores it: the call fails with EPIPE. */
export const SIGPIPE = constants.SIGPIPE;
/** alarm() or ITIMER_REAL. Default: end. */
export const SIGALRM = constants.SIGALRM;
/** Request to end. Default: end. */
export const SIGTERM = constants.SIGTERM;
/** A child has ended, stopped or continued. Default: nothing. */
export const SIGCHLD = constants.SIGCHLD;
/** Continue. Default: continue. */
export const SIGCONT = constants.SIGCONT;
/** Stop: cannot be caught, blocked or ignored. */
export const SIGSTOP = constants.SIGSTOP;
/** Ctrl-Z. Default: stop. */
export const SIGTSTP = constants.SIGTSTP;
/** Background read from the terminal. Default: stop. */
export const SIGTTIN = constants.SIGTTIN;
/** Background write to the terminal. Default: stop. */
export const SIGTTOU = constants.SIGTTOU;
/** Urgent data on a socket. Default: nothing. */
export const SIGURG = constants.SIGURG;
/** CPU time limit. Default: end with a core dump. */
export const SIGXCPU = constants.SIGXCPU;
/** File size limit. Default: end with a core dump. */
export const SIGXFSZ = constants.SIGXFSZ;
/** ITIMER_VIRTUAL. Default: end. */
export const SIGVTALRM = constants.SIGVTALRM;
/** ITIMER_PROF. Default: end. */
export const SIGPROF = constants.SIGPROF;
/** The terminal's size has changed. Default: nothing. */
export const SIGWINCH = constants.SIGWINCH;
/** Input or output is possible. Default: end. */
export const SIGIO = constants.SIGIO;
/** Power failure. Default: end. */
export const SIGPWR = constants.SIGPWR;
/** Bad system call; cannot be handled in JavaScript. */
export const SIGSYS = constants.SIGSYS;
/** The first real-time signal: these queue, where others coalesce. */
export const SIGRTMIN = constants.SIGRTMIN;
/** The last real-time signal that is free. */
export const SIGRTMAX = constants.SIGRTMAX;

// Signal actions

/** SIGCHLD: not when a child stops or continues. */
export const SA_NOCLDSTOP = constants.SA_NOCLDSTOP;
/** SIGCHLD: children do not become zombies, and cannot be waited for. */
export const SA_NOCLDWAIT = constants.SA_NOCLDWAIT;
/** Calls that the handler interrupts go on. */
export const SA_RESTART = constants.SA_RESTART;
/** The signal is not blocked while its handler runs. */
export const SA_NODEFER = constants.SA_NODEFER;
/** One time only: then SIG_DFL. */
export const SA_RESETHAND = constants.SA_RESETHAND;
/** sigprocmask(): add to the mask. */
export const SIG_BLOCK = constants.SIG_BLOCK;
/** sigprocmask(): take from the mask. */
export const SIG_UNBLOCK = constants.SIG_UNBLOCK;
/** sigprocmask(): this is the mask. */
export const SIG_SETMASK = constants.SIG_SETMASK;
/** Sent by kill(). */
export const SI_USER = constants.SI_USER;
/** Sent by the kernel. */
export const SI_KERNEL = constants.SI_KERNEL;
/** Sent by sigqueue(3). */
export const SI_QUEUE = constants.SI_QUEUE;
/** Sent by a POSIX timer. */
export const SI_TIMER = constants.SI_TIMER;
/** Sent to one thread, as raise() does. */
export const SI_TKILL = constants.SI_TKILL;
/** The child has exited. */
export const CLD_EXITED = constants.CLD_EXITED;
/** The child was killed by a signal. */
export const CLD_KILLED = constants.CLD_KILLED;
/** The child was killed and has dumped core. */
export const CLD_DUMPED = constants.CLD_DUMPED;
/** A traced child has trapped. */
export const CLD_TRAPPED = constants.CLD_TRAPPED;
/** The child has stopped. */
export const CLD_STOPPED = constants.CLD_STOPPED;
/** The child goes on. */
export const CLD_CONTINUED = constants.CLD_CONTINUED;

// Timers

/** Counts real time: SIGALRM. */
export const ITIMER_REAL = constants.ITIMER_REAL;
/** Counts this process's CPU time in user mode: SIGVTALRM. */
export const ITIMER_VIRTUAL = constants.ITIMER_VIRTUAL;
/** Counts its CPU time in all: SIGPROF. */
export const ITIMER_PROF = constants.ITIMER_PROF;
