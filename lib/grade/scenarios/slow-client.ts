/** One client is slow to send, or does not read. Do the others notice? And is all that it is sent in the end complete? */
import { Client, connectNarrow } from '../client.js';
import type { Grading } from '../grading.js';
import { patiently, settled } from '../patience.js';
import type { Server } from '../server.js';

const most = 4 * 2 ** 20;
const chunkBytes = 32 * 2 ** 10;

export async function slowClient(grading: Grading): Promise<void> {
  if (grading.forksForClients) {
    // A child of its own can hold up nobody else.
    grading.pass('slow-client');
    return;
  }
  await grading.withServer({}, server => new SlowClient(grading, server).run());
}

class SlowClient {
  readonly #grading: Grading;
  readonly #server: Server;
  readonly #clients: Client[] = [];

  constructor(grading: Grading, server: Server) {
    this.#grading = grading;
    this.#server = server;
  }

  async run(): Promise<void> {
    try {
      if (!(await this.#halfARequest())) return;
      if (this.#grading.protocol.echoes && !this.#grading.isBrief && !(await this.#doesNotRead())) return;
      this.#grading.pass('slow-client');
    } finally {
      for (const client of this.#clients) client.close();
    }
  }

  async #halfARequest(): Promise<boolean> {
    const { protocol, budget } = this.#grading;
    const slow = this.#grading.connect(this.#server);
    this.#clients.push(slow);
    slow.send(protocol.request(0).slice(0, protocol.request(0).length >> 1));
    await patiently(
      () => this.#server.connectionOf(slow)?.unread === 0 && slow.connected,
      this.#server.processes,
      budget,
      { ms: 300 },
    );
    return this.#othersAreServed('half a request has come from one client, and nothing more');
  }

  async #othersAreServed(what: string): Promise<boolean> {
    await settled(this.#server.processes, this.#grading.budget);
    const other = this.#grading.connect(this.#server);
    this.#clients.push(other);
    const askedAt = performance.now();
    if (await this.#grading.asks(this.#server, other, 1)) return true;
    const waited = Math.round(performance.now() - askedAt);
    this.#grading.takeConduct(this.#server);
    this.#grading.observe({
      id: 'slow-client',
      evidence: `${what}: another client ${this.#server.isWhole ? `has no answer after ${waited} ms` : `finds the server ended (${this.#acceptors})`}`,
    });
    return false;
  }

  get #acceptors(): string {
    return this.#server.acceptors.map(pid => `process ${pid}`).join(', ');
  }

  /** Sends and does not read, until the server takes no more or has taken a lot; later it reads all. */
  async #doesNotRead(): Promise<boolean> {
    const { budget } = this.#grading;
    const socket = connectNarrow(this.#server.port, this.#server.host);
    const client = new Client(this.#server.port, { socket, keepsAll: false });
    this.#clients.push(client);
    socket.pause();
    await patiently(
      () => (this.#server.connectionOf(client)?.inode ?? 0) > 0,
      this.#server.processes,
      budget,
    );
    const lines = 'a-line-that-comes-back-as-it-is\n'.repeat(chunkBytes / 32);
    let sent = 0;
    while (sent < most && !client.isOver) {
      const before = socket.bytesWritten;
      client.send(lines);
      sent += lines.length;
      const taken = () => socket.writableLength === 0 || client.isOver;
      const progress = await patiently(taken, this.#server.processes, budget, { ms: 200 });
      if (progress === undefined && socket.bytesWritten >= before) break;
    }
    if (!(await this.#othersAreServed('one client sends, and does not read its answers'))) return false;
    if (client.isOver) return true; // it is the server's right to close such a connection
    socket.resume();
    await this.#comesBack(client, sent);
    return true;
  }

  async #comesBack(client: Client, sent: number): Promise<void> {
    let last = -1;
    while (client.count < sent && client.count !== last && !client.isOver) {
      last = client.count;
      const more = () => client.count >= sent || client.isOver || client.count > last + 65_536;
      await patiently(more, this.#server.processes, this.#grading.budget);
    }
    if (client.count >= sent || client.isOver) return;
    this.#grading.observe({
      id: 'short-write',
      evidence: `a client that had not read for a while got back ${client.count} of ${sent} bytes`,
    });
  }
}
