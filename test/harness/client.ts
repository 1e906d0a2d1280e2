/** Clients. */
import { once } from 'node:events';
import net from 'node:net';
import os from 'node:os';
import { eventually } from './wait.ts';

/** Many a container has no IPv6. */
export const hasIPv6 = Object.values(os.networkInterfaces()).some(addresses =>
  addresses?.some(({ address }) => address === '::1'),
);

export class Client {
  readonly socket: net.Socket;
  /** In pieces, which are put together when somebody looks. */
  #pieces: Buffer[] = [];
  #length = 0;
  /** How the connection ended: '' for a clean end, else the error's code. */
  readonly closed: Promise<string>;

  /** To a port, or to the path of a Unix socket; `from` is the local address that it comes from. */
  constructor(place: number | string, host = '127.0.0.1', from?: string) {
    const where = typeof place === 'string' ? { path: place } : { port: place, host };
    this.socket = net.connect({ ...where, allowHalfOpen: true, ...(from ? { localAddress: from } : {}) });
    this.socket.on('data', chunk => {
      this.#pieces.push(chunk);
      this.#length += chunk.length;
    });
    let failure = '';
    this.socket.on('error', (error: NodeJS.ErrnoException) => {
      failure = error.code ?? error.message;
    });
    this.closed = new Promise(resolve => this.socket.once('close', () => resolve(failure)));
    this.socket.on('end', () => this.socket.end());
  }

  static async connect(place: number | string, host?: string, from?: string): Promise<Client> {
    const client = new Client(place, host, from);
    await once(client.socket, 'connect');
    return client;
  }

  get #received(): Buffer {
    if (this.#pieces.length !== 1) this.#pieces = [Buffer.concat(this.#pieces)];
    return this.#pieces[0]!;
  }

  get received(): string {
    return this.#received.toString();
  }

  send(data: string | Uint8Array): void {
    this.socket.write(data);
  }

  /** Waits for so many bytes and takes them. */
  async receive(length: number): Promise<Buffer> {
    while (this.#length < length) {
      await Promise.race([
        once(this.socket, 'data'),
        this.closed.then(code => {
          if (this.#length < length)
            throw new Error(`closed (${code || 'cleanly'}) after ${this.#length} of ${length} bytes`);
        }),
      ]);
    }
    const all = this.#received;
    this.#pieces = [all.subarray(length)];
    this.#length -= length;
    return all.subarray(0, length);
  }

  /** Sends text, and takes so many bytes of answer: by default as many as it has sent. */
  async exchange(text: string, length = Buffer.byteLength(text)): Promise<string> {
    this.send(text);
    return (await this.receive(length)).toString();
  }

  /** Says that no more will be sent, and waits for the server's end. */
  async end(): Promise<string> {
    this.socket.end();
    return this.closed;
  }

  /** Closes with a reset, as a client that crashed does. */
  reset(): void {
    this.socket.resetAndDestroy();
  }
}

/** Resolves when nobody accepts connections there any more. */
export function refusesConnections(place: number | string): Promise<true> {
  const isRefused = () =>
    ask(place, 'x').then(
      () => false,
      () => true,
    );
  return eventually('the port to be closed', isRefused) as Promise<true>;
}

/** Connects, sends everything, and returns all that came until the server's end. */
export async function ask(place: number | string, text = '', host?: string): Promise<string> {
  const client = await Client.connect(place, host);
  if (text !== '') client.send(text); // even a write of nothing fails where the server has ended already
  client.socket.end();
  const failure = await client.closed;
  if (failure !== '') throw new Error(`the connection failed: ${failure}`);
  return client.received;
}
