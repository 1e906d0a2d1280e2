/** fork() itself. */

import { assertAvailable, native } from '../binding/native.js';
import { badArgument, misuse } from '../errors.js';
import { runAtFork } from '../fork/at-fork.js';
import { assertStartedToFork, unsafeThread } from '../fork/preflight.js';
import { becomeChild, isPrepared } from '../fork/prepare.js';

/** How many processes one script may have at once, and how many generations deep. */
export interface ForkFuse {
  /** Live descendants, of all generations. 512 by default, 65536 at most. */
  descendants?: number;
  /** How deep: children are the first generation. 8 by default. */
  generations?: number;
}

const mostPlaces = 65536; // native/fork/fuse.cc, kMostPlaces

const fuse = {
  descendants: fromEnvironment('TRUEFORK_MAX_DESCENDANTS', 512, mostPlaces),
  generations: fromEnvironment('TRUEFORK_MAX_GENERATIONS', 8, 2 ** 31),
};

function fromEnvironment(name: string, otherwise: number, most: number): number {
  const text = process.env[name];
  return text === undefined ? otherwise : checked(/^\d+$/.test(text) ? Number(text) : text, name, most);
}

function checked(value: unknown, name: string, most: number): number {
  if (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= most) return value as number;
  throw badArgument(`${name} must be a whole number from 1 to ${most}, not ${String(value)}`);
}

/**
 * Sets the fork fuse, which keeps a mistake around fork() from locking the machine. `TRUEFORK_MAX_DESCENDANTS` and
 * `TRUEFORK_MAX_GENERATIONS` in the environment set it from outside.
 *
 * @throws `ERR_TRUEFORK_ARGUMENT` where a number is out of range.
 */
export function setForkFuse({ descendants, generations }: ForkFuse): void {
  if (descendants !== undefined) fuse.descendants = checked(descendants, 'descendants', mostPlaces);
  if (generations !== undefined) fuse.generations = checked(generations, 'generations', 2 ** 31);
}

/**
 * Makes a copy of this process. It returns twice: the child's process ID in the parent, 0 in the child.
 *
 * The child has a copy of all memory, the descriptors, the signal handlers and the event loop with its timers; handles
 * that the parent has open are open in both. It ends as any Node process does.
 *
 * Call it from the top level of a script, from a timer or from setImmediate.
 *
 * @returns The child's process ID in the parent; 0 in the child.
 * @throws `ERR_TRUEFORK_UNSAFE` in a process that was not started for it, is being debugged, or has threads that would
 * be missing in the child; `ERR_TRUEFORK_FUSE` when the script has too many processes; `EAGAIN` when the user has
 * (RLIMIT_NPROC); `ENOMEM`.
 * @see fork(2), POSIX.1-2017 fork()
 */
export function fork(): number {
  assertAvailable();
  if (!isPrepared()) {
    throw misuse(
      'ERR_TRUEFORK_UNSAFE',
      'fork: a child of this process would crash, for Node was not started for it. Start the script by ' +
        "`truefork run script.js`, or make `import 'truefork/auto';` its first line",
    );
  }
  runAtFork('before');
  let pid: number | string;
  try {
    assertStartedToFork();
    pid = native.posix.fork(fuse.descendants, fuse.generations);
    if (typeof pid === 'string') throw unsafeThread(pid);
  } catch (error) {
    runAtFork('afterInParent');
    throw error;
  }
  if (pid === 0) becomeChild();
  else runAtFork('afterInParent');
  return pid;
}
