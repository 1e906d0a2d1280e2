/**
 * Signals that Node itself could want. A signal has one handler in the kernel: where Node and this layer both asked for
 * it, the first would hear nothing more and never know. So the second is refused.
 */
import childProcess, { ChildProcess } from 'node:child_process';
import type { EventEmitter } from 'node:events';
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';
import { native } from '../binding/native.js';
import { misuse } from '../errors.js';
import { SIGCHLD } from './constants.js';

const names = new Map<number, string>();
for (const [name, signo] of Object.entries(os.constants.signals))
  if (!names.has(signo)) names.set(signo, name);

const ours = new Set<string>();
let listening = false;

/** @throws `ERR_TRUEFORK_SIGNAL_IN_USE` where `process.on()` has it. */
export function assertNotNodes(signo: number): void {
  const name = names.get(signo);
  if (name === undefined || process.listenerCount(name) === 0) return;
  throw inUse(
    `sigaction: ${name} has a listener by process.on('${name}'), which would hear nothing more: remove it first`,
  );
}

/** Takes note that a signal is handled here, or no more: from then on `process.on()` refuses it. */
export function reserveForUs(signo: number, handled: boolean): void {
  const name = names.get(signo);
  if (name === undefined) return;
  if (handled) ours.add(name);
  else ours.delete(name);
  if (listening) return;
  listening = true;
  // In front of Node's own listener for this event, which would take the signal.
  (process as EventEmitter).prependListener('newListener', (name: string | symbol) => {
    if (typeof name !== 'string' || !ours.has(name)) return;
    throw inUse(
      `process.on('${name}'): the signal has a handler by sigaction(), which would hear nothing more: set ` +
        'SIG_DFL there first',
    );
  });
}

function inUse(message: string): Error {
  return misuse('ERR_TRUEFORK_SIGNAL_IN_USE', message);
}

let watching = false;

/**
 * Node learns by SIGCHLD that a child of node:child_process has ended. While the signal has another handler it would wait without end:
 * so nothing can be started there.
 */
export function watchChildProcess(): void {
  if (watching) return;
  watching = true;
  guard(ChildProcess.prototype as unknown as Starters, 'spawn');
  for (const name of ['spawnSync', 'execSync', 'execFileSync'])
    guard(childProcess as unknown as Starters, name);
  syncBuiltinESMExports();
}

type Starters = Record<string, (...args: unknown[]) => unknown>;

function guard(owner: Starters, name: string): void {
  const start = owner[name]!;
  owner[name] = function (this: unknown, ...args: unknown[]) {
    if (native.posix.sigaction(SIGCHLD).sa_handler !== 0)
      throw inUse(
        `child_process: SIGCHLD is not at its default action, so Node would not learn that the child has ended: set ` +
          'sigaction(SIGCHLD, { sa_handler: SIG_DFL }) first, or start the child by fork() and execve()',
      );
    return start.apply(this, args);
  };
}
