/**
 * Synchronous standard output.
 *
 * Node writes to a pipe when the reader has room, and drops the rest when the process exits. A forked child exits by
 * `_exit(2)`, which flushes nothing, so here each write waits until the kernel has all of it. (To a terminal Node writes
 * synchronously itself.)
 *
 * It works by being imported, before everything else: some of Node's own modules keep `process.stderr` as they are
 * linked. For the same reason it imports none of them.
 */
import type { Writable } from 'node:stream';
import { addonFile, native } from '../binding/native.js';

function synchronousOutput(fd: number): Writable {
  const { Writable } = process.getBuiltinModule('node:stream');
  const output = new Writable({
    autoDestroy: false,
    write(chunk: Buffer, _encoding, done) {
      const errno = native.writeAll(fd, chunk);
      done(errno === 0 ? null : writeError(errno));
    },
    // As in Node, standard output cannot be closed.
    destroy(error, done) {
      done(error);
    },
  });
  return Object.assign(output, { fd });
}

function writeError(errno: number): NodeJS.ErrnoException {
  const code = process.getBuiltinModule('node:util').getSystemErrorName(errno);
  return Object.assign(new Error(`write ${code}`), { code, errno, syscall: 'write' });
}

function replace(name: 'stdout' | 'stderr', fd: number): void {
  const terminal = Object.getOwnPropertyDescriptor(process, name)!.get!;
  const visible = { configurable: true, enumerable: true };
  Object.defineProperty(process, name, {
    ...visible,
    get() {
      const value: Writable = native.isatty(fd) ? terminal.call(process) : synchronousOutput(fd);
      Object.defineProperty(process, name, { ...visible, value });
      return value;
    },
  });
}

// The standard streams of a Worker lead to the main thread, and stay.
if (addonFile !== undefined && native.onMainThread()) {
  replace('stdout', 1);
  replace('stderr', 2);
}
