import { native } from '../binding/native.js';
import { prespawnedPid } from '../owner/prespawn.js';
import type { Server } from '../owner/server.js';

/**
 * As the first process of a container or namespace, this one inherits every orphan in it, and has to wait for each, or
 * it stays a zombie. Only for a program whose children are all known: here, the zygotes, which Node waits for itself.
 */
export function reapAsInit(server: Server): void {
  if (process.pid !== 1) return;
  process.on('SIGCHLD', () => {
    const ahead = prespawnedPid();
    const known = server.state().zygotes.map(({ pid }) => pid);
    native.reapOrphans(ahead === undefined ? known : [...known, ahead]);
  });
}
