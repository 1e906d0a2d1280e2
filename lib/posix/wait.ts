/** Waiting for children. */
import { native } from '../binding/native.js';
import type { RUsage, WaitResult } from '../binding/posix-structs.js';

const calls = native.posix;

/**
 * Waits until any child has ended, and lets its entry in the process table go.
 *
 * @returns `pid` is -1 when there is no child.
 * @throws `EINTR` when a handler without SA_RESTART has run; `ERR_TRUEFORK_CHILD_PROCESS` while children of
 * node:child_process run, whose exits it would take from Node.
 * @see wait(2), POSIX.1-2017 wait()
 */
export function wait(): WaitResult {
  return calls.wait4(-1, 0, false);
}

/**
 * Waits until a child has changed state. The loop of a SIGCHLD handler, which ends by itself when no child is left:
 *
 * ```ts
 * let child: WaitResult;
 * while ((child = waitpid(-1, WNOHANG)).pid > 0) console.log(`child ${child.pid} terminated`);
 * ```
 *
 * @param pid Below -1: any child in the process group -pid; -1: any child; 0: any child in our own process group; above
 * 0: that child.
 * @param options WNOHANG, WUNTRACED, WCONTINUED.
 * @returns `pid` is the child; 0 with WNOHANG when none has changed; -1, without an exception, when there is no such
 * child (ECHILD).
 * @throws `EINVAL`; `EINTR` when a handler without SA_RESTART has run; `ERR_TRUEFORK_CHILD_PROCESS` for -1 and 0 while
 * children of node:child_process run, whose exits it would take from Node.
 * @see waitpid(2), POSIX.1-2017 waitpid()
 */
export function waitpid(pid: number, options = 0): WaitResult {
  return calls.wait4(pid, options, false);
}

/**
 * As waitpid(), and returns what the child has used.
 *
 * @throws As waitpid().
 * @see wait4(2)
 */
export function wait4(pid: number, options = 0): WaitResult & { rusage: RUsage } {
  return calls.wait4(pid, options, true) as WaitResult & { rusage: RUsage };
}

/** Whether the child ended by exit(). */
export function WIFEXITED(status: number): boolean {
  return calls.WIFEXITED(status);
}

/** The code it gave to exit(), 0 to 255, if {@link WIFEXITED}. */
export function WEXITSTATUS(status: number): number {
  return calls.WEXITSTATUS(status);
}

/** Whether a signal ended the child. */
export function WIFSIGNALED(status: number): boolean {
  return calls.WIFSIGNALED(status);
}

/** The signal, if {@link WIFSIGNALED}. */
export function WTERMSIG(status: number): number {
  return calls.WTERMSIG(status);
}

/** Whether it left a core dump, if {@link WIFSIGNALED}. */
export function WCOREDUMP(status: number): boolean {
  return calls.WCOREDUMP(status);
}

/** Whether the child is stopped: reported with WUNTRACED. */
export function WIFSTOPPED(status: number): boolean {
  return calls.WIFSTOPPED(status);
}

/** The signal that stopped it, if {@link WIFSTOPPED}. */
export function WSTOPSIG(status: number): number {
  return calls.WSTOPSIG(status);
}

/** Whether the child was continued by SIGCONT: reported with WCONTINUED. */
export function WIFCONTINUED(status: number): boolean {
  return calls.WIFCONTINUED(status);
}
