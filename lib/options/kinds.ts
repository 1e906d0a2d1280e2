/** The kinds of values that options have: how each is typed on the command line, checked, and shown. */
import fs from 'node:fs';
import net from 'node:net';
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

/** How many children are forked ahead: always so many, or as many as were needed lately. */
export type SpareCount = number | { min?: number; max: number };

export function spareCount(most: number): Kind<SpareCount, { min: number; max: number }> {
  return {
    placeholder: 'n|min-max',
    parse(text) {
      const [, min, max] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? [];
      if (min === undefined) return text;
      return max === undefined ? Number(min) : { min: Number(min), max: Number(max) };
    },
    check(name, value) {
      const { min = 0, max } =
        typeof value === 'object' && value !== null
          ? (value as { min?: unknown; max?: unknown })
          : { min: value, max: value };
      const isCount = (count: unknown): count is number =>
        typeof count === 'number' && Number.isInteger(count) && count >= 0 && count <= most;
      if (isCount(min) && isCount(max) && min <= max) return { min, max };
      throw badArgument(
        `${name} has to be a number from 0 to ${most}, or two as in { min: 2, max: 16 }, on the command line "2-16"; not ${show(value)}`,
      );
    },
    show: value => (typeof value === 'number' ? String(value) : `${value.min ?? 0}-${value.max}`),
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

/** A number of bytes, or a text with its unit: `'512K'`, `'256M'`, `'1G'`, in powers of 1024. */
export type Size = number | `${number}${'K' | 'M' | 'G'}`;

const sizeUnits = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

/** Bytes once checked. */
export function size(least: number, most = 2 ** 50): Kind<Size, number> {
  return {
    placeholder: 'size',
    parse: text => (/^\d+$/.test(text) ? Number(text) : text),
    check(name, value) {
      const [, count, unit] = /^(\d+(?:\.\d+)?)([KMG])$/.exec(String(value)) ?? [];
      const bytes =
        unit === undefined ? value : Math.round(Number(count) * sizeUnits[unit as keyof typeof sizeUnits]);
      if (typeof bytes === 'number' && Number.isInteger(bytes) && bytes >= least && bytes <= most)
        return bytes;
      throw badArgument(
        `${name} has to be a size of at least ${showSize(least)}: a number of bytes, or with its unit as in "512K", ` +
          `"256M" or "1G"; not ${show(value)}`,
      );
    },
    show: showSize,
  };
}

function showSize(value: Size): string {
  if (typeof value === 'string') return value;
  const unit = (['G', 'M', 'K'] as const).find(name => value > 0 && value % sizeUnits[name] === 0);
  return unit === undefined ? String(value) : `${value / sizeUnits[unit]}${unit}`;
}

/** So many a second. */
export function rate(least: number, most: number): Kind<number> {
  return {
    placeholder: 'n',
    parse: text => (/^\d+(\.\d+)?$/.test(text) ? Number(text) : text),
    check(name, value) {
      if (typeof value !== 'number' || !(value >= least && value <= most))
        throw badArgument(
          `${name} has to be a number a second, from ${least} to ${most}, not ${show(value)}`,
        );
      return value;
    },
    show: String,
  };
}

/**
 * How a client is turned away: with a clean end, said something first (`'refuse:too many of you\n'`, or bytes), or with
 * a reset.
 */
export type Policy = 'refuse' | `refuse:${string}` | 'reset' | Uint8Array;

/** The limits of the whole server can also let clients wait in the backlog. */
export type GlobalPolicy = Policy | 'queue';

/** What a socket's empty send buffer surely takes. */
const longestRefusal = 4096;

export function policy(): Kind<Policy> {
  return policyOf<Policy>('refuse|refuse:text|reset', '');
}

export function globalPolicy(): Kind<GlobalPolicy> {
  return policyOf<GlobalPolicy>('queue|refuse|refuse:text|reset', '"queue", ');
}

function policyOf<Allowed extends GlobalPolicy>(placeholder: string, queue: string): Kind<Allowed> {
  return {
    placeholder,
    parse: unescaped,
    check(name, value) {
      const isWord = value === 'reset' || value === 'refuse' || (value === 'queue' && queue !== '');
      const isText = typeof value === 'string' && value.startsWith('refuse:');
      if (isWord) return value as Allowed;
      if (!isText && !(value instanceof Uint8Array)) {
        throw badArgument(
          `${name} has to be ${queue}"refuse", "refuse:" and what the client is told, or "reset"; not ${show(value)}`,
        );
      }
      if (Buffer.byteLength(value) > longestRefusal)
        throw badArgument(`${name}: what a client is told has at most ${longestRefusal} bytes`);
      return value as Allowed;
    },
    show: value => (typeof value === 'string' ? value : 'refuse:…'),
  };
}

/** On the command line a line's end is written as in a string: `refuse:too many\\r\\n`. */
function unescaped(text: string): string {
  const characters: Record<string, string> = { n: '\n', r: '\r', t: '\t', '\\': '\\' };
  return text.replaceAll(/\\([nrt\\])/g, (_, letter: string) => characters[letter]!);
}

/** A list of addresses and networks. */
export function addresses(): Kind<readonly string[]> {
  return {
    placeholder: 'cidr',
    repeats: true,
    parse: text => text,
    check(name, value) {
      if (!Array.isArray(value))
        throw badArgument(
          `${name} has to be a list of addresses, as in ["10.0.0.0/8", "::1"], not ${show(value)}`,
        );
      for (const cidr of value) checkCidr(name, cidr);
      return value;
    },
    show: value => value.join(', '),
  };
}

function checkCidr(name: string, cidr: unknown): void {
  const [address = '', bits, rest] = String(cidr).split('/');
  try {
    if (rest !== undefined || address.includes('%')) throw new Error('not a CIDR');
    const family = net.isIPv6(address) ? 'ipv6' : 'ipv4';
    const list = new net.BlockList();
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, /^\d+$/.test(bits) ? Number(bits) : Number.NaN, family);
    // An IPv4 network written as IPv6 is one; a bigger one would be neither.
    if (family === 'ipv6' && isMapped(address) && Number(bits ?? 128) < 96)
      throw new Error('not of one family');
  } catch {
    throw badArgument(
      `${name}: ${show(cidr)} is no address, or network as in "10.0.0.0/8" or "2001:db8::/32"`,
    );
  }
}

function isMapped(address: string): boolean {
  const mapped = new net.BlockList();
  mapped.addSubnet('::ffff:0:0', 96, 'ipv6');
  return mapped.check(address, 'ipv6');
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

/** The same kind, whose error for one of these words says what to do instead. */
export function withHint<In, Checked>(
  kind: Kind<In, Checked>,
  hints: Record<string, string>,
): Kind<In, Checked> {
  return {
    ...kind,
    check(name, value) {
      if (typeof value === 'string' && Object.hasOwn(hints, value))
        throw badArgument(`${name} cannot be ${show(value)}: ${hints[value]}`);
      return kind.check(name, value);
    },
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

/** Permission bits: a number, or octal digits as chmod(1) has them. */
export function permissions(): Kind<number | string, number> {
  return {
    placeholder: 'mode',
    parse: given => given,
    check(name, value) {
      const bits =
        typeof value === 'string' && /^[0-7]{3,4}$/.test(value) ? Number.parseInt(value, 8) : value;
      if (typeof bits === 'number' && Number.isInteger(bits) && bits >= 0 && bits <= 0o777) return bits;
      throw badArgument(`${name} has to be permission bits in octal, as in "660", not ${show(value)}`);
    },
    show: value => (typeof value === 'number' ? value.toString(8) : value),
  };
}

/** A user or group: a number, or a name that `find` knows the number of. */
export function account(
  placeholder: string,
  find: (name: string) => number | undefined,
): Kind<number | string, number> {
  return {
    placeholder,
    parse: given => (/^\d+$/.test(given) ? Number(given) : given),
    check(name, value) {
      const id = typeof value === 'string' ? find(value) : value;
      if (typeof id === 'number' && Number.isInteger(id) && id >= 0) return id;
      throw badArgument(`${name}: this machine has no ${placeholder} ${show(value)}`);
    },
    show: String,
  };
}

/** A folder, which has to be there unless it is to be looked for later, inside another root. */
export function folder({ exists }: { exists: boolean }): Kind<string> {
  return {
    placeholder: 'folder',
    parse: given => given,
    resolve: (value, from) => (typeof value === 'string' ? path.resolve(from, value) : value),
    check(name, value) {
      if (typeof value !== 'string' || value === '' || value.includes('\0'))
        throw badArgument(`${name} has to be the path of a folder, not ${show(value)}`);
      if (exists && !fs.statSync(value, { throwIfNoEntry: false })?.isDirectory())
        throw badArgument(`${name} ${value}: there is no such folder`);
      return path.resolve(value);
    },
    show: String,
  };
}

/** Several, one after the other. */
export function list<In, Checked>(kind: Kind<In, Checked>): Kind<readonly In[], Checked[]> {
  return {
    ...(kind.placeholder === undefined ? {} : { placeholder: kind.placeholder }),
    repeats: true,
    parse: given => kind.parse(given),
    check(name, value) {
      if (!Array.isArray(value)) throw badArgument(`${name} has to be a list, not ${show(value)}`);
      return value.map(each => kind.check(name, each));
    },
    show: values => values.map(each => kind.show(each)).join(', '),
  };
}

function isUrl(given: string): boolean {
  return /^[a-z][a-z0-9+.-]+:/i.test(given);
}

export function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
