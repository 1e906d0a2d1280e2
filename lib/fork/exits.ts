/** Every way out of a child, led to `_exit(2)` with the code that Node would have given. */
import { native } from '../native.js';

/** What Node calls on its way out, and lets one replace. */
interface ProcessInternals {
  reallyExit(code?: number): never;
  _fatalException?(error: unknown, fromPromise: boolean): boolean;
}

let isChild = false;

export function guardExitsOfChild(): void {
  isChild = true;
}

export function prepareExits(): void {
  native.prepareExits({
    beforeExit: () => process.emit('beforeExit', Number(process.exitCode ?? 0)),
    exit: () => process.exit(),
  });

  const internals = process as unknown as ProcessInternals;
  const reallyExit = internals.reallyExit;
  internals.reallyExit = code => (isChild ? native.exitNow(code ?? 0) : reallyExit.call(process, code));

  // Node prints an exception that nobody caught and leaves by a C++ path, where the exit code cannot be read.
  const fatalException = internals._fatalException;
  internals._fatalException = (error, fromPromise) => {
    const caught = fatalException?.call(process, error, fromPromise) ?? false;
    if (!caught) native.setExitCode(Number(process.exitCode ?? 1));
    return caught;
  };
}
