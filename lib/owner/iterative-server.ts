import type { ServerOptions } from '../options/interfaces.js';
import { encodeCommand } from '../wire/commands.js';
import { assertHandler, checkOptions } from './machine.js';
import { Server } from './server.js';

export type IterativeServerOptions = ServerOptions;

/**
 * The simple server: one process, one connection at a time, while further clients wait in the backlog. It takes every
 * form of handler. `end` is emitted for each connection that is over.
 */
export class IterativeServer extends Server {
  /** @throws `ERR_TRUEFORK_ARGUMENT` or `ERR_TRUEFORK_HANDLER` for options that cannot be. */
  constructor(options: IterativeServerOptions) {
    const checked = checkOptions('iterative', options);
    assertHandler(checked.handler);
    super(checked, 'iterative');
  }

  protected override settings(): Buffer[] {
    return [encodeCommand('MaxConnections', { maximum: 1 })];
  }
}
