/** What `listen()` takes. */
import { badArgument } from '../errors.js';
import { checkOptions } from './check.js';
import type { Duration } from './kinds.js';
import type { Checked } from './table.js';

/** Where to listen, and how: as `net.Server.listen`, and more. `host` and `port`, or `path`, or `fd`. */
export interface ListenOptions {
  /** 0, the default, lets the system choose one. */
  port?: number;
  /** A local address or name; by default all addresses, IPv6 and IPv4. */
  host?: string;
  /**
   * A Unix socket: a path of at most 107 bytes, or an abstract name, which begins with `\0`. What a dead server has
   * left on the path makes room; a live server's socket is `EADDRINUSE`. The path is removed when the server closes.
   */
  path?: string;
  /** A stream socket that this process has been given, bound already: `listenFds()` tells those of a service manager. */
  fd?: number;
  /**
   * How many clients may wait to be accepted; 511 by default, or what the system allows (`net.core.somaxconn`). More
   * than that is cut, with a `warning`.
   */
  backlog?: number;
  /** With an IPv6 address: whether IPv4 clients are kept out. */
  ipv6Only?: boolean;
  /**
   * Permission bits of the Unix socket's path, a number or octal digits: those who may write may connect. By default
   * the umask decides.
   */
  socketMode?: number | string;
  /** Who owns the path, a number or a name; by default this process's own user. */
  socketUser?: number | string;
  /** Whose group owns the path. */
  socketGroup?: number | string;
  /** As in `net.createServer`: what is written is sent at once (TCP_NODELAY of tcp(7)). */
  noDelay?: boolean;
  /** As in `net.createServer`: a client that is gone without a word is noticed (SO_KEEPALIVE of socket(7)). */
  keepAlive?: boolean;
  /** How long a silence before the first probe, in whole seconds; 0, the default: as the system has it. */
  keepAliveInitialDelay?: Duration;
  /**
   * How long, in whole seconds, a client may take to say something before anybody is woken to serve it
   * (TCP_DEFER_ACCEPT of tcp(7)); 0, the default: it is served at once. Only where clients speak first.
   */
  deferAccept?: Duration;
}

/** One place to listen at, checked and completed. */
export type Endpoint = Checked<'listen'>;

/** As many descriptors as go to another process at once (SCM_MAX_FD, unix(7)). */
const mostPlaces = 253;

/**
 * The forms of `net.Server.listen`: `(options)`, `(port, host, backlog)`, `(path, backlog)`, each with a callback or
 * without; and `([options, …])` for several places at once.
 */
export function checkListenArguments(args: readonly unknown[]): Endpoint[] {
  const [first, second, third] = args.filter(arg => typeof arg !== 'function');
  if (Array.isArray(first)) {
    if (first.length === 0) throw badArgument('listen() got an empty list: where is the server to listen?');
    if (first.length > mostPlaces)
      throw badArgument(`listen() takes ${mostPlaces} places at most, and was given ${first.length}`);
    return first.map(checkEndpoint);
  }
  if (typeof first === 'object' && first !== null) return [checkEndpoint(first)];
  if (typeof first === 'string') return [checkEndpoint({ path: first, backlog: second })];
  return [checkEndpoint({ port: first, host: second, backlog: third })];
}

/** Options that make sense for one kind of place alone. */
export const ofTcp = ['ipv6Only', 'noDelay', 'keepAlive', 'keepAliveInitialDelay', 'deferAccept'] as const;
export const ofPaths = ['socketMode', 'socketUser', 'socketGroup'] as const;

function checkEndpoint(given: object): Endpoint {
  const endpoint = checkOptions('listen', given);
  const isGiven = (name: string) => (given as Record<string, unknown>)[name] !== undefined;
  const places = ['port', 'path', 'fd'].filter(isGiven);
  if (isGiven('host') && !places.includes('port')) places.push('host');
  if (places.length > 1)
    throw badArgument(`listen() takes one place at a time, and was given ${places.join(' and ')}`);
  const [place] = places;
  const isUnix = endpoint.path !== undefined;
  const stray =
    isUnix || place === 'fd' ? ofTcp.find(name => isGiven(name) && endpoint[name]) : ofPaths.find(isGiven);
  if (stray !== undefined && place === 'fd')
    throw badArgument(`${stray} cannot be set for fd: whoever has made the socket sets it`);
  if (stray !== undefined)
    throw badArgument(`${stray} is for ${isUnix ? 'TCP' : 'a Unix socket, with path'}`);
  const noFile = ofPaths.find(isGiven);
  if (noFile !== undefined && (place === 'fd' || endpoint.path?.startsWith('\0')))
    throw badArgument(`${noFile} is for a path: anybody on the machine may connect to an abstract name`);
  return endpoint;
}
