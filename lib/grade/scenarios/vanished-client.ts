/**
 * A client sends, closes, and vanishes, while the server is held by SIGSTOP: its request is read, and the answer fails. Only a
 * reset in the state CLOSE_WAIT gives EPIPE, and with it SIGPIPE.
 */
import type { Grading } from '../grading.js';
import { patiently, settled } from '../patience.js';
import type { Server } from '../server.js';
import { isRunning } from '../system/proc.js';

export async function vanishedClient(grading: Grading): Promise<void> {
  if (grading.forksForClients) {
    // It ends the child of that client alone.
    grading.pass('sigpipe');
    return;
  }
  const evidence = await grading.withServer({}, server => endsIt(grading, server));
  // On its own: each start takes all that descends from the grader for its server.
  if (evidence !== undefined && (await survivesTheStop(grading)))
    grading.observe({ id: 'sigpipe', evidence });
}

/** What the vanished client has done to the server; undefined when that serves the next, or could not be tried. */
async function endsIt(grading: Grading, server: Server): Promise<string | undefined> {
  const before = server.acceptors.length;
  if (!(await vanish(grading, server, true))) return undefined;
  await patiently(() => !server.isWhole, server.processes, grading.budget, { ms: 300 });
  if ((await isServed(grading, server)) && listening(server) >= before) {
    grading.pass('sigpipe');
    return undefined;
  }
  grading.takeConduct(server);
  if (server.isWhole) return 'a client vanished before its answer was written; the next gets none';
  const ended = server.acceptors.find(pid => !isRunning(pid));
  return `process ${ended} ended when it wrote to a client that had vanished`;
}

const listening = (server: Server) =>
  server.tree().filter(({ pid, state }) => state !== 'Z' && server.holdsListener(pid)).length;

async function vanish(grading: Grading, server: Server, resets: boolean): Promise<boolean> {
  const { budget, protocol } = grading;
  const client = grading.connect(server);
  const connection = () => server.connectionOf(client);
  if (!grading.isBrief) await grading.asks(server, client, 0);
  else await patiently(() => (connection()?.inode ?? 0) > 0, server.processes, budget);
  await settled(server.processes, budget);
  const held = server.holdersOf(connection()?.inode ?? 0);
  for (const pid of held) server.signal(pid, 'SIGSTOP');
  try {
    client.send(protocol.request(1));
    client.finish();
    const closed = await patiently(
      () => connection()?.state === 'CLOSE_WAIT' && client.socket.writableFinished,
      server.processes,
      budget,
    );
    if (resets) client.reset();
    await patiently(() => connection() === undefined || !resets, server.processes, budget, { ms: 500 });
    return closed !== undefined && held.length > 0;
  } finally {
    for (const pid of held) server.signal(pid, 'SIGCONT');
  }
}

async function isServed(grading: Grading, server: Server): Promise<boolean> {
  const next = grading.connect(server);
  try {
    return await grading.asks(server, next, 2);
  } finally {
    next.close();
  }
}

/** The stop itself interrupts some calls, as epoll_wait(): a server that does not survive that is not judged here. */
async function survivesTheStop(grading: Grading): Promise<boolean> {
  return grading.withServer({}, async server => {
    await vanish(grading, server, false);
    await patiently(() => !server.isWhole, server.processes, grading.budget, { ms: 300 });
    return isServed(grading, server);
  });
}
