/** The options of a server: what a program may give, and how it is checked and completed before anything is started. */
import { badArgument, misuse } from '../errors.js';
import type { Duration } from './kinds.js';
import { nearest } from './suggest.js';
import { mostChildren } from './system-limits.js';
import {
  type Checked,
  type CheckedValue,
  lookUp,
  type OptionName,
  optionNames,
  type Taker,
} from './table.js';

export interface ServerOptions {
  /** The handler script: a path, relative to the working directory, or a `file:` URL. */
  handler: string | URL;
  /** Whether to reload when a file that the handler was loaded from changes: the script, and what it imports. */
  watch?: boolean;
  /** Where the handler's standard output goes: this process's own (the default), or its standard error. */
  stdout?: 'inherit' | 'stderr';
  /**
   * Whom the serving processes become, for good, before the first client is served: a name or number. The server has to
   * be started as root, and the program that has it stays root. docs/privileges.md says what runs as whom.
   */
  user?: string | number;
  /** And in which group; the user's own by default. */
  group?: string | number;
  /** And in which supplementary groups; none by default. */
  groups?: readonly (string | number)[];
  /** The folder that becomes their root (chroot(2)) once the handler is loaded. Needs `user`. */
  chroot?: string;
  /** The folder that they work in once the handler is loaded; with `chroot` one inside, `/` by default. */
  workingDirectory?: string;
  /** Which permissions the files that they make do not get (umask(2)): a number, or octal digits. */
  umask?: string | number;
  /** Whether programs that they execute may have more privileges: setuid bits count. By default not with a `user`. */
  newPrivs?: boolean;
  /** How long those being served may finish once the server closes; 5 s by default. */
  gracePeriod?: Duration;
  /** How long children may then take to obey SIGTERM, before SIGKILL; 1 s by default. */
  killDelay?: Duration;
  /**
   * Whether to tell the service manager that the server is ready, stops, and lives (sd_notify(3)), where there is one:
   * `NOTIFY_SOCKET` says so. False by default, for the program may have more to do before it is ready; `truefork serve`
   * does it.
   */
  notify?: boolean;
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
  const { kind, default: byDefault } = lookUp(name)!;
  const completed = value ?? (typeof byDefault === 'function' ? byDefault() : byDefault);
  const checked = completed === undefined ? undefined : kind.check(label, completed);
  return checked as CheckedValue<Name>;
}

/** @throws `ERR_TRUEFORK_ARGUMENT` where there is none, and nothing could serve in its place. */
export function assertHandler(handler: URL | undefined): void {
  if (handler === undefined) throw badArgument('handler has to be the path or file: URL of a script');
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
