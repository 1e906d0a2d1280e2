/** The kinds of values that options have: how each is typed on the command line, checked, and shown. */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { badArgument, misuse } from '../errors.js';

/** `In` is what a program gives, `Checked` what the server goes on with. */
export interface Kind<In, Checked = In> {
  /** What stands for the value in the help; a flag, which has none, has no such word. */
  readonly placeholder?: string;
  /** Whether the option may be given again and again, for a list. */
  readonly repeats?: true;
  /** What a text from the command line means. What it cannot be is left as it is, for `check` to name. */
  parse(text: string): unknown;
  /** For a path in a config file: it is relative to that file. */
  resolve?(value: unknown, folder: string): unknown;
  /** @throws an error that begins with `name` and says what the value has to be. */
  check(name: string, value: unknown): Checked;
  /** The value as one would type it. */
  show(value: In): string;
}

/** A time in milliseconds, or a text with its unit: `'500ms'`, `'5s'`, `'2m'`, `'1h'`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h'}`;

/** What a timer of Node's can hold, in milliseconds. */
const longestDelay = 2 ** 31 - 1;

export function integer(least: number, most: number): Kind<number> {
  return {
    placeholder: 'n',
    parse: text => (/^-?\d+$/.test(text) ? Number(text) : text),
    check(name, value) {
      if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most)
        throw badArgument(`${name} has to be a whole number from ${least} to ${most}, not ${show(value)}`);
      return value;
    },
    show: String,
  };
}

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds once checked. */
export function duration(least = 0, most = longestDelay): Kind<Duration, number> {
  return {
    placeholder: 'time',
    parse: text => text,
    check(name, value) {
      const [, count, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(String(value)) ?? [];
      const ms = unit === undefined ? value : Math.round(Number(count) * units[unit as keyof typeof units]);
      if (typeof ms === 'number' && ms >= least && ms <= most) return ms;
      throw badArgument(
        `${name} has to be a time from ${showDuration(least)} to ${showDuration(most)}, with its unit as in ` +
          `"500ms", "5s" or "2m", or in a program a number of milliseconds; not ${show(value)}`,
      );
    },
    show: value => showDuration(value),
  };
}

function showDuration(value: Duration): string {
  if (typeof value === 'string') return value;
  const unit = (['h', 'm', 's'] as const).find(name => value > 0 && value % units[name] === 0) ?? 'ms';
  return value === 0 ? '0s' : `${value / units[unit]}${unit}`;
}

export function choice<const Word extends string>(...words: Word[]): Kind<Word> {
  return {
    placeholder: words.join('|'),
    parse: text => text,
    check(name, value) {
      const word = words.find(candidate => candidate === value);
      const all = `${words.slice(0, -1).map(show).join(', ')} or ${show(words.at(-1))}`;
      if (word === undefined) throw badArgument(`${name} has to be ${all}, not ${show(value)}`);
      return word;
    },
    show: String,
  };
}

/** `what` says what the text is: "an address or name". */
export function text(placeholder: string, what: string): Kind<string> {
  return {
    placeholder,
    parse: given => given,
    check(name, value) {
      if (typeof value !== 'string' || value === '')
        throw badArgument(`${name} has to be ${what}, not ${show(value)}`);
      return value;
    },
    show: String,
  };
}

export function flag(): Kind<boolean> {
  return {
    parse: given => given,
    check(name, value) {
      if (typeof value !== 'boolean')
        throw badArgument(`${name} has to be true or false, not ${show(value)}`);
      return value;
    },
    show: String,
  };
}

export function handlerScript(): Kind<string | URL, URL> {
  return {
    placeholder: 'file',
    parse: given => given,
    resolve: (value, folder) =>
      typeof value === 'string' && !isUrl(value) ? path.resolve(folder, value) : value,
    check(name, value) {
      if (typeof value === 'function') {
        throw badArgument(
          `${name} has to be the path of a script: it runs in another process, where a function would not find ` +
            'the variables around it. Move it to a file and export it as default; or call fork() yourself (truefork run)',
        );
      }
      if (typeof value !== 'string' && !(value instanceof URL))
        throw badArgument(`${name} has to be the path or file: URL of a script, not ${show(value)}`);
      const given = String(value);
      if (isUrl(given) && !given.startsWith('file:'))
        throw badArgument(`${name} ${given} is not a file: URL`);
      const file = isUrl(given) ? fileURLToPath(given) : path.resolve(given);
      const found = fs.statSync(file, { throwIfNoEntry: false });
      if (!found?.isFile()) {
        const what = found === undefined ? 'there is no such file' : 'it is not a file';
        throw misuse('ERR_TRUEFORK_HANDLER', `${name} ${given}: ${what}`);
      }
      return pathToFileURL(file);
    },
    show: String,
  };
}

function isUrl(given: string): boolean {
  return /^[a-z][a-z0-9+.-]+:/i.test(given);
}

export function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
