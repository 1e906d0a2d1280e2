/** Several children end while their parent is held by SIGSTOP: one SIGCHLD stands for all of them. Who is waited for? */
import type { Client } from '../client.js';
import type { Grading } from '../grading.js';
import { patiently, settled } from '../patience.js';
import type { Server } from '../server.js';
import { stat } from '../system/proc.js';

const count = 5;

export async function endTogether(grading: Grading): Promise<void> {
  await grading.withServer({}, async server => {
    const clients: Client[] = [];
    try {
      await judge(grading, server, clients);
    } finally {
      for (const client of clients) client.close();
    }
  });
}

async function judge(grading: Grading, server: Server, clients: Client[]): Promise<void> {
  const { budget } = grading;
  for (let n = 0; n < count; n++) {
    const client = grading.connect(server);
    clients.push(client);
    if (grading.isBrief)
      await patiently(() => (server.connectionOf(client)?.inode ?? 0) > 0, server.processes, budget);
    else if (!(await grading.asks(server, client, n))) break;
  }
  await settled(server.processes, budget);
  const parents = new Map<number, number[]>();
  for (const { pid, parent } of server.younger()) {
    if (!server.idle.has(parent)) continue;
    parents.set(parent, [...(parents.get(parent) ?? []), pid]);
  }
  const [parent, children] = [...parents].sort((a, b) => b[1].length - a[1].length)[0] ?? [];
  // Their parent has gone (it forks twice), or there are none: no zombies either.
  if (parent === undefined || children === undefined || children.length < 2) {
    grading.pass('wait-once');
    return;
  }
  const zombies = () => children.filter(pid => stat(pid)?.state === 'Z');
  const gone = () => children.filter(pid => stat(pid) === undefined);
  server.signal(parent, 'SIGSTOP');
  try {
    for (const client of clients) client.finish();
    const all = () => zombies().length + gone().length === children.length;
    if ((await patiently(all, server.processes, budget)) === undefined) return;
  } finally {
    server.signal(parent, 'SIGCONT');
  }
  await patiently(() => zombies().length === 0, server.processes, budget);
  const last = grading.connect(server);
  clients.push(last);
  // Some servers wait for ended children at the next accept().
  const isServed = await grading.asks(server, last, count);
  last.finish();
  await patiently(() => zombies().length === 0, server.processes, budget);
  const left = zombies().length;
  if (left > 0 && isServed)
    grading.observe({
      id: 'wait-once',
      evidence: `${children.length} children of process ${parent} ended while it was held by SIGSTOP; ${left} of them are zombies still`,
    });
  else if (isServed) grading.pass('wait-once');
}
