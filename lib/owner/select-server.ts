import { assertHandler, checkOption, checkOptions, type ServerOptions } from '../options/check.js';
import { Server } from './server.js';

export interface SelectServerOptions extends ServerOptions {
  /**
   * What waits for the connections: `select`, the lecture's, which knows no descriptor above 1,023, so that clients
   * beyond it are turned away with a `warning`; or `poll`, which has no such limit.
   */
  multiplexer?: 'select' | 'poll';
  /** The most connections at once; further clients wait in the backlog. By default there is no limit but the above. */
  maxConnections?: number;
}

/**
 * The concurrent single server: one process for all connections, which `select(2)` wakes when one of them has
 * something to say. It takes handlers of the callbacks form. A client that does not read keeps nobody waiting: what it
 * has not taken is queued, up to 64 MiB, and from 1 MiB on it is not read from.
 */
export class SelectServer extends Server {
  /** @throws `ERR_TRUEFORK_ARGUMENT` or `ERR_TRUEFORK_HANDLER` for options that cannot be. */
  constructor(options: SelectServerOptions) {
    const checked = checkOptions('select', options);
    assertHandler(checked.handler);
    super({ ...checked, most: checked.maxConnections }, 'select');
  }

  /** The most connections at once. It can be changed at any time; nobody being served is sent away. */
  get maxConnections(): number {
    return this.most;
  }

  set maxConnections(maxConnections: number) {
    this.most = checkOption('maxConnections', maxConnections);
  }
}
