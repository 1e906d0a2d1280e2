/** Descriptors are taken before the start, so that the connections get numbers from 1024 on: select() has no room for those. */
import fs from 'node:fs';
import type { Client } from '../client.js';
import type { Grading } from '../grading.js';
import { settled } from '../patience.js';
import type { Server } from '../server.js';
import { blockedIn } from '../system/calls.js';
import { socketsOf } from '../system/proc.js';

const setSize = 1024;
/** Their sets are as large as they have to be: they have no fd_set. */
const growing = /^(perl|ruby)/;

export async function manyDescriptors(grading: Grading): Promise<void> {
  const { descriptors } = grading;
  if (descriptors === undefined || descriptors.listener < 0) {
    grading.pass('fd-setsize');
    return;
  }
  // The listener stays below, the second client's connection is beyond.
  const taken = setSize - 2 - descriptors.listener;
  await grading.withServer({ taken }, async server => {
    const clients: Client[] = [];
    try {
      await judge(grading, server, clients);
    } finally {
      for (const client of clients) client.close();
    }
  });
}

async function judge(grading: Grading, server: Server, clients: Client[]): Promise<void> {
  const [acceptor = 0] = server.acceptors;
  const sockets = socketsOf(acceptor);
  const listener = Math.max(...[...server.listeners].map(inode => sockets.get(inode) ?? -1));
  // It closed what it had inherited, or its limit of descriptors is lower: nothing was reached.
  if (listener < setSize - 24) return;
  let restedBefore = false;
  const second = 3 - (listener - (setSize - 2));
  for (let n = 0; n < Math.max(2, Math.min(second, 4)); n++) {
    const client = grading.connect(server);
    clients.push(client);
    const answered = await grading.asks(server, client, n);
    const rests = await settled(server.processes, grading.budget);
    const highest = Math.max(0, ...socketsOf(acceptor).values());
    const call = blockedIn(acceptor);
    const beyond =
      highest >= setSize &&
      !growing.test(programOf(acceptor)) &&
      ((call?.call === 'select' && (call.args[0] ?? 0) > setSize) ||
        (restedBefore && !rests && server.isWhole));
    restedBefore ||= rests;
    if (answered && !beyond) continue;
    if (!answered && client.isOver && server.isWhole) continue; // it refuses that client, which is right
    grading.takeConduct(server);
    grading.observe({
      id: 'fd-setsize',
      evidence: beyond
        ? rests
          ? `process ${acceptor} waits in select() for descriptor ${highest}; its first argument is ${call?.args[0]}`
          : `process ${acceptor} runs without a pause since it has descriptor ${highest}`
        : server.isWhole
          ? `a client whose descriptor is ${highest} gets no answer`
          : `process ${acceptor} ended with a client whose descriptor was ${setSize} or more`,
    });
    return;
  }
  grading.pass('fd-setsize');
}

function programOf(pid: number): string {
  try {
    return fs.readlinkSync(`/proc/${pid}/exe`).split('/').pop() ?? '';
  } catch {
    return '';
  }
}
