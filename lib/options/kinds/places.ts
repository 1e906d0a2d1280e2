/** Places to listen at, as one types them. */
import path from 'node:path';
import { badArgument } from '../../errors.js';
import { type Kind, show } from '../kind.js';
import type { Machine } from '../machine.js';
import type { Place } from '../place.js';

/** `sun_path` of unix(7), without the NUL that ends it. */
const longestPath = 107;

/** `--listen`, which may be given once for each place. */
export function places(): Kind<readonly string[], Place[]> {
  return {
    placeholder: 'place',
    repeats: true,
    parse: text => text,
    resolve: (value, folder) =>
      Array.isArray(value) ? value.map(text => (isPath(text) ? path.resolve(folder, text) : text)) : value,
    check(name, value, machine) {
      if (!Array.isArray(value) || value.length === 0)
        throw badArgument(`${name} has to be a list of places to listen at, not ${show(value)}`);
      return value.flatMap(text => parsePlace(name, text, machine));
    },
    show: texts => texts.join(' '),
  };
}

/** The path of a Unix socket. Typed, an abstract name begins with @; in a program with NUL, as in Node's own `net`. */
export function socketPath(): Kind<string> {
  return {
    placeholder: 'path',
    parse: text => text.replace(/^@/, '\0'),
    resolve: (value, folder) =>
      typeof value === 'string' && !value.startsWith('\0') ? path.resolve(folder, value) : value,
    check(name, value) {
      if (typeof value !== 'string' || value === '' || value === '\0' || value.indexOf('\0', 1) > 0)
        throw badArgument(`${name} has to be the path of a Unix socket, not ${show(value)}`);
      const size = Buffer.byteLength(value);
      if (size > longestPath)
        throw badArgument(`${name} has ${size} bytes: a Unix socket's may have ${longestPath} (unix(7))`);
      return value;
    },
    show: String,
  };
}

function isPath(text: unknown): boolean {
  return typeof text === 'string' && text.includes('/') && !text.startsWith('@');
}

function parsePlace(name: string, text: unknown, machine: Machine): Place[] {
  if (typeof text !== 'string')
    throw badArgument(`${name} has to be a list of texts; there is ${show(text)}`);
  if (text === 'systemd') return machine.passedSockets();
  if (text.startsWith('systemd:')) return machine.passedSockets(text.slice('systemd:'.length));
  if (/^fd:\d+$/.test(text)) return [{ fd: Number(text.slice('fd:'.length)) }];
  if (text.startsWith('@') && text.length > 1) return [{ path: `\0${text.slice(1)}` }];
  if (isPath(text)) return [{ path: text }];
  const [, host = '127.0.0.1', port] = /^(?:(\*|\[[^\]]+\]|[^\s:[\]]+):)?(\d{1,5})$/.exec(text) ?? [];
  if (port !== undefined && Number(port) <= 65535)
    return [{ host: host === '*' ? '::' : host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) }];
  throw badArgument(
    `${name}: ${show(text)} is no place to listen at: 7777, 10.0.0.1:80, [::1]:80, *:80, a path with a slash, ` +
      '@abstract-name, systemd, systemd:name and fd:3 are',
  );
}
