/** Where `truefork serve` listens, by all the flags for it. */
import type { ListenOptions } from '../options/interfaces.js';
import { checkListenArguments, ofPaths, ofTcp } from '../options/places.js';
import { thisMachine } from '../owner/machine.js';
import { flagName, type GivenOptions } from './options.js';
import { asUsage, UsageError } from './usage.js';

const single = ['port', 'host', 'path', 'fd'] as const;

/** Each place, with the options for such places that were given for all of them. */
export function placesToListen(given: GivenOptions): ListenOptions[] {
  const places = placesAlone(given);
  const isPath = ({ path }: ListenOptions) => path !== undefined && !path.startsWith('\0');
  const isTcp = ({ port }: ListenOptions) => port !== undefined;
  share(given, ['backlog'], places);
  share(given, ofPaths, places.filter(isPath), 'a Unix socket with a path');
  share(given, ofTcp, places.filter(isTcp), 'TCP');
  asUsage(() => checkListenArguments(thisMachine, [places]));
  return places;
}

function placesAlone(given: GivenOptions): ListenOptions[] {
  const listed = given.value('listen');
  const others = single.filter(name => given.has(name)).map(name => `--${flagName(name)}`);
  if (listed !== undefined && others.length > 0)
    throw new UsageError(
      `--listen says where to listen, and so does ${others.join(' and ')}: use one of them`,
    );
  if (listed !== undefined) return listed;
  if (!given.has('path') && !given.has('fd')) return [pick(given, ['port', 'host'])];
  return [
    pick(
      given,
      single.filter(name => given.has(name)),
    ),
  ];
}

function pick(given: GivenOptions, names: readonly (keyof ListenOptions)[]): ListenOptions {
  return Object.fromEntries(names.map(name => [name, given.value(name)]));
}

function share(
  given: GivenOptions,
  names: readonly (keyof ListenOptions)[],
  places: readonly ListenOptions[],
  kind = 'any',
): void {
  for (const name of names.filter(name => given.has(name))) {
    if (places.length === 0)
      throw new UsageError(`--${flagName(name)} is for ${kind}, and there is none to listen on`);
    for (const place of places) Object.assign(place, { [name]: given.value(name) });
  }
}
