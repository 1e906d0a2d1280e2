/** `truefork.config.js`: what `truefork serve` does when nobody tells it otherwise. */

import type { ListenOptions } from './options/places.js';
import type { ForkingServerOptions } from './owner/forking-server.js';
import type { SelectServerOptions } from './owner/select-server.js';

/** What the command has beside the options of the servers and of `listen()`. */
export interface CommandOptions {
  /** Which server: a ForkingServer (the default), an IterativeServer or a SelectServer. */
  mode?: 'fork' | 'iterative' | 'select';
  /**
   * Where to listen, in the place of `host` and `port`, at one place or several: `7777`, `10.0.0.1:80`, `[::1]:80`,
   * `*:80` (all addresses), `/run/a.sock`, `@abstract-name`, `systemd` or `systemd:name` for sockets that a service
   * manager passes, `fd:3` for one that somebody else does.
   */
  listen?: readonly string[];
  /** One JSON object a line instead of text; what the handler prints goes to stderr. */
  json?: boolean;
  /** How much is told: `info`, the default, has each connection; `warn` only what may need looking at. */
  logLevel?: 'error' | 'warn' | 'info' | 'debug';
}

/**
 * What a config file may say: every option of every server, of `listen()` and of the command. A path in it is relative
 * to the file.
 */
export interface Config
  extends Partial<ForkingServerOptions>,
    Partial<SelectServerOptions>,
    ListenOptions,
    CommandOptions {}

/**
 * Gives the object back as it is: it is there for its type, so that an editor knows what a config file may say.
 *
 * @example
 * // truefork.config.js
 * export default defineConfig({ handler: './echo.js', port: 7777, gracePeriod: '30s' });
 */
export function defineConfig(config: Config): Config {
  return config;
}
