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
  /**
   * The first signal stops with grace, the second at once. A stop that was asked for is a success, as service managers
   * see it; Ctrl-C, and a server that was not let finish, end as if the signal had killed them.
   */
  const stop = (signal: NodeJS.Signals) => {
    const isOrderly = !stopping && signal !== 'SIGINT';
    orders.stopping(isOrderly ? 0 : 128 + os.constants.signals[signal]);
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
  process.on('SIGXFSZ', () => {}); // a log at its limit of size fails with EFBIG instead
}

/**
 * The kernel sends SIGHUP when a terminal is closed (termios(3)), and people send it to have a server read its files
 * again. It was the terminal if there was one, and it has hung up: then no call works on it any more.
 */
function watchTerminal(): () => boolean {
  const terminals = [0, 1, 2].filter(fd => native.isatty(fd));
  return () => terminals.length > 0 && !terminals.some(fd => native.isatty(fd));
}
