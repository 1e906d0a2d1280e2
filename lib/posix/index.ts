/**
 * truefork/posix: the system calls under their POSIX names, one to one.
 *
 * Errors are thrown, as Node's own system errors: `code` (`'EADDRINUSE'`), `errno` (negative), `syscall`. What is not
 * the system's to refuse (a wrong type, a buffer that is too short) has a code that begins with `ERR_TRUEFORK_`.
 */

export * from '../binding/posix-structs.js';
export { type AtForkHandlers, registerAtFork } from '../fork/at-fork.js';
export * from './constants.js';
export * from './fork.js';
export * from './io.js';
export * from './process.js';
export * from './select.js';
export * from './signal.js';
export * from './socket.js';
export * from './wait.js';
