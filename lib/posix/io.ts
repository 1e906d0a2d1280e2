/** Descriptors. */
import { native } from '../binding/native.js';

const calls = native.posix;

/**
 * Reads from a descriptor; waits until there is something.
 *
 * @param count How many bytes at most, into `buf` from `offset` on; by default as many as fit.
 * @returns The bytes read; 0 at the end of the file or when the peer has finished.
 * @throws `EAGAIN` (O_NONBLOCK, and nothing there), `ECONNRESET`, `EIO`, `EISDIR`, `EBADF`; `EINTR` when a handler
 * without SA_RESTART has run before anything was read. `ERR_TRUEFORK_…` when the buffer is none, or too short.
 * @see read(2), POSIX.1-2017 read()
 */
export function read(fd: number, buf: Uint8Array, count?: number, offset = 0): number {
  return calls.read(fd, buf, count, offset);
}

/**
 * Writes to a descriptor; waits until there is room.
 *
 * @param count How many bytes, from `offset` on; by default all of them.
 * @returns The bytes written, which may be fewer than asked for.
 * @throws `EAGAIN` (O_NONBLOCK, and no room), `EPIPE` (no reader is left; Node ignores SIGPIPE), `ECONNRESET`, `ENOSPC`,
 * `EFBIG`, `EBADF`; `EINTR` when a handler without SA_RESTART has run before anything was written.
 * @see write(2), POSIX.1-2017 write()
 */
export function write(fd: number, buf: Uint8Array, count?: number, offset = 0): number {
  return calls.write(fd, buf, count, offset);
}

/**
 * Closes a descriptor. What it stands for ends when the last descriptor of it is closed, in whatever process.
 *
 * @throws `EBADF`, `EIO`, `ENOSPC`; `ERR_TRUEFORK_DESCRIPTOR_RESERVED` for one that Node's event loop lives by.
 * @see close(2), POSIX.1-2017 close()
 */
export function close(fd: number): void {
  calls.close(fd);
}

/**
 * Makes a pipe: what is written to its second end is read from its first.
 *
 * @returns `[readEnd, writeEnd]`
 * @throws `EMFILE`, `ENFILE`.
 * @see pipe(2), POSIX.1-2017 pipe()
 */
export function pipe(): [number, number] {
  return calls.pipe();
}

/**
 * A second descriptor for the same open file: the lowest that is free.
 *
 * @throws `EBADF`, `EMFILE`.
 * @see dup(2), POSIX.1-2017 dup()
 */
export function dup(oldfd: number): number {
  return calls.dup(oldfd);
}

/**
 * Makes `newfd` stand for what `oldfd` does; closes first what it stood for before.
 *
 * @returns `newfd`
 * @throws `EBADF`; `ERR_TRUEFORK_DESCRIPTOR_RESERVED` for one that Node's event loop lives by.
 * @see dup2(2), POSIX.1-2017 dup2()
 */
export function dup2(oldfd: number, newfd: number): number {
  return calls.dup2(oldfd, newfd);
}

/**
 * Reads or sets the flags of a descriptor (F_GETFD, F_SETFD: FD_CLOEXEC) or of its open file (F_GETFL, F_SETFL:
 * O_NONBLOCK, O_APPEND).
 *
 * @returns The flags, for F_GETFD and F_GETFL; otherwise 0.
 * @throws `EBADF`, `EINVAL`, `EPERM`.
 * @see fcntl(2), POSIX.1-2017 fcntl()
 */
export function fcntl(fd: number, cmd: number, arg?: number): number {
  return calls.fcntl(fd, cmd, arg);
}
