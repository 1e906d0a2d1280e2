/** Waiting for many descriptors at once. */
import { native } from '../binding/native.js';
import type { PollFd, TimeVal } from '../binding/posix-structs.js';
import { FD_SETSIZE } from './constants.js';

const calls = native.posix;

/**
 * A set of descriptors from 0 to FD_SETSIZE - 1, for select(). `new fd_set()` is empty; `new fd_set(other)` is a copy,
 * as an assignment is in C.
 *
 * @see select(2)
 */
export class fd_set extends Uint8Array {
  constructor(other?: fd_set) {
    super(FD_SETSIZE / 8);
    if (other !== undefined) this.set(other);
  }
}

/** Empties a set. */
export function FD_ZERO(set: fd_set): void {
  calls.FD_ZERO(set);
}

/**
 * Adds a descriptor to a set.
 *
 * @throws `ERR_TRUEFORK_OUT_OF_RANGE` from FD_SETSIZE (1024) on: poll() has no such limit.
 */
export function FD_SET(fd: number, set: fd_set): void {
  calls.FD_SET(fd, set);
}

/** Takes a descriptor out of a set. */
export function FD_CLR(fd: number, set: fd_set): void {
  calls.FD_CLR(fd, set);
}

/** Whether a descriptor is in a set: after select(), whether it is ready. */
export function FD_ISSET(fd: number, set: fd_set): boolean {
  return calls.FD_ISSET(fd, set);
}

/**
 * Waits until one of the descriptors is ready, or the time is up. Leaves in each set the descriptors that are ready:
 * make a copy first.
 *
 * @param nfds The highest descriptor in the sets, plus 1.
 * @param timeout `null` waits without limit; zero only looks. It is not changed.
 * @returns How many descriptors are ready; 0 when the time was up.
 * @throws `EBADF`, `EINVAL`; `EINTR` when a signal handler has run, with SA_RESTART as well (signal(7)).
 * @see select(2), POSIX.1-2017 select()
 */
export function select(
  nfds: number,
  readfds: fd_set | null,
  writefds: fd_set | null = null,
  exceptfds: fd_set | null = null,
  timeout: TimeVal | null = null,
): number {
  return calls.select(nfds, readfds, writefds, exceptfds, timeout);
}

/**
 * Waits until one of the descriptors is ready, or the time is up. Fills in `revents` of every entry.
 *
 * @param timeout Milliseconds; -1 waits without limit, 0 only looks.
 * @returns How many entries have something in `revents`; 0 when the time was up.
 * @throws `EINVAL` (more entries than RLIMIT_NOFILE); `EINTR` when a signal handler has run, with SA_RESTART as well.
 * @see poll(2), POSIX.1-2017 poll()
 */
export function poll(fds: PollFd[], timeout = -1): number {
  return calls.poll(fds, timeout);
}
