import type { SelectServerOptions } from '../options/interfaces.js';
import { encodeCommand } from '../wire/commands.js';
import { assertHandler, checkOption, checkOptions } from './machine.js';
import { Server } from './server.js';

/**
 * The concurrent server in a single process: select(2) waits for all connections at once. It takes handlers of the
 * callbacks form. A client that does not read delays no other: what it has not taken is queued, up to 64 MiB, and from
 * 1 MiB on it is not read from.
 */
export class SelectServer extends Server {
  #maxConnections: number;

  /** @throws `ERR_TRUEFORK_ARGUMENT` or `ERR_TRUEFORK_HANDLER` for options that cannot be. */
  constructor(options: SelectServerOptions) {
    const checked = checkOptions('select', options);
    assertHandler(checked.handler);
    super(checked, 'select');
    this.#maxConnections = checked.maxConnections;
  }

  /** The most connections at once. It can be changed at any time; connections beyond a lower one may finish. */
  get maxConnections(): number {
    return this.#maxConnections;
  }

  set maxConnections(maxConnections: number) {
    this.#maxConnections = checkOption('maxConnections', maxConnections);
    this.sendSettings();
  }

  protected override settings(): Buffer[] {
    return [encodeCommand('MaxConnections', { maximum: this.#maxConnections })];
  }
}
