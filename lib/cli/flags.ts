/** The flags of a subcommand. */
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { nearest } from '../options/suggest.js';
import { UsageError } from './usage.js';

/**
 * As parseArgs() of node:util.
 *
 * @throws UsageError, which names the flag that was meant, if one is near, and the help of the subcommand.
 */
export function parseFlags<const Config extends ParseArgsConfig>(
  command: string,
  config: Config,
): ReturnType<typeof parseArgs<Config>> {
  try {
    return parseArgs(config);
  } catch (error) {
    const [message] = (error as Error).message.split(/\.\s/);
    const unknown = /^Unknown option '--(.*)'$/.exec(message!)?.[1];
    const meant = unknown === undefined ? undefined : nearest(unknown, Object.keys(config.options ?? {}));
    const hint = meant === undefined ? '' : `: did you mean --${meant}?`;
    throw new UsageError(`${message}${hint} (truefork ${command} --help)`);
  }
}
