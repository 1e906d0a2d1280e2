/** write() takes five bytes at most. Does the whole answer come? */
import type { Grading } from '../grading.js';
import { patiently, settled } from '../patience.js';

const bytes = 5;

export async function shortWrites(grading: Grading): Promise<void> {
  await grading.withTracedServer({ filter: 'read-write' }, async server => {
    const { budget, protocol } = grading;
    const client = grading.connect(server);
    try {
      const inode = () => server.connectionOf(client)?.inode ?? 0;
      await patiently(() => inode() > 0, server.processes, budget, { ms: 500 });
      await settled(server.processes, budget);
      const holders = server.holdersOf(inode());
      const children = holders.filter(pid => !server.idle.has(pid));
      for (const pid of children.length > 0 ? children : holders)
        server.inject({ call: 'write', pid, times: Number.POSITIVE_INFINITY, fault: { length: bytes } });
      const request = protocol.request(3);
      client.send(request);
      const answered = await grading.isAnswered(server, client, 3);
      const injected = server.events.find(
        event => event.kind === 'intervened' && event.reason === 'injected',
      );
      if (injected?.kind !== 'intervened') return;
      if (answered) {
        grading.pass('short-write');
        return;
      }
      if (client.count === 0) return;
      grading.observe({
        id: 'short-write',
        evidence: `process ${injected.pid}: ${injected.call}() took ${bytes} bytes of an answer, and the rest never came: ${client.count} of ${request.length} bytes did`,
      });
    } finally {
      client.close();
    }
  });
}
