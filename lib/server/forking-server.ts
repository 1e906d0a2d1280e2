import { badArgument } from '../errors.js';
import { checkMaxChildren, checkOptions, type ServerOptions } from './options.js';
import { Server } from './server.js';

export interface ForkingServerOptions extends ServerOptions {
  /**
   * The most connections served at once, each by a process of its own; further clients wait in the backlog.
   * 256 by default, or less where the user's process limit is low.
   */
  maxChildren?: number;
  /**
   * Each child opens Node's inspector on a free port of 127.0.0.1, tells its URL on standard error, and waits for a
   * debugger before it serves its connection. For development: whoever can reach the port can run code. false by
   * default.
   */
  inspectChild?: boolean;
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
    const checked = checkOptions(options, ['maxChildren', 'inspectChild']);
    const { inspectChild = false } = options;
    if (typeof inspectChild !== 'boolean')
      throw badArgument(`inspectChild is true or false, not ${String(inspectChild)}`);
    const maxChildren = checkMaxChildren(options.maxChildren);
    super({ ...checked, most: maxChildren, inspectChild }, 'fork');
    this.maxChildren = maxChildren;
  }
}
