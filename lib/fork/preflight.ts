/** Refuses a fork whose child would crash or hang, and says why. */

import { native } from '../binding/native.js';
import { misuse } from '../errors.js';

/** The flags without which forked children crash or hang (docs/fork-safety.md says why). */
export function requiredFlags(): string[] {
  const flags = ['--single-threaded', '--v8-pool-size=1'];
  // It saves a thread. Node 20 does not have this flag.
  if (process.allowedNodeEnvironmentFlags.has('--disable-sigusr1')) flags.push('--disable-sigusr1');
  return flags;
}

/** Flags that make the children of a zygote cheaper. They would live without. */
export const zygoteFlags = [
  // V8 schedules a garbage collection for 12 s after the last JavaScript ran here: every child would do it for itself.
  '--no-memory-reducer',
  // Functions that were compiled for the children stay compiled, though the zygote itself never runs them.
  '--no-flush-bytecode',
];

/**
 * Throws if this process must not be forked now.
 *
 * @throws `ERR_TRUEFORK_UNSAFE`, naming the flag, the inspector or the thread that is in the way.
 */
export function assertForkable(): void {
  assertStartedToFork();
  const thread = native.findUnsafeThread();
  if (thread !== '') throw unsafeThread(thread);
}

/** The part of that check that does not change while the process runs. */
export function assertStartedToFork(): void {
  const missing = requiredFlags().filter(flag => !process.execArgv.includes(flag));
  if (missing.length > 0) throw unsafe(`it was started without ${missing.join(' ')}`);
  const inspected = [...process.execArgv, ...(process.env.NODE_OPTIONS ?? '').split(/\s+/)].find(flag =>
    flag.startsWith('--inspect'),
  );
  if (inspected !== undefined) throw unsafe(`it is being debugged (${inspected})`);
}

export function unsafeThread(thread: string): Error {
  return unsafe(
    `it has a thread that is at work or not Node's own, ${thread}: let reads, look-ups and the like that are under ` +
      'way finish, and end Workers, profilers and add-on threads first',
  );
}

function unsafe(why: string): Error {
  return misuse('ERR_TRUEFORK_UNSAFE', `this process cannot be forked: ${why}`);
}
