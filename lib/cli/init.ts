import { native } from '../binding/native.js';
import { prespawnedPid } from '../owner/prespawn.js';
import type { Server } from '../owner/server.js';

/**
 * As process 1 of a container, this one adopts every orphan in it, and has to wait for each, or it stays a zombie. This is
 * only for a program that knows all its own children: here the zygotes, which Node waits for itself.
 */
export function reapAsInit(server: Server): void {
  if (process.pid !== 1) return;
  process.on('SIGCHLD', () => {
    const ahead = prespawnedPid();
    const known = server.state().zygotes.map(({ pid }) => pid);
    native.reapOrphans(ahead === undefined ? known : [...known, ahead]);
  });
}
