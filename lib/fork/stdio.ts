/**
 * Standard output that is written when it is written.
 *
 * Node writes to a pipe when the reader has room, and loses what is left when the process exits. A forked child exits
 * by `_exit(2)` and has no later: so each write waits until the kernel has all of it. (To a terminal Node does that
 * itself.)
 */
import { Writable } from 'node:stream';
import tty from 'node:tty';
import { getSystemErrorName } from 'node:util';
import { native } from '../native.js';

class SynchronousOutput extends Writable {
  readonly fd: number;

  constructor(fd: number) {
    super({ autoDestroy: false });
    this.fd = fd;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    const errno = native.writeAll(this.fd, chunk);
    if (errno === 0) done();
    else {
      const code = getSystemErrorName(errno);
      done(Object.assign(new Error(`write ${code}`), { code, errno, syscall: 'write' }));
    }
  }

  /** As Node has it: standard output cannot be closed. */
  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    done(error);
  }
}

export function makeOutputSynchronous(): void {
  for (const [name, fd] of [
    ['stdout', 1],
    ['stderr', 2],
  ] as const) {
    if (tty.isatty(fd)) continue;
    let output: SynchronousOutput | undefined;
    Object.defineProperty(process, name, {
      configurable: true,
      enumerable: true,
      get: () => (output ??= new SynchronousOutput(fd)),
    });
  }
}
