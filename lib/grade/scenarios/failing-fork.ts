/** The fork() for one client fails with EAGAIN. */
import type { Grading } from '../grading.js';
import { patiently, settled } from '../patience.js';

export async function failingFork(grading: Grading): Promise<void> {
  if (!grading.forksForClients) {
    grading.pass('fork-failure');
    return;
  }
  await grading.withTracedServer({}, async server => {
    const { budget, protocol } = grading;
    const injected = () =>
      server.events.some(event => event.kind === 'intervened' && event.reason === 'injected');
    server.inject({ call: 'fork', fault: { errno: 'EAGAIN' } });
    const client = grading.connect(server);
    const accuse = (evidence: string) =>
      grading.observe({ id: 'fork-failure', evidence: `fork() failed with EAGAIN, and then ${evidence}` });
    try {
      client.send(protocol.request(0));
      const answered = () => protocol.answers(client.text, 0);
      await patiently(() => injected() && (client.isOver || answered()), server.processes, budget);
      await settled(server.processes, budget);
      const [acceptor] = server.acceptors;
      if (!injected()) return;
      if (server.events.some(event => event.kind === 'intervened' && event.reason === 'everybody'))
        return accuse(`process ${acceptor} called kill(-1, …)`);
      if (!server.isWhole) return accuse(`process ${acceptor} ended`);
      // A server that never closes a connection does not close this one either: that is its connfd-leak.
      if (!client.isOver && !answered() && !grading.has('connfd-leak'))
        return accuse('that client waits without an answer or an end');
      const next = grading.connect(server);
      const served = await grading.asks(server, next, 1);
      next.close();
      if (!served)
        return accuse(server.isWhole ? 'the next client gets no answer' : `process ${acceptor} ended`);
      grading.pass('fork-failure');
    } finally {
      client.close();
    }
  });
}
