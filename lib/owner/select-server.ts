import type { SelectServerOptions } from '../options/interfaces.js';
import { assertHandler, checkOption, checkOptions } from './machine.js';
import { Server } from './server.js';

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
