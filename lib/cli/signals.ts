/** How `truefork serve` reacts to signals. */
import os from 'node:os';
import { native } from '../binding/native.js';
import type { Server } from '../owner/server.js';

export interface Orders {
  /** The server is stopping; the command is to end with this code. */
  stopping(exitCode: number): void;
  reload(): void;
  showState(): void;
}

export function obeySignals(server: Server, orders: Orders): void {
  let stopping = false;
  /** The first signal stops with grace, the second at once. */
  const stop = (signal: NodeJS.Signals) => {
    orders.stopping(128 + os.constants.signals[signal]);
    if (stopping || !server.listening) server.kill();
    else server.close();
    stopping = true;
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);

  const isLost = watchTerminal();
  process.on('SIGHUP', signal => {
    if (isLost()) stop(signal);
    else if (server.listening) orders.reload();
  });
  process.on('SIGUSR1', () => orders.showState());
}

/**
 * The kernel sends SIGHUP when a terminal is closed (termios(3)), and people send it to have a server read its files
 * again. It was the terminal if there was one, and it has hung up: then no call works on it any more.
 */
function watchTerminal(): () => boolean {
  const terminals = [0, 1, 2].filter(fd => native.isatty(fd));
  for (const stream of [process.stdout, process.stderr])
    if (stream.isTTY) stream.on('error', outliveTerminal);
  return () => terminals.length > 0 && !terminals.some(fd => native.isatty(fd));
}

/** Output to a terminal that is gone fails with EIO. SIGHUP says the same, and is handled. */
function outliveTerminal(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EIO') throw error;
}
