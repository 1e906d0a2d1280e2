/** The environment that a process starts in whose forks are to be cheap; for its start alone, not for the script. */
import { addonFile } from '../binding/native.js';
import { speedIsOn } from './speed.js';

type Environment = Record<string, string | undefined>;

/** What a process that will fork gets, over the environment that is meant for it. */
export function environmentToForkIn(meant: Environment): Environment {
  const cheap: Environment = {
    // Symbols resolved at the start are not resolved again in every child (ld.so(8)).
    LD_BIND_NOW: '1',
    // One heap of malloc's, not one for each thread (mallopt(3)): children have no other threads.
    MALLOC_ARENA_MAX: '1',
    // The stack of every thread is copied, though its thread is not. Children start a pool of their own, of the size
    // that the user wants.
    UV_THREADPOOL_SIZE: '1',
  };
  // native/speed/heap_placement.cc puts V8's heap in one place. ld.so separates names by spaces and colons.
  if (addonFile !== undefined && speedIsOn('heap-placement') && !/[\s:]/.test(addonFile))
    cheap.LD_PRELOAD = meant.LD_PRELOAD ? `${meant.LD_PRELOAD}:${addonFile}` : addonFile;
  return cheap;
}

/** Of the variables that differ for its start, those that are meant for it: JSON can carry them. */
export function environmentMeant(meant: Environment): Record<string, string | null> {
  return Object.fromEntries(Object.keys(environmentToForkIn(meant)).map(name => [name, meant[name] ?? null]));
}

/** In that process: gives the script, and what it starts, the environment that is meant for them. */
export function restoreEnvironment(meant: Record<string, string | null>): void {
  for (const [name, value] of Object.entries(meant)) {
    if (value === null) delete process.env[name];
    else process.env[name] = value;
  }
}
