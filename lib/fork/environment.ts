/** The environment that makes forks cheap. Only the start of the process needs it; the script does not see it. */
import { addonFile } from '../binding/native.js';
import { speedIsOn } from './speed.js';

type Environment = Record<string, string | undefined>;

/** Variables that such a process is started with, besides or instead of those that are meant for the script. */
export function environmentToForkIn(meant: Environment): Environment {
  const cheap: Environment = {
    // Symbols are resolved at the start, and not again in every child (ld.so(8)).
    LD_BIND_NOW: '1',
    // One malloc arena, not one for each thread (mallopt(3)): children have a single thread.
    MALLOC_ARENA_MAX: '1',
    // fork(2) copies the stack of every thread, though not the thread. Children start a thread pool of their own, of
    // the size that the user wants.
    UV_THREADPOOL_SIZE: '1',
  };
  // Keeps V8's heap in one place (native/speed/heap_placement.cc). ld.so takes no path with a space or colon here.
  if (addonFile !== undefined && speedIsOn('heap-placement') && !/[\s:]/.test(addonFile))
    cheap.LD_PRELOAD = meant.LD_PRELOAD ? `${meant.LD_PRELOAD}:${addonFile}` : addonFile;
  return cheap;
}

/** Those variables with the values that are meant for the script; null where it is to see none. JSON can carry them. */
export function environmentMeant(meant: Environment): Record<string, string | null> {
  return Object.fromEntries(Object.keys(environmentToForkIn(meant)).map(name => [name, meant[name] ?? null]));
}

/** In that process: the script, and the programs that it starts, see the environment that is meant for them. */
export function restoreEnvironment(meant: Record<string, string | null>): void {
  for (const [name, value] of Object.entries(meant)) {
    if (value === null) delete process.env[name];
    else process.env[name] = value;
  }
}
