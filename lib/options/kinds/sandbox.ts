/** What untrusted code may reach. */
import path from 'node:path';
import { badArgument } from '../../errors.js';
import { type Kind, show } from '../kind.js';
import type { Machine } from '../machine.js';
import { integer } from './numbers.js';
import { type Size, size } from './quantities.js';

/** What of the network a child may use beyond its own connection. What is left out is refused. */
export interface SandboxNetwork {
  /** TCP ports that it may connect to, whatever the address. */
  connect?: readonly number[];
  /** TCP ports that it may listen on. */
  listen?: readonly number[];
  /** UDP, to and from everywhere: DNS needs it. */
  udp?: boolean;
  /** Unix sockets: to connect, by pathname. */
  unix?: boolean;
}

export interface Sandbox {
  /** Files and folders, with all beneath, that may be read, listed and executed; none by default. */
  read?: readonly string[];
  /** Files and folders, with all beneath, that may be read, written, made and removed; none by default. */
  write?: readonly string[];
  /** `'none'`, the default; `'all'`, no restriction; or what is allowed. */
  network?: 'none' | 'all' | SandboxNetwork;
  /** The longest file that it can write (RLIMIT_FSIZE). */
  maxFileSize?: Size;
  /** The most processes and threads of a child (RLIMIT_NPROC). Node itself has up to about ten threads. Needs `uids`. */
  maxProcesses?: number;
  /** A range of user IDs, as in `'100000-165535'`, which nothing else uses: each child gets one. Needs root. */
  uids?: string | { from: number; to: number };
  /** Serve with the parts that this system can enforce. By default all have to hold. */
  bestEffort?: boolean;
}

export interface CheckedSandbox {
  read: string[];
  write: string[];
  network: 'all' | Required<SandboxNetwork>;
  maxFileSize?: number;
  maxProcesses?: number;
  uids?: { from: number; to: number };
  bestEffort: boolean;
}

const lists = ['read', 'write'] as const;
const names = ['read', 'write', 'network', 'maxFileSize', 'maxProcesses', 'uids', 'bestEffort'];
const networkNames = ['connect', 'listen', 'udp', 'unix'];

export function sandbox(): Kind<boolean | Sandbox, CheckedSandbox | undefined> {
  return {
    placeholder: 'json|strict',
    parse(text) {
      if (text === 'strict') return true;
      try {
        return JSON.parse(text);
      } catch {
        return text;
      }
    },
    resolve(value, folder) {
      if (!isObject(value)) return value;
      const resolved: Record<string, unknown> = { ...value };
      for (const list of lists) {
        const paths = resolved[list];
        if (Array.isArray(paths))
          resolved[list] = paths.map(one => (typeof one === 'string' ? path.resolve(folder, one) : one));
      }
      return resolved;
    },
    check(name, value, machine) {
      if (value === false) return undefined;
      const given = value === true ? {} : value;
      if (!isObject(given))
        throw badArgument(
          `${name} has to be true, or say what is allowed, as in { read: ["/usr"], network: "none" }, on the command ` +
            `line as JSON; not ${show(value)}`,
        );
      assertKnown(name, given, names);
      const checked: CheckedSandbox = {
        read: paths(`${name}.read`, given.read, machine),
        write: paths(`${name}.write`, given.write, machine),
        network: network(`${name}.network`, given.network),
        bestEffort: bool(`${name}.bestEffort`, given.bestEffort),
      };
      const { maxFileSize, maxProcesses, uids } = given;
      if (maxFileSize !== undefined)
        checked.maxFileSize = size(0).check(`${name}.maxFileSize`, maxFileSize, machine);
      if (maxProcesses !== undefined)
        checked.maxProcesses = integer(1, 1_000_000).check(`${name}.maxProcesses`, maxProcesses, machine);
      if (uids !== undefined) checked.uids = range(`${name}.uids`, uids);
      return checked;
    },
    show: value => (value === true ? 'strict' : JSON.stringify(value)),
  };
}

function paths(name: string, value: unknown, machine: Machine): string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw badArgument(`${name} has to be a list of paths, not ${show(value)}`);
  return value.map(one => {
    if (typeof one !== 'string' || one === '' || one.includes('\0'))
      throw badArgument(`${name} has to be a list of paths, not of ${show(one)}`);
    const found = path.resolve(one);
    if (machine.fileType(found) === undefined) throw badArgument(`${name}: there is no ${one}`);
    return found;
  });
}

function network(name: string, value: unknown = 'none'): CheckedSandbox['network'] {
  if (value === 'all') return value;
  if (value === 'none') return { connect: [], listen: [], udp: false, unix: false };
  if (!isObject(value))
    throw badArgument(
      `${name} has to be "none", "all", or what is allowed, as in { connect: [443], udp: true }; not ${show(value)}`,
    );
  assertKnown(name, value, networkNames);
  return {
    connect: ports(`${name}.connect`, value.connect),
    listen: ports(`${name}.listen`, value.listen),
    udp: bool(`${name}.udp`, value.udp),
    unix: bool(`${name}.unix`, value.unix),
  };
}

function ports(name: string, value: unknown = []): number[] {
  const isPort = (one: unknown) => Number.isInteger(one) && (one as number) >= 0 && (one as number) <= 65_535;
  if (Array.isArray(value) && value.every(isPort)) return value;
  throw badArgument(`${name} has to be a list of ports, as in [80, 443], not ${show(value)}`);
}

/** The highest number is -1, no user (setresuid(2)). */
function range(name: string, value: unknown): { from: number; to: number } {
  const [, from, to] = (typeof value === 'string' && /^(\d+)-(\d+)$/.exec(value)) || [];
  const given = isObject(value) ? value : { from: Number(from), to: Number(to) };
  const isUser = (one: unknown) =>
    Number.isInteger(one) && (one as number) > 0 && (one as number) < 2 ** 32 - 1;
  if (isUser(given.from) && isUser(given.to) && (given.from as number) < (given.to as number))
    return { from: given.from as number, to: given.to as number };
  throw badArgument(
    `${name} has to be a range of user IDs above 0, as in "100000-165535", not ${show(value)}`,
  );
}

function bool(name: string, value: unknown = false): boolean {
  if (typeof value === 'boolean') return value;
  throw badArgument(`${name} has to be true or false, not ${show(value)}`);
}

function assertKnown(name: string, given: object, known: readonly string[]): void {
  const stray = Object.keys(given).find(key => !known.includes(key));
  if (stray !== undefined) throw badArgument(`${name} knows no ${stray}; it has ${known.join(', ')}`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
