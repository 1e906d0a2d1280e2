/** The limits among the options of a forking server, and how they are changed while it runs. */
import { badArgument } from '../errors.js';
import { assertTaken, checkOption } from './check.js';
import type { CheckedLimits, NewLimits } from './interfaces.js';
import type { Machine } from './machine.js';
import { type LimitName, limitNames } from './table.js';

export function pickLimits(options: CheckedLimits): CheckedLimits {
  return Object.fromEntries(limitNames.map(name => [name, options[name]])) as CheckedLimits;
}

/**
 * The limits with some of them changed.
 *
 * @throws `ERR_TRUEFORK_ARGUMENT` for an unknown option, one that is no limit, or an impossible value.
 */
export function changeLimits(machine: Machine, limits: CheckedLimits, changes: NewLimits): CheckedLimits {
  const changed: Record<string, unknown> = { ...limits };
  for (const [name, value] of Object.entries(changes)) {
    assertLimit(name);
    if (value !== undefined) changed[name] = checkOption(machine, name, value);
  }
  return changed as CheckedLimits;
}

function assertLimit(name: string): asserts name is LimitName {
  assertTaken(name, ['fork']);
  if ((limitNames as readonly string[]).includes(name)) return;
  throw badArgument(`${name} cannot be changed while the server runs; these can: ${limitNames.join(', ')}`);
}
