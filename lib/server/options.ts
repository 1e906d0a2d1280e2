/** The options of a server: checked and completed before anything is started. */
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { badArgument, misuse } from '../errors.js';
import { defaultMaxChildren, mostChildren } from './limits.js';

export interface ServerOptions {
  /** The handler script: a path, relative to the working directory, or a `file:` URL. */
  handler: string | URL;
  /** Where the handler's standard output goes: this process's own (the default), or its standard error. */
  stdout?: 'inherit' | 'stderr';
  /** How long those being served may finish once the server closes, in milliseconds; 5000 by default. */
  gracePeriod?: number;
  /** How long children may then take to obey SIGTERM, before SIGKILL, in milliseconds; 1000 by default. */
  killDelay?: number;
}

export interface CheckedOptions extends Required<Omit<ServerOptions, 'handler'>> {
  handler: URL;
  /** The most children, or connections, at once. */
  most: number;
  /** In a forking server, whether children wait for a debugger. */
  inspectChild?: boolean;
}

/** Where to listen: as `net.Server.listen`. */
export interface ListenOptions {
  /** 0, the default, lets the system choose one. */
  port?: number;
  /** A local address or name; by default all addresses, IPv6 and IPv4. */
  host?: string;
  /** How many clients may wait to be accepted; 511 by default. The system may allow less (`net.core.somaxconn`). */
  backlog?: number;
  /** With an IPv6 address: whether IPv4 clients are kept out. */
  ipv6Only?: boolean;
}

const longestDelay = 2 ** 31 - 1; // what a timer can hold

/** The options that all servers share; `more` names those that the one at hand knows beside them. */
export function checkOptions(
  options: ServerOptions,
  more: readonly string[],
): Omit<CheckedOptions, 'most' | 'inspectChild'> {
  if (typeof options !== 'object' || options === null)
    throw badArgument(
      'a server takes an object of options, as in new ForkingServer({ handler: "./echo.js" })',
    );
  const known = ['handler', ...more, 'stdout', 'gracePeriod', 'killDelay'];
  for (const name of Object.keys(options))
    if (!known.includes(name)) throw badArgument(`unknown option "${name}": there are ${known.join(', ')}`);
  const { stdout = 'inherit', gracePeriod = 5000, killDelay = 1000 } = options;
  if (stdout !== 'inherit' && stdout !== 'stderr')
    throw badArgument(`stdout is "inherit" or "stderr", not ${show(stdout)}`);
  return {
    handler: checkHandler(options.handler),
    stdout,
    gracePeriod: checkInteger('gracePeriod', gracePeriod, 0, longestDelay),
    killDelay: checkInteger('killDelay', killDelay, 0, longestDelay),
  };
}

function checkHandler(handler: string | URL): URL {
  if (typeof handler === 'function') {
    throw badArgument(
      'handler has to be the path of a script: it runs in another process, where a function would not find the ' +
        'variables around it. Move it to a file and export it as default; or call fork() yourself (truefork run)',
    );
  }
  if (typeof handler !== 'string' && !(handler instanceof URL))
    throw badArgument(`handler has to be the path or file: URL of a script, not ${show(handler)}`);
  const text = String(handler);
  if (/^(?!file:)[a-z][a-z0-9+.-]+:/i.test(text)) throw badArgument(`handler ${text} is not a file: URL`);
  const file = text.startsWith('file:') ? fileURLToPath(text) : path.resolve(text);
  const found = fs.statSync(file, { throwIfNoEntry: false });
  if (!found?.isFile()) {
    const what = found === undefined ? 'there is no such file' : 'it is not a file';
    throw misuse('ERR_TRUEFORK_HANDLER', `handler ${text}: ${what}`);
  }
  return pathToFileURL(file);
}

export function checkMaxChildren(wanted: number | undefined): number {
  const most = mostChildren();
  if (wanted === undefined) return Math.min(defaultMaxChildren, most);
  checkInteger('maxChildren', wanted, 1, 1_000_000);
  if (wanted > most) {
    throw misuse(
      'ERR_TRUEFORK_LIMIT',
      `maxChildren ${wanted} is more than this user may start: ${most} processes, with some kept for a shell. ` +
        'Lower it, or raise the limit (ulimit -u, or pids.max of the container)',
    );
  }
  return wanted;
}

export type CheckedListenOptions = Required<ListenOptions>;

/** The forms of `net.Server.listen`: `(options)`, `(port, host, backlog)`, each with a callback or without. */
export function checkListenArguments(args: readonly unknown[]): CheckedListenOptions {
  const given = args.filter(arg => typeof arg !== 'function');
  const options: ListenOptions =
    typeof given[0] === 'object' && given[0] !== null
      ? given[0]
      : ({ port: given[0], host: given[1], backlog: given[2] } as ListenOptions);
  const { port = 0, host = '::', backlog = 511, ipv6Only = false } = options;
  if (typeof host !== 'string' || host === '')
    throw badArgument(`host has to be an address or name, not ${show(host)}`);
  return {
    port: checkInteger('port', port, 0, 65535),
    host,
    backlog: checkInteger('backlog', backlog, 1, 2 ** 31 - 1),
    ipv6Only,
  };
}

export function checkInteger(name: string, value: unknown, least: number, most: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most)
    throw badArgument(`${name} has to be a whole number from ${least} to ${most}, not ${show(value)}`);
  return value;
}

/** Whether `host` needs no look-up. */
export function isAddress(host: string): boolean {
  return net.isIP(host.replace(/%.*$/, '')) !== 0;
}

function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
