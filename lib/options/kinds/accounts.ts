/** Users, groups and permissions. */
import { badArgument } from '../../errors.js';
import { type Kind, show } from '../kind.js';
import type { Machine } from '../machine.js';

export function user(): Kind<number | string, number> {
  return account('user', (machine, name) => machine.userId(name));
}

export function group(): Kind<number | string, number> {
  return account('group', (machine, name) => machine.groupId(name));
}

function account(
  placeholder: string,
  find: (machine: Machine, name: string) => number | undefined,
): Kind<number | string, number> {
  return {
    placeholder,
    parse: given => (/^\d+$/.test(given) ? Number(given) : given),
    check(name, value, machine) {
      const id = typeof value === 'string' ? find(machine, value) : value;
      if (typeof id === 'number' && Number.isInteger(id) && id >= 0) return id;
      throw badArgument(`${name}: this machine has no ${placeholder} ${show(value)}`);
    },
    show: String,
  };
}

/** Permission bits: a number, or octal digits as in chmod(1). */
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
