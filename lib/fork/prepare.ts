/**
 * Makes this process one whose forked children live: before any code but ours has run, for what is replaced here must
 * not have been captured yet.
 */
import { native } from '../native.js';
import { runAtFork } from './at-fork.js';
import { guardExitsOfChild, prepareExits } from './exits.js';
import { makeRandomnessForkable, startNewGeneration } from './random.js';

export function prepareToFork(): void {
  prepareExits();
  makeRandomnessForkable();
  Object.defineProperty(process, 'pid', { configurable: true, enumerable: true, get: native.getpid });
}

/** First thing in a forked child. */
export function becomeChild(): void {
  startNewGeneration();
  guardExitsOfChild();
  runAtFork('afterInChild');
}
