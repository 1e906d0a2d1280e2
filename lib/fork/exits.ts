/** Every exit of a child ends in `_exit(2)`, with the exit code that Node would have used. */
import v8 from 'node:v8';
import { native } from '../binding/native.js';

/**
 * The global `process` is a getter, and each use of it would write to memory that the child shares. Importing `node:process`
 * would read every property of it, `process.stdin` too, and so open a stream that the script did not ask for.
 */
const { process } = globalThis;

/** Functions that Node calls as it exits, and that can be replaced. */
interface ProcessInternals {
  _exiting?: boolean;
  readonly _events: Partial<Record<string, unknown>>;
  reallyExit(code?: number): never;
  _fatalException?(error: unknown, fromPromise: boolean): boolean;
}

let isChild = false;
let isOfZygote = false;
let exitIsEmitted = false;

export function guardExitsOfChild(): void {
  isChild = true;
}

/** The main script of a zygote has ended long ago. In other children Node may have to warn that it has not. */
export function guardExitsOfZygotesChildren(): void {
  guardExitsOfChild();
  isOfZygote = true;
}

const writesCoverage = Boolean(process.env.NODE_V8_COVERAGE);

/** Node writes the coverage of NODE_V8_COVERAGE in an exit handler that a child does not reach. */
export function writeCoverage(): void {
  if (writesCoverage) v8.takeCoverage();
}

/** Ends a child, or a zygote, which exits like its children. */
export function exitNow(code: number): never {
  writeCoverage();
  return native.exitNow(code);
}

/** V8 throws what it cannot allocate for the script, and gives up only on what it needs itself. */
function isWantOfMemory(error: unknown): boolean {
  if (!(error instanceof RangeError)) return false;
  const { code, message } = error as NodeJS.ErrnoException;
  return (
    code === 'ERR_MEMORY_ALLOCATION_FAILED' || /allocation failed|could not allocate memory/i.test(message)
  );
}

const internals = process as unknown as ProcessInternals;

function emitExit(): number {
  process.emit('exit', Number(process.exitCode ?? 0));
  return Number(process.exitCode ?? 0);
}

/** Node marks the end of the event loop where a child does not pass. */
function markLoopExit(): void {
  const { nodeTiming } = performance;
  const value = performance.now();
  Object.defineProperty(nodeTiming, 'loopExit', { value, enumerable: true, configurable: true });
}

const { emit } = process;
const nodesReallyExit = internals.reallyExit;

function reallyExit(code?: number): never {
  return isChild ? exitNow(code ?? 0) : nodesReallyExit.call(process, code);
}

/**
 * The exit of most children: without listeners for it, and so with as little JavaScript as possible. The zygote calls it
 * once, where it does nothing, so that it is compiled for all children.
 */
export function exitWithoutListeners(): void {
  const { _events: listeners } = internals;
  const isHeard = listeners.beforeExit !== undefined || listeners.exit !== undefined || writesCoverage;
  if (isHeard || process.emit !== emit || internals.reallyExit !== reallyExit) return;
  const code = Number(process.exitCode ?? 0);
  if (isOfZygote) native.exitNow(code);
}

export function prepareExits(): void {
  native.prepareExits({
    nothingLeft: exitWithoutListeners,
    beforeExit: () => process.emit('beforeExit', Number(process.exitCode ?? 0)),
    exit() {
      // Where a listener of 'exit' threw, and one of 'uncaughtException' caught it, nothing else is left to do.
      if (exitIsEmitted) return internals.reallyExit(Number(process.exitCode ?? 0));
      exitIsEmitted = true;
      markLoopExit();
      internals._exiting = true;
      internals.reallyExit(native.emitExit() ?? emitExit());
    },
  });

  internals.reallyExit = reallyExit;

  // Node prints an error that is not caught, and then exits in C++, without reallyExit().
  const fatalException = internals._fatalException;
  internals._fatalException = (error, fromPromise) => {
    const caught = fatalException?.call(process, error, fromPromise) ?? false;
    if (!caught && isChild) {
      if (isWantOfMemory(error)) native.ranOutOfMemory();
      const code = Number(process.exitCode ?? 1);
      writeCoverage();
      if (!native.exitAfterReport(code)) {
        console.error(error);
        native.exitNow(code);
      }
    }
    return caught;
  };
}
