/**
 * Makes this process one whose forked children live: before any code but ours has run, for what is replaced here must
 * not have been captured yet.
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
  // --disable-sigusr1 makes Node block that signal. The script shall find it as every program does.
  const { sigprocmask, constants } = native.posix;
  sigprocmask(constants.SIG_UNBLOCK, [constants.SIGUSR1]);
  Object.defineProperty(process, 'pid', { configurable: true, enumerable: true, get: native.getpid });
}

/** First thing in a forked child. */
export function becomeChild(): void {
  startNewGeneration();
  guardExitsOfChild();
  runAtFork('afterInChild');
}

/** The same for all children of a process that itself runs no more JavaScript: said once, and they find it said. */
export function becomeZygote(): void {
  startNewGeneration();
  guardExitsOfZygotesChildren();
}
