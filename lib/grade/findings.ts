/** The kinds of mistake that the grader knows: a closed set. The boundary of each is in docs/grade.md. */

export const findingIds = [
  'connfd-leak',
  'listenfd-in-child',
  'zombies',
  'wait-once',
  'blocking-wait',
  'serial',
  'eintr-accept',
  'child-falls-through',
  'fork-failure',
  'fork-bomb',
  'short-write',
  'short-read',
  'sigpipe',
  'stdio-twice',
  'exit-in-child',
  'unsafe-handler',
  'no-reuseaddr',
  'one-shot',
  'fd-setsize',
  'select-set',
  'slow-client',
] as const;

export type FindingId = (typeof findingIds)[number];

export type Severity = 'error' | 'warning' | 'note';

/** What a scenario saw. */
export interface Observed {
  readonly id: FindingId;
  readonly evidence: string;
  readonly where?: string;
  /** The picture of what happened, as SVG. */
  readonly picture?: string;
}

export interface Finding extends Observed {
  readonly severity: Severity;
  /** What happened, in one sentence. */
  readonly what: string;
  readonly lecture: string;
  readonly mend: string;
}

interface Kind {
  readonly what: string;
  /** The line of the lecture that it is about, or "beyond the lecture". */
  readonly lecture: string;
  readonly mend: string;
}

const beyond = 'beyond the lecture';

export const kinds: Record<FindingId, Kind> = {
  'connfd-leak': {
    what: 'The server keeps the connection of a client after it has been served.',
    lecture: '"Use fork": close(connfd); /* parent closes connected socket */',
    mend: 'call close(connfd) in the parent, after fork()',
  },
  'listenfd-in-child': {
    what: 'A child keeps the listening socket while it serves its client.',
    lecture: '"Use fork": close(listenfd); /* child closes listening socket */',
    mend: 'call close(listenfd) in the child, before it serves',
  },
  zombies: {
    what: 'Children that have ended stay zombies: nothing waits for them.',
    lecture: '"Handling SIGCHLD Signals": whenever we fork children, parent must wait for them',
    mend: 'handle SIGCHLD and call waitpid(-1, &status, WNOHANG) in a loop',
  },
  'wait-once': {
    what: 'Children that end together leave zombies: one SIGCHLD stands for several of them, and only one is waited for.',
    lecture: '"Difference between wait() and waitpid()": five children end, four are zombies',
    mend: 'loop: while (waitpid(-1, &status, WNOHANG) > 0)',
  },
  'blocking-wait': {
    what: 'The server waits for a child to end, and accepts no other client until then.',
    lecture: '"waitpid()": without option WNOHANG, waitpid blocks until the status change',
    mend: 'give waitpid() the option WNOHANG, and call it in the handler of SIGCHLD',
  },
  serial: {
    what: 'The server serves one client at a time: a second one waits until the first has gone.',
    lecture:
      '"Iterating server": when a client request takes longer to service, we can\'t handle other clients',
    mend: 'fork a child for each client, or wait for all of them with select()',
  },
  'eintr-accept': {
    what: 'The end of a child interrupts accept(), and the server takes that for a failure or for a client.',
    lecture: '"Signaling": signals usually occur asynchronously',
    mend: 'set SA_RESTART in sigaction(), or call accept() again when errno is EINTR',
  },
  'child-falls-through': {
    what: 'A child that has served its client goes on in the loop of the parent, and accepts clients.',
    lecture: '"Use fork": exit(0); /* child terminates */',
    mend: 'end the child with _exit(0) when its client is served',
  },
  'fork-failure': {
    what: 'The server does not survive a fork() that fails, or leaves that client waiting.',
    lecture: '"fork": it returns -1 when no child could be made',
    mend: 'when fork() returns -1, close connfd and go on',
  },
  'fork-bomb': {
    what: 'The server forks without end.',
    lecture: '"Use fork": one fork() for each accept()',
    mend: 'fork only after accept() has returned a client, and end each child with _exit()',
  },
  'short-write': {
    what: 'Part of an answer is lost when write() takes less than it was given.',
    lecture: beyond,
    mend: 'call write() again with the rest until all is written',
  },
  'short-read': {
    what: 'A request that comes in pieces is not understood.',
    lecture: beyond,
    mend: 'TCP is a stream: read until the request is complete, then answer',
  },
  sigpipe: {
    what: 'A client that vanishes ends the server.',
    lecture: beyond,
    mend: 'ignore SIGPIPE, and handle EPIPE and ECONNRESET of write() as the end of that client alone',
  },
  'stdio-twice': {
    what: 'Text that the server had printed before fork() is printed again by children.',
    lecture: '"Fork process": the parent process makes a copy of its memory',
    mend: 'call fflush(NULL) before fork(), or end the child with _exit()',
  },
  'exit-in-child': {
    what: 'A child runs the exit handlers of the server when it ends.',
    lecture: '"Use fork": exit(0); /* child terminates */',
    mend: 'end the child with _exit()',
  },
  'unsafe-handler': {
    what: 'A signal handler calls a function that is not async-signal-safe.',
    lecture: '"sig_chld: SIGCHLD handler"',
    mend: 'call only functions of signal-safety(7) in a handler; set a flag and print elsewhere',
  },
  'no-reuseaddr': {
    what: 'The server cannot be started again while a connection of the one before is left.',
    lecture: beyond,
    mend: 'setsockopt(listenfd, SOL_SOCKET, SO_REUSEADDR, …) before bind()',
  },
  'one-shot': {
    what: 'The server ends, or accepts no more, after its first client.',
    lecture:
      '"Server for a single client": how could the server accept another client after a client closes its session?',
    mend: 'call accept() in a loop',
  },
  'fd-setsize': {
    what: 'A descriptor of 1024 or more goes into select(), whose sets have room for 1024.',
    lecture: beyond,
    mend: 'use poll(), or refuse clients whose descriptor is FD_SETSIZE or more',
  },
  'select-set': {
    what: 'select() no longer waits for all: the sets that it changed are not filled again.',
    lecture: '"Concurrent single server": use select() to simultaneously wait on all open sockets',
    mend: 'fill the sets, and the highest descriptor, before each call of select()',
  },
  'slow-client': {
    what: 'One client that is slow to send or to read holds up all the others.',
    lecture: beyond,
    mend: 'make the connections non-blocking; keep what is incomplete, and what is unsent, for each client',
  },
};

export function isFindingId(text: string): text is FindingId {
  return (findingIds as readonly string[]).includes(text);
}
