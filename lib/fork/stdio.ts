/**
 * Standard output that is written when it is written.
 *
 * Node writes to a pipe when the reader has room, and loses what is left when the process exits. A forked child exits
 * by `_exit(2)` and has no later: so each write waits until the kernel has all of it. (To a terminal Node does that
 * itself.)
 *
 * To be imported before everything else, for it works by being imported: some of Node's own modules take hold of
 * `process.stderr` as they are linked. So it imports none of them itself.
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
    // As Node has it: standard output cannot be closed.
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

// A Worker's standard streams lead to its main thread, and that is as it should be.
if (addonFile !== undefined && native.onMainThread()) {
  replace('stdout', 1);
  replace('stderr', 2);
}
