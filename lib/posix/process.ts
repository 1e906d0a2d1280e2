/** Processes: who they are, what they may use, what they become. */

import { native } from '../binding/native.js';
import type { RLimit } from '../binding/posix-structs.js';
import { badArgument } from '../errors.js';
import { writeCoverage } from '../fork/exits.js';

const calls = native.posix;

/** No limit, in an {@link RLimit}. */
export const RLIM_INFINITY = Number.POSITIVE_INFINITY;

/** Variables by their names, as `process.env`, or `NAME=value` strings, as C has them. */
export type Environment = Readonly<Record<string, string | undefined>> | readonly string[];

function toStrings(environment: Environment): readonly string[] {
  if (Array.isArray(environment)) return environment;
  if (typeof environment !== 'object' || environment === null)
    throw badArgument(
      'execve() takes an object of variables or an array of NAME=value strings as its environment',
    );
  return Object.entries(environment).flatMap(([name, value]) =>
    value === undefined ? [] : `${name}=${value}`,
  );
}

/**
 * Replaces this program by another one: the process stays, with its pid and its descriptors that are not FD_CLOEXEC.
 * Handled signals get their default action again; the mask is kept.
 *
 * @param argv The arguments; the first is by custom the program's name.
 * @throws `ENOENT`, `EACCES`, `ENOEXEC`, `E2BIG`, `ENOTDIR`. It does not return otherwise.
 * @see execve(2), POSIX.1-2017 exec
 */
export function execve(path: string, argv: readonly string[], envp: Environment = process.env): never {
  return calls.execve(path, argv, toStrings(envp));
}

/**
 * As execve(), with the program looked for in PATH and this process's environment.
 *
 * @throws As execve().
 * @see exec(3), POSIX.1-2017 exec
 */
export function execvp(file: string, argv: readonly string[]): never {
  return calls.execvp(file, argv, toStrings(process.env));
}

/**
 * Ends this process now: no exit listeners, nothing flushed. (Coverage, where
 * NODE_V8_COVERAGE asks for it, is written all the same: it would miss most children of a forking server.)
 *
 * @param status 0 to 255; the parent gets it by WEXITSTATUS().
 * @see _exit(2), POSIX.1-2017 _exit()
 */
export function _exit(status: number): never {
  writeCoverage(); // if the environment asks for it
  return calls._exit(status);
}

/**
 * Ends this process as a C program ends by exit(3): exit listeners run, and what was printed is written. The same as
 * process.exit().
 *
 * @see exit(3), POSIX.1-2017 exit()
 */
export function exit(status: number): never {
  return process.exit(status);
}

/** The process ID of this process. @see getpid(2) */
export function getpid(): number {
  return calls.getpid();
}

/** The process ID of the parent: 1, or that of a subreaper, when the parent has ended. @see getppid(2) */
export function getppid(): number {
  return calls.getppid();
}

/**
 * Makes a new session, with this process as its leader and without a terminal.
 *
 * @returns The session's ID.
 * @throws `EPERM` when this process leads a process group.
 * @see setsid(2), POSIX.1-2017 setsid()
 */
export function setsid(): number {
  return calls.setsid();
}

/**
 * The session of a process; 0 is this one.
 *
 * @throws `ESRCH`, `EPERM`.
 * @see getsid(2), POSIX.1-2017 getsid()
 */
export function getsid(pid = 0): number {
  return calls.getsid(pid);
}

/**
 * Puts a process into a process group: itself (0) or a child that has not yet executed another program.
 *
 * @param pgid 0: a new group, with the process as its leader.
 * @throws `EACCES`, `EINVAL`, `EPERM`, `ESRCH`.
 * @see setpgid(2), POSIX.1-2017 setpgid()
 */
export function setpgid(pid: number, pgid: number): void {
  calls.setpgid(pid, pgid);
}

/**
 * The process group of a process; 0 is this one.
 *
 * @throws `ESRCH`.
 * @see getpgid(2), POSIX.1-2017 getpgid()
 */
export function getpgid(pid: number): number {
  return calls.getpgid(pid);
}

/** The process group of this process. @see getpgrp(2) */
export function getpgrp(): number {
  return calls.getpgrp();
}

/** The real user. @see getuid(2) */
export function getuid(): number {
  return calls.getuid();
}

/** The effective user: the one that permissions are checked for. @see geteuid(2) */
export function geteuid(): number {
  return calls.geteuid();
}

/** The real group. @see getgid(2) */
export function getgid(): number {
  return calls.getgid();
}

/** The effective group. @see getegid(2) */
export function getegid(): number {
  return calls.getegid();
}

/**
 * Becomes another user. As root for good: first setgroups(), then setgid(), then this.
 *
 * @throws `EPERM`, `EINVAL`, `EAGAIN`.
 * @see setuid(2), POSIX.1-2017 setuid()
 */
export function setuid(uid: number): void {
  calls.setuid(uid);
}

/**
 * Sets the group of this process; as root for good.
 *
 * @throws `EPERM`, `EINVAL`.
 * @see setgid(2), POSIX.1-2017 setgid()
 */
export function setgid(gid: number): void {
  calls.setgid(gid);
}

/** The supplementary groups. @see getgroups(2) */
export function getgroups(): number[] {
  return calls.getgroups();
}

/**
 * Sets the supplementary groups.
 *
 * @throws `EPERM`, `EINVAL`.
 * @see setgroups(2)
 */
export function setgroups(groups: readonly number[]): void {
  calls.setgroups(groups);
}

/**
 * A limit of this process, which its children inherit.
 *
 * @param resource RLIMIT_NOFILE and its like; their comments say the units.
 * @throws `EINVAL`.
 * @see getrlimit(2), POSIX.1-2017 getrlimit()
 */
export function getrlimit(resource: number): RLimit {
  return calls.getrlimit(resource);
}

/**
 * Sets a limit of this process. The soft one may be moved up to the hard one; the hard one can, without privilege,
 * only be lowered.
 *
 * @throws `EINVAL`, `EPERM`.
 * @see setrlimit(2), POSIX.1-2017 setrlimit()
 */
export function setrlimit(resource: number, rlim: RLimit): void {
  calls.setrlimit(resource, rlim);
}

/**
 * Makes this process nicer: a higher value gets less of the processor.
 *
 * @returns The new value, -20 to 19.
 * @throws `EPERM` for a negative increment without privilege.
 * @see nice(2), POSIX.1-2017 nice()
 */
export function nice(inc: number): number {
  return calls.nice(inc);
}
