/**
 * Every option that there is, declared once. From here come the types of what a program may give, its check, the flags
 * and the help of `truefork serve`, the config file and docs/options.md. For an option more: an entry in one of the
 * files of `table/`, with its comment, and the code that uses it.
 */
import type { Kind } from './kind.js';
import type { Option, Taker } from './option.js';
import { isolation } from './table/isolation.js';
import { limits } from './table/limits.js';
import { listening } from './table/listening.js';
import { output } from './table/output.js';
import { privileges } from './table/privileges.js';
import { running } from './table/running.js';
import { serving } from './table/serving.js';

export type Table = typeof serving &
  typeof listening &
  typeof limits &
  typeof running &
  typeof privileges &
  typeof isolation &
  typeof output;

export const optionTable: Table = {
  ...serving,
  ...listening,
  ...limits,
  ...running,
  ...privileges,
  ...isolation,
  ...output,
};

export type OptionName = keyof Table;
export type LimitName = keyof typeof limits;

/** The names of the options that one of these takes. */
export type NamesOf<T extends Taker> = {
  [Name in OptionName]: T extends Table[Name]['takenBy'][number] ? Name : never;
}[OptionName];

type In<Entry> = Entry extends { kind: Kind<infer Value, infer _> } ? Value : never;

/** The entries as what a program may give for them. The comments in the table come along. */
type Given<Entries, Name extends keyof Entries> = { [N in Name]?: In<Entries[N]> };

/** What a program may give for these options. */
export type Options<Name extends OptionName> = Given<Table, Name>;

/** What a value is once it is checked, or completed by its default. */
export type CheckedValue<Name extends OptionName> =
  Table[Name]['kind'] extends Kind<infer _, infer Out>
    ? Out | (Table[Name] extends { default: unknown } ? never : undefined)
    : never;

export type Checked<T extends Taker> = { [Name in NamesOf<T>]: CheckedValue<Name> };

export const limitNames = Object.keys(limits) as LimitName[];

export function optionNames(taker?: Taker): OptionName[] {
  const names = Object.keys(optionTable) as OptionName[];
  return names.filter(name => taker === undefined || lookUp(name)!.takenBy.includes(taker));
}

export function lookUp(name: string): Option | undefined {
  return Object.hasOwn(optionTable, name) ? (optionTable[name as OptionName] as Option) : undefined;
}
