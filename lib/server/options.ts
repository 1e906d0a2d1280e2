/** The options of a server: what a program may give, and how it is checked and completed before anything is started. */
import net from 'node:net';
import { badArgument, misuse } from '../errors.js';
import { mostChildren } from './limits.js';
import type { Duration } from './option-kinds.js';
import {
  type Checked,
  type CheckedValue,
  lookUp,
  type OptionName,
  optionNames,
  type Taker,
} from './option-table.js';
import { nearest } from './suggest.js';

export interface ServerOptions {
  /** The handler script: a path, relative to the working directory, or a `file:` URL. */
  handler: string | URL;
  /** Where the handler's standard output goes: this process's own (the default), or its standard error. */
  stdout?: 'inherit' | 'stderr';
  /** How long those being served may finish once the server closes; 5 s by default. */
  gracePeriod?: Duration;
  /** How long children may then take to obey SIGTERM, before SIGKILL; 1 s by default. */
  killDelay?: Duration;
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
 * @throws `ERR_TRUEFORK_ARGUMENT` for an option that there is not, or a value that cannot be; what the kind of the
 * option throws beside.
 */
export function checkOptions<T extends Taker>(taker: T, given: object): Checked<T> {
  if (typeof given !== 'object' || given === null)
    throw badArgument(
      `${called[taker]} takes an object of options, as in new ForkingServer({ handler: "./echo.js" })`,
    );
  for (const name of Object.keys(given)) assertTaken(name, [taker]);
  const checked: Record<string, unknown> = {};
  for (const name of optionNames(taker)) checked[name] = checkOption(name, (given as Given)[name]);
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
  name: Name,
  value: unknown,
  label: string = name,
): CheckedValue<Name> {
  const { kind, required, default: byDefault } = lookUp(name)!;
  const completed = value ?? (typeof byDefault === 'function' ? byDefault() : byDefault);
  const checked = completed === undefined && !required ? undefined : kind.check(label, completed);
  return checked as CheckedValue<Name>;
}

/** @throws `ERR_TRUEFORK_LIMIT` for more than the user may start. */
export function assertAllowed(maxChildren: number): void {
  const most = mostChildren();
  if (maxChildren <= most) return;
  throw misuse(
    'ERR_TRUEFORK_LIMIT',
    `maxChildren ${maxChildren} is more than this user may start: ${most} processes, with some kept for a shell. ` +
      'Lower it, or raise the limit (ulimit -u, or pids.max of the container)',
  );
}

/** The forms of `net.Server.listen`: `(options)`, `(port, host, backlog)`, each with a callback or without. */
export function checkListenArguments(args: readonly unknown[]): Checked<'listen'> {
  const [first, host, backlog] = args.filter(arg => typeof arg !== 'function');
  return checkOptions(
    'listen',
    typeof first === 'object' && first !== null ? first : { port: first, host, backlog },
  );
}

/** Whether `host` needs no look-up. */
export function isAddress(host: string): boolean {
  return net.isIP(host.replace(/%.*$/, '')) !== 0;
}
