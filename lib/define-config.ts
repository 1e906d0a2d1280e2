/** `truefork.config.js`: the options of `truefork serve` in a file. */

import type {
  CommandOptions,
  ForkingServerOptions,
  ListenOptions,
  SelectServerOptions,
} from './options/interfaces.js';

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
