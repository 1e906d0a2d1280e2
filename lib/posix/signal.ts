/**
 * Signals, handled by JavaScript functions.
 *
 * A handler runs when a call that waits is interrupted or begins, when kill() or raise() has sent the signal to this
 * process itself, when sigprocmask() unblocks it, and otherwise from the event loop. It cannot run in the middle of
 * JavaScript: `while (true) {}` hears no signal, `for (;;) pause()` does.
 */

import { native } from '../binding/native.js';
import type { NativeHandler } from '../binding/posix.js';
import type { ITimerVal, SigInfo } from '../binding/posix-structs.js';
import { badArgument } from '../errors.js';
import { SA_RESTART, SIG_BLOCK, SIGCHLD, SIGRTMAX, SIGRTMIN } from './constants.js';
import { assertNotNodes, reserveForUs, watchChildProcess } from './node-signals.js';

const calls = native.posix;

/** The default action of a signal (signal(7)). */
export const SIG_DFL = 0 as const;
/** The signal is ignored. */
export const SIG_IGN = 1 as const;

/** What a signal does: a function, SIG_IGN or SIG_DFL. */
export type SigHandler = typeof SIG_DFL | typeof SIG_IGN | ((signo: number, info: SigInfo) => void);

/** `struct sigaction` */
export interface SigAction {
  sa_handler: SigHandler;
  /** More signals to block while the handler runs. */
  sa_mask: sigset_t;
  /** SA_RESTART, SA_NOCLDSTOP, SA_NOCLDWAIT, SA_RESETHAND, SA_NODEFER. */
  sa_flags: number;
}

/** A set of signal numbers. `new sigset_t()` is empty; `new sigset_t(other)` is a copy. */
export class sigset_t extends Set<number> {
  constructor(other: SigSet = []) {
    super(toArray(other, 'sigset_t'));
  }
}

/** What takes a set takes any collection of signal numbers. */
export type SigSet = Iterable<number>;

/** What a program may use: 32 and 33 are the C library's own, 64 is truefork's. */
function isFree(signo: number): boolean {
  return signo < 32 || signo >= SIGRTMIN;
}

/** Empties a set. */
export function sigemptyset(set: sigset_t): void {
  set.clear();
}

/** Puts every signal into a set. */
export function sigfillset(set: sigset_t): void {
  for (let signo = 1; signo <= SIGRTMAX; signo++) if (isFree(signo)) set.add(signo);
}

/** Adds a signal to a set. */
export function sigaddset(set: sigset_t, signo: number): void {
  set.add(signo);
}

/** Takes a signal out of a set. */
export function sigdelset(set: sigset_t, signo: number): void {
  set.delete(signo);
}

/** Whether a signal is in a set. */
export function sigismember(set: sigset_t, signo: number): boolean {
  return set.has(signo);
}

const most = 1024; // as many as the addon looks at: a set may be given with repetitions, but not without an end

function toArray(set: SigSet, call: string): number[] {
  if (typeof set?.[Symbol.iterator] !== 'function')
    throw badArgument(`${call}: a set must be a sigset_t or an array of signal numbers`);
  const signals: number[] = [];
  for (const signo of set)
    if (signals.push(signo) > most) throw badArgument(`${call}: this is no set of signal numbers`);
  return signals;
}

/**
 * Sets the action of a signal, and returns the action before. Without `act` it only returns that.
 *
 * ```ts
 * sigaction(SIGINT, { sa_handler: terminate, sa_mask: new sigset_t(), sa_flags: 0 });
 * ```
 *
 * The handler gets the signal's number and a {@link SigInfo}. What it throws is thrown by the call that it
 * interrupted. Standard signals do not queue: several that come before the handler runs are one.
 *
 * @returns The action that was in force before.
 * @throws `EINVAL` for a number that is no signal, SIGKILL and SIGSTOP. `ERR_TRUEFORK_SIGNAL_RESERVED` for SIGSEGV,
 * SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, which Node needs. `ERR_TRUEFORK_SIGNAL_IN_USE` for a signal that has a
 * listener by `process.on()`, and for SIGCHLD while children of node:child_process run. `ERR_TRUEFORK_WORKER` in a
 * Worker.
 * @see sigaction(2), POSIX.1-2017 sigaction()
 */
