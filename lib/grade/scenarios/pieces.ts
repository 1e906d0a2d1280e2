/** TCP is a stream: a request comes in two pieces. */
import type { Grading } from '../grading.js';
import { patiently, settled } from '../patience.js';

export async function inPieces(grading: Grading): Promise<void> {
  await grading.withServer({}, async server => {
    const client = grading.connect(server);
    try {
      const request = grading.protocol.request(5);
      const half = request.length >> 1;
      client.send(request.slice(0, half));
      const isRead = () => client.connected && server.connectionOf(client)?.unread === 0;
      await patiently(isRead, server.processes, grading.budget, { ms: 500 });
      await settled(server.processes, grading.budget);
      client.send(request.slice(half));
      if (await grading.isAnswered(server, client, 5)) {
        grading.pass('short-read');
        return;
      }
      grading.takeConduct(server);
      const got = JSON.stringify(client.text.slice(0, 60));
      grading.observe({
        id: 'short-read',
        evidence: `${JSON.stringify(request)} was sent in two pieces, of ${half} and ${request.length - half} bytes; ${client.text === '' ? 'nothing came back' : `${got} came back`}${client.isOver ? ', then the end' : ''}`,
      });
    } finally {
      client.close();
    }
  });
}
