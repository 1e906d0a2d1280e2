/** How options are checked and completed, before anything is started. */
import { badArgument } from '../errors.js';
import type { Machine } from './machine.js';
import type { Taker } from './option.js';
import { nearest } from './suggest.js';
import { type Checked, type CheckedValue, lookUp, type OptionName, optionNames } from './table.js';

const called: Record<Taker, string> = {
  fork: 'a ForkingServer',
  iterative: 'an IterativeServer',
  select: 'a SelectServer',
  listen: 'listen()',
  command: 'truefork serve',
};

/**
 * Checks what a program gave, and completes it with the defaults.
 *
 * @throws `ERR_TRUEFORK_ARGUMENT` for an unknown option or an impossible value; whatever else the kind of the option
 * throws.
 */
export function checkOptions<T extends Taker>(machine: Machine, taker: T, given: object): Checked<T> {
  if (typeof given !== 'object' || given === null)
    throw badArgument(
      `${called[taker]} takes an object of options, as in new ForkingServer({ handler: "./echo.js" })`,
    );
  for (const name of Object.keys(given)) assertTaken(name, [taker]);
  const checked: Record<string, unknown> = {};
  for (const name of optionNames(taker)) checked[name] = checkOption(machine, name, (given as Given)[name]);
  return checked as Checked<T>;
}

type Given = Partial<Record<OptionName, unknown>>;

/** @throws `ERR_TRUEFORK_ARGUMENT` where none of `takers` has this option; `label` is what the user calls it. */
export function assertTaken(name: string, takers: readonly Taker[], label = `"${name}"`): void {
  const option = lookUp(name);
  if (option?.takenBy.some(taker => takers.includes(taker))) return;
  const names = optionNames().filter(known => lookUp(known)!.takenBy.some(taker => takers.includes(taker)));
  if (option !== undefined) {
    const others = option.takenBy.map(taker => called[taker]).join(', ');
    throw badArgument(`${label} is no option of ${called[takers[0]!]}, but of ${others}`);
  }
  const meant = nearest(name, names);
  const all = names.join(', ');
  throw badArgument(
    `unknown option ${label}${meant === undefined ? `; there are ${all}` : `: did you mean ${meant}? There are ${all}`}`,
  );
}

/** The checked value, or its default; `label` is what the user calls it. */
export function checkOption<Name extends OptionName>(
  machine: Machine,
  name: Name,
  value: unknown,
  label: string = name,
): CheckedValue<Name> {
  const { kind, default: byDefault } = lookUp(name)!;
  const completed = value ?? (typeof byDefault === 'function' ? byDefault(machine) : byDefault);
  const checked = completed === undefined ? undefined : kind.check(label, completed, machine);
  return checked as CheckedValue<Name>;
}
