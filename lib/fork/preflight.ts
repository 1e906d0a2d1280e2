/** Refuses a fork that could not end well, before it harms anything, and says why. */

import { native } from '../binding/native.js';
import { misuse } from '../errors.js';

/** What a process has to be started with for its forked children to live (docs/fork-safety.md says why). */
export function requiredFlags(): string[] {
  const flags = ['--single-threaded', '--v8-pool-size=1'];
  // Where there is this flag, it spares a thread. Node 20 has it not.
  if (process.allowedNodeEnvironmentFlags.has('--disable-sigusr1')) flags.push('--disable-sigusr1');
  return flags;
}

/** What makes children of a zygote cheaper, and is not needed for them to live. */
export const zygoteFlags = [
  // A garbage collection that the zygote owes would be paid by every child, 12 s after the last JavaScript ran here.
  '--no-memory-reducer',
  // What was compiled for the children stays, though the zygote itself never runs it.
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

/** The same, of what does not change from one moment to the next. */
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
