/** Texts, choices and flags. */
import { badArgument } from '../../errors.js';
import { type Kind, show } from '../kind.js';

export function flag(): Kind<boolean> {
  return {
    parse: given => given,
    check(name, value) {
      if (typeof value === 'boolean') return value;
      throw badArgument(`${name} has to be true or false, not ${show(value)}`);
    },
    show: String,
  };
}

/** `what` says what the text is: "an address or name". */
export function text(placeholder: string, what: string): Kind<string> {
  return {
    placeholder,
    parse: given => given,
    check(name, value) {
      if (typeof value === 'string' && value !== '') return value;
      throw badArgument(`${name} has to be ${what}, not ${show(value)}`);
    },
    show: String,
  };
}

export function choice<const Word extends string>(...words: Word[]): Kind<Word> {
  return {
    placeholder: words.join('|'),
    parse: given => given,
    check(name, value) {
      const word = words.find(candidate => candidate === value);
      if (word !== undefined) return word;
      const all = `${words.slice(0, -1).map(show).join(', ')} or ${show(words.at(-1))}`;
      throw badArgument(`${name} has to be ${all}, not ${show(value)}`);
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
    check(name, value, machine) {
      if (typeof value === 'string' && Object.hasOwn(hints, value))
        throw badArgument(`${name} cannot be ${show(value)}: ${hints[value]}`);
      return kind.check(name, value, machine);
    },
  };
}

/** A program and its arguments. */
export function programWords(): Kind<readonly string[]> {
  return {
    placeholder: 'command',
    parse: splitCommand,
    check(name, value) {
      const isCommand =
        Array.isArray(value) &&
        value.length > 0 &&
        value.every(word => typeof word === 'string' && !word.includes('\0')) &&
        value[0] !== '';
      if (isCommand) return value;
      throw badArgument(
        `${name} has to be a program and its arguments, as in ["grep", "-i", "linux"], not ${JSON.stringify(value)}`,
      );
    },
    show: words => words.join(' '),
  };
}

/**
 * A command line as words. Where it has a character that a shell gives a meaning (quotes, variables, pipes, …), a shell
 * runs it: the rule of Perl's exec() and of make(1).
 */
function splitCommand(line: string): string[] {
  const needsShell = /[^\s\w@%+=:,./-]|^\s*\w+=/.test(line);
  return needsShell ? ['/bin/sh', '-c', line] : line.trim().split(/\s+/);
}

/** A list of values of one kind. */
export function list<In, Checked>(kind: Kind<In, Checked>): Kind<readonly In[], Checked[]> {
  return {
    ...(kind.placeholder === undefined ? {} : { placeholder: kind.placeholder }),
    repeats: true,
    parse: given => kind.parse(given),
    check(name, value, machine) {
      if (!Array.isArray(value)) throw badArgument(`${name} has to be a list, not ${show(value)}`);
      return value.map(each => kind.check(name, each, machine));
    },
    show: values => values.map(each => kind.show(each)).join(', '),
  };
}