export function sigaction(
  signum: number,
  act?: { sa_handler: SigHandler; sa_mask?: SigSet; sa_flags?: number } | null,
): SigAction {
  if (act === undefined || act === null) return describe(calls.sigaction(signum));
  if (typeof act !== 'object')
    throw badArgument('sigaction() takes { sa_handler, sa_mask, sa_flags } as its action');
  const { sa_handler, sa_mask = [], sa_flags = 0 } = act;
  assertNotNodes(signum);
  const old = calls.sigaction(signum, {
    sa_handler: sa_handler as NativeHandler,
    sa_mask: toArray(sa_mask, 'sigaction'),
    sa_flags,
  });
  reserveForUs(signum, typeof sa_handler === 'function');
  if (signum === SIGCHLD) watchChildProcess();
  return describe(old);
}

function describe(action: ReturnType<typeof calls.sigaction>): SigAction {
  return { ...action, sa_mask: new sigset_t(action.sa_mask) };
}

/**
 * Sets what a signal does, in short: interrupted calls go on (SA_RESTART), nothing more is blocked.
 *
 * @returns The handler that was in force before.
 * @throws As sigaction().
 * @see signal(2), POSIX.1-2017 signal()
 */
export function signal(signum: number, handler: SigHandler): SigHandler {
  return sigaction(signum, { sa_handler: handler, sa_flags: SA_RESTART }).sa_handler;
}

/**
 * Changes the signal mask: blocked signals wait, pending, until they are unblocked.
 *
 * @param how SIG_BLOCK, SIG_UNBLOCK or SIG_SETMASK.
 * @param set `null` changes nothing.
 * @returns The mask that was in force before.
 * @throws `EINVAL`.
 * @see sigprocmask(2), POSIX.1-2017 sigprocmask()
 */
export function sigprocmask(how: number = SIG_BLOCK, set: SigSet | null = null): sigset_t {
  return new sigset_t(calls.sigprocmask(how, set === null ? undefined : toArray(set, 'sigprocmask')));
}

/**
 * The signals that have come and are waiting: blocked ones, and ones whose handler has not had its turn.
 *
 * @see sigpending(2), POSIX.1-2017 sigpending()
 */
export function sigpending(): sigset_t {
  return new sigset_t(calls.sigpending());
}

/**
 * Waits, with another signal mask for that time, until a handler has run.
 *
 * @see sigsuspend(2), POSIX.1-2017 sigsuspend()
 */
export function sigsuspend(mask: SigSet): void {
  calls.sigsuspend(toArray(mask, 'sigsuspend'));
}

/**
 * Waits until a handler has run. A signal that came since the last call counts: none is slept through.
 *
 * @see pause(2), POSIX.1-2017 pause()
 */
export function pause(): void {
  calls.pause();
}

/**
 * Sends a signal to a process; 0 only asks whether it is there.
 *
 * @param pid Above 0: that process; 0: our own process group; -1: all we may; below: the process group -pid.
 * @throws `ESRCH`, `EPERM`, `EINVAL`.
 * @see kill(2), POSIX.1-2017 kill()
 */
export function kill(pid: number, sig: number): void {
  calls.kill(pid, sig);
}

/**
 * Sends a signal to a process group; 0 is our own.
 *
 * @throws `ESRCH`, `EPERM`, `EINVAL`.
 * @see killpg(3), POSIX.1-2017 killpg()
 */
export function killpg(pgrp: number, sig: number): void {
  calls.killpg(pgrp, sig);
}

/**
 * Sends a signal to this process. Its handler has run when this returns, unless it is blocked.
 *
 * @throws `EINVAL`.
 * @see raise(3), POSIX.1-2017 raise()
 */
export function raise(sig: number): void {
  calls.raise(sig);
}

/**
 * Sends SIGALRM to this process in so many seconds; 0 calls it off.
 *
 * @returns Seconds that were left of an earlier one; 0 if there was none.
 * @see alarm(2), POSIX.1-2017 alarm()
 */
export function alarm(seconds: number): number {
  return calls.alarm(seconds);
}

/**
 * Sets a timer of this process: ITIMER_REAL sends SIGALRM.
 *
 * @returns Its old value.
 * @throws `EINVAL`.
 * @see setitimer(2), POSIX.1-2017 setitimer()
 */
export function setitimer(which: number, value: ITimerVal): ITimerVal {
  return calls.setitimer(which, value);
}

/** What is left of a timer. @throws `EINVAL` @see getitimer(2) */
export function getitimer(which: number): ITimerVal {
  return calls.getitimer(which);
}

/**
 * Waits so many seconds, or until a handler has run.
 *
 * @param seconds A whole number.
 * @returns 0, or the seconds that were left.
 * @see sleep(3), POSIX.1-2017 sleep()
 */
export function sleep(seconds: number): number {
  return calls.sleep(seconds);
}
