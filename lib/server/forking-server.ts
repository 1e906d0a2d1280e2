import { assertAllowed, checkOptions, type ServerOptions } from './options.js';
import { Server } from './server.js';

export interface ForkingServerOptions extends ServerOptions {
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
    assertAllowed(checked.maxChildren);
    super({ ...checked, most: checked.maxChildren }, 'fork');
    this.maxChildren = checked.maxChildren;
  }
}
