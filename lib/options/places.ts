/** What `listen()` takes. */
import { badArgument } from '../errors.js';
import { checkOptions } from './check.js';
import type { Machine } from './machine.js';
import type { Checked } from './table.js';

/** One place to listen at, checked and completed. */
export type Endpoint = Checked<'listen'>;

/** The most descriptors that one message can pass to the zygote (SCM_MAX_FD, unix(7)). */
const mostPlaces = 253;

/**
 * The forms of `net.Server.listen`: `(options)`, `(port, host, backlog)`, `(path, backlog)`, each with a callback or
 * without; and `([options, …])` for several places at once.
 */
export function checkListenArguments(machine: Machine, args: readonly unknown[]): Endpoint[] {
  const [first, second, third] = args.filter(arg => typeof arg !== 'function');
  if (Array.isArray(first)) {
    if (first.length === 0) throw badArgument('listen() got an empty list: where is the server to listen?');
    if (first.length > mostPlaces)
      throw badArgument(`listen() takes ${mostPlaces} places at most, and was given ${first.length}`);
    return first.map(each => checkEndpoint(machine, each));
  }
  if (typeof first === 'object' && first !== null) return [checkEndpoint(machine, first)];
  if (typeof first === 'string') return [checkEndpoint(machine, { path: first, backlog: second })];
  return [checkEndpoint(machine, { port: first, host: second, backlog: third })];
}

/** Options that only one kind of place has. */
export const ofTcp = ['ipv6Only', 'noDelay', 'keepAlive', 'keepAliveInitialDelay', 'deferAccept'] as const;
export const ofPaths = ['socketMode', 'socketUser', 'socketGroup'] as const;

function checkEndpoint(machine: Machine, given: object): Endpoint {
  const endpoint = checkOptions(machine, 'listen', given);
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
    throw badArgument(`${stray} cannot be set for fd: the program that made the socket sets it`);
  if (stray !== undefined)
    throw badArgument(`${stray} is for ${isUnix ? 'TCP' : 'a Unix socket, with path'}`);
  const noFile = ofPaths.find(isGiven);
  if (noFile !== undefined && (place === 'fd' || endpoint.path?.startsWith('\0')))
    throw badArgument(
      `${noFile} is for a path: every process of the machine may connect to an abstract name`,
    );
  return endpoint;
}
