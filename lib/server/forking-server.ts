import { badArgument } from '../errors.js';
import { assertAllowed, checkOptions, type ServerOptions } from './options.js';
import { findProgram } from './program.js';
import { Server } from './server.js';

export interface ForkingServerOptions extends Omit<ServerOptions, 'handler'> {
  /** The handler script: a path, relative to the working directory, or a `file:` URL. It, or `exec`. */
  handler?: string | URL;
  /**
   * In the place of a handler script, a program and its arguments, as inetd and tcpserver serve by: the connection is
   * its standard input and output, its environment tells who is there (`PROTO`, `TCPREMOTEIP`, `TCPREMOTEPORT`,
   * `TCPLOCALIP`, `TCPLOCALPORT`, or `UNIXLOCALPATH`, `UNIXREMOTEEUID`, …: UCSPI), every other descriptor is closed,
   * and no signal is blocked or ignored. It is looked for in PATH, once. No Node runs in the child.
   */
  exec?: readonly string[];
  /**
   * The most connections served at once, each by a process of its own; further clients wait in the backlog.
   * 256 by default, or less where the user's process limit is low.
   */
  maxChildren?: number;
}

/**
 * A TCP server that serves each connection in a forked process of its own, which begins with everything that the
 * handler script had in memory. It takes every form of handler.
 *
 * @example
 * const server = new ForkingServer({ handler: './echo.js' });
 * server.on('exit', ({ pid, code, signal }) => console.log(pid, code ?? signal));
 * await server.listen(7777);
 */
export class ForkingServer extends Server {
  /** The most connections that are served at once. */
  readonly maxChildren: number;

  /** @throws `ERR_TRUEFORK_ARGUMENT`, `ERR_TRUEFORK_HANDLER` or `ERR_TRUEFORK_LIMIT` for options that cannot be. */
  constructor(options: ForkingServerOptions) {
    const checked = checkOptions('fork', options);
    if ((checked.handler === undefined) === (checked.exec === undefined))
      throw badArgument('a ForkingServer takes either handler, the path of a script, or exec, a program');
    assertAllowed(checked.maxChildren);
    const program = checked.exec === undefined ? undefined : findProgram(checked.exec);
    super({ ...checked, program, most: checked.maxChildren }, 'fork');
    this.maxChildren = checked.maxChildren;
  }
}
