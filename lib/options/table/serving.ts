/** What to serve, and how. */
import { handlerScript } from '../kinds/files.js';
import { choice, flag, programWords, withHint } from '../kinds/words.js';
import { option, serverKinds } from '../option.js';

export const serving = {
  /** The handler script: a path, relative to the working directory, or a `file:` URL. */
  handler: option({
    topic: 'What to serve',
    takenBy: serverKinds,
    kind: handlerScript(),
    help: 'the handler script, if it is not given as an argument',
  }),
  /**
   * A program and its arguments instead of a handler script, as inetd and tcpserver serve: the connection is its
   * standard input and output, its environment describes the client (`PROTO`, `TCPREMOTEIP`, `TCPREMOTEPORT`,
   * `TCPLOCALIP`, `TCPLOCALPORT`, or `UNIXLOCALPATH`, `UNIXREMOTEEUID`, …: UCSPI), every other descriptor is closed,
   * and no signal is blocked or ignored. It is looked up in PATH once. No Node runs in the child.
   */
  exec: option({
    topic: 'What to serve',
    takenBy: ['fork'],
    kind: programWords(),
    help: 'a program instead of a handler: the connection is its standard input and output',
  }),
  /** Which server: a ForkingServer (the default), an IterativeServer or a SelectServer. */
  mode: option({
    topic: 'What to serve',
    takenBy: ['command'],
    kind: withHint(choice('fork', 'iterative', 'select'), {
      poll: 'poll(2) is a multiplexer of mode select: --mode select --multiplexer poll',
    }),
    default: 'fork',
    short: 'm',
    help:
      'fork: each connection in a process of its own; iterative: one after the other, in one process; ' +
      'select: all at once, in one process',
  }),
  /** Whether to reload when a file that the handler was loaded from changes: the script, or what it imports. */
  watch: option({
    topic: 'What to serve',
    takenBy: serverKinds,
    kind: flag(),
    default: false,
    help: 'reload when a file of the handler changes, imports too',
  }),
};
