/** The server is killed while a client is connected, and started again on the same port. */
import type { Grading } from '../grading.js';
import { patiently } from '../patience.js';
import { freePort } from '../ports.js';
import { NotListening, PlainServer } from '../server.js';
import { tcpSockets } from '../system/tcp.js';

export async function startAgain(grading: Grading): Promise<void> {
  const { budget } = grading;
  const wanted = await freePort();
  let port = 0;
  const client = await grading.withServer({ port: wanted }, async server => {
    port = server.port;
    const first = grading.connect(server);
    await grading.asks(server, first, 0);
    return first;
  });
  try {
    // The server's end of the connection is left, without a process: that is what a bind() without the option minds.
    const remains = await patiently(
      () => lingers(port),
      () => [],
      budget,
      { ms: Infinity, atMost: 20 },
    );
    if (!remains || client.end === 'reset') return;
    if (await startsOn(grading, wanted, port)) {
      grading.pass('no-reuseaddr');
      return;
    }
    client.reset();
    const isFree = () => !lingers(port) && !tcpSockets(port).some(({ state }) => state === 'LISTEN');
    await patiently(isFree, () => [], budget, { ms: Infinity, atMost: 50 });
    // Without the rest of that connection it does start: so nothing else was in its way.
    if (isFree() && (await startsOn(grading, wanted, port)))
      grading.observe({
        id: 'no-reuseaddr',
        evidence: `killed with a client connected, it could not be started again on port ${port} until that connection had gone`,
      });
  } finally {
    client.reset();
  }
}

const lingers = (port: number) =>
  tcpSockets(port).some(({ state, inode }) => (state === 'FIN_WAIT' || state === 'TIME_WAIT') && inode === 0);

async function startsOn(grading: Grading, wanted: number, port: number): Promise<boolean> {
  const server = new PlainServer(grading.options, grading.budget, { port: wanted });
  try {
    await server.listens(wanted);
    return server.port === port;
  } catch (error) {
    if (error instanceof NotListening) return false;
    throw error;
  } finally {
    await server.end();
    grading.takeConduct(server);
  }
}
