/** The options of `truefork serve`: the table's, as flags and from a config file. */
import type { ParseArgsConfig } from 'node:util';
import { assertTaken } from '../options/check.js';
import type { Taker } from '../options/option.js';
import { type Checked, type CheckedValue, lookUp, type OptionName, optionNames } from '../options/table.js';
import { checkOption } from '../owner/machine.js';
import { readConfigFile } from './config-file.js';
import { parseFlags } from './flags.js';
import { asUsage, UsageError } from './usage.js';

/** The flags that no config file could hold. */
export const ownFlags = {
  config: { type: 'string', help: 'instead of truefork.config.{js,ts,json} in the working directory' },
  help: { type: 'boolean', short: 'h', help: 'this text' },
} as const;

/** `maxChildren` is `--max-children` on the command line; `noDelay` is `--nodelay`, for `--no-delay` would mean: no delay. */
export function flagName(name: string): string {
  return name
    .replace(/^no[A-Z]/, start => start.toLowerCase())
    .replaceAll(/[A-Z]/g, letter => `-${letter.toLowerCase()}`);
}

/** One option as the user gave it. */
interface GivenOption {
  value: unknown;
  /** What the user calls it: its flag, or its name and the config file. */
  label: string;
}

/** Those that there are. */
type Present<Values> = { [Name in keyof Values]?: Exclude<Values[Name], undefined> };

export class GivenOptions {
  readonly #given: Map<OptionName, GivenOption>;

  constructor(given: Map<OptionName, GivenOption>) {
    this.#given = given;
  }

  /** Whether the user has said so, and not a default. */
  has(name: OptionName): boolean {
    return this.#given.has(name);
  }

  /** The checked value, by default the command's; undefined where the server's own default is to hold. */
  value<Name extends OptionName>(name: Name): CheckedValue<Name> | undefined {
    const given = this.#given.get(name);
    if (given !== undefined) return asUsage(() => checkOption(name, given.value, given.label));
    return lookUp(name)!.commandDefault as CheckedValue<Name> | undefined;
  }

  /** All that one of the takers has. */
  valuesFor<T extends Taker>(taker: T): Present<Checked<T>> {
    const values = optionNames(taker).map(name => [name, this.value(name)] as const);
    return Object.fromEntries(values.filter(([, value]) => value !== undefined)) as Present<Checked<T>>;
  }

  /** @throws UsageError for an option that none of these takes, or a value that cannot be. */
  assertFitFor(takers: readonly Taker[]): void {
    for (const [name, { label }] of this.#given) {
      asUsage(() => assertTaken(name, takers, label));
      this.value(name);
    }
  }
}

/**
 * Reads the command line, and the config file under it.
 *
 * @throws UsageError for what is wrong in either.
 */
export async function readOptions(args: string[]): Promise<{ help: boolean; given: GivenOptions }> {
  const { values, positionals } = parseOptions(args);
  const given = new Map<OptionName, GivenOption>();
  if (values.help) return { help: true, given: new GivenOptions(given) };
  const file = await readConfigFile(values.config as string | undefined);
  for (const [name, value] of Object.entries(file?.values ?? {})) {
    const label = `${name} (${file!.name})`;
    if (lookUp(name) === undefined) asUsage(() => assertTaken(name, everyTaker, label));
    if (value !== undefined) given.set(name as OptionName, { value, label });
  }
  for (const name of optionNames()) {
    const typed = values[flagName(name)];
    if (typed === undefined) continue;
    given.set(name, { value: parseTyped(name, typed), label: `--${flagName(name)}` });
  }
  const [handler, extra] = positionals;
  if (extra !== undefined) throw new UsageError(`one handler only, but there is also "${extra}"`);
  if (handler !== undefined) given.set('handler', { value: handler, label: 'handler' });
  return { help: false, given: new GivenOptions(given) };
}

type Typed = string | boolean | (string | boolean)[];

function parseTyped(name: OptionName, typed: Typed): unknown {
  if (Array.isArray(typed)) return typed.map(each => parseTyped(name, each));
  return typeof typed === 'string' ? lookUp(name)!.kind.parse(typed) : typed;
}

const everyTaker: readonly Taker[] = ['command', 'listen', 'fork', 'iterative', 'select'];

function parseOptions(args: string[]) {
  const flags = optionNames().map(name => {
    const { kind, short } = lookUp(name)!;
    const type = kind.placeholder === undefined ? 'boolean' : 'string';
    return [flagName(name), { type, multiple: kind.repeats ?? false, ...(short ? { short } : {}) }] as const;
  });
  const options: ParseArgsConfig['options'] = { ...Object.fromEntries(flags), ...ownFlags };
  return parseFlags('serve', { args, allowPositionals: true, allowNegative: true, options });
}
