/**
 * Replaces the parts of Node that would fail in a forked child. It has to run before any other code does, which could
 * keep the originals.
 */
import { native } from '../binding/native.js';
import { runAtFork } from './at-fork.js';
import { guardExitsOfChild, guardExitsOfZygotesChildren, prepareExits } from './exits.js';
import { makeRandomnessForkable, startNewGeneration } from './random.js';

let prepared = false;

/** Whether {@link prepareToFork} has been called. */
export function isPrepared(): boolean {
  return prepared;
}

export function prepareToFork(): void {
  if (prepared) return;
  prepared = true;
  prepareExits();
  makeRandomnessForkable();
  // --disable-sigusr1 makes Node block that signal. For the script it is unblocked, as in every program.
  const { sigprocmask, constants } = native.posix;
  sigprocmask(constants.SIG_UNBLOCK, [constants.SIGUSR1]);
  Object.defineProperty(process, 'pid', { configurable: true, enumerable: true, get: native.getpid });
}

/** Called first in a forked child. */
export function becomeChild(): void {
  startNewGeneration();
  guardExitsOfChild();
  runAtFork('afterInChild');
}

/** The same for all children of a zygote: it runs no more JavaScript itself, so this can be done once, before the forks. */
export function becomeZygote(): void {
  startNewGeneration();
  guardExitsOfZygotesChildren();
}
