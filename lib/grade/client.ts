/** A client of the graded server. It notes what came and how the connection ended, and never throws. */
import net from 'node:net';
import os from 'node:os';
import { native } from '../binding/native.js';

export type ClientEnd = 'open' | 'finished' | 'reset' | 'refused';

export class Client {
  readonly socket: net.Socket;
  received = Buffer.alloc(0);
  /** Bytes that came; `received` keeps the first of them only where there are many. */
  count = 0;
  end: ClientEnd = 'open';
  connected = false;
  #keepsAll: boolean;
  #finished = false;
  #localPort = 0;

  constructor(port: number, { host = '127.0.0.1', socket, keepsAll = true }: ClientOptions = {}) {
    this.#keepsAll = keepsAll;
    this.socket = socket ?? net.connect({ port, host, noDelay: true, allowHalfOpen: true });
    this.connected = socket !== undefined;
    this.socket.on('connect', () => {
      this.connected = true;
      this.#localPort = this.socket.localPort ?? 0;
    });
    this.socket.on('data', (chunk: Buffer) => {
      this.count += chunk.length;
      if (this.#keepsAll) this.received = Buffer.concat([this.received, chunk]);
    });
    this.socket.on('end', () => {
      this.end = 'finished';
    });
    this.socket.on('error', () => {
      this.end = this.connected ? 'reset' : 'refused';
    });
    this.socket.on('close', () => {
      if (this.end === 'open') this.end = 'finished';
    });
  }

  /** 0 before it is connected. It stays known when the connection has ended. */
  get localPort(): number {
    this.#localPort = this.socket.localPort ?? this.#localPort;
    return this.#localPort;
  }

  get isOver(): boolean {
    return this.end !== 'open';
  }

  get text(): string {
    return this.received.toString('latin1');
  }

  send(data: string | Uint8Array): void {
    if (this.socket.writable) this.socket.write(data);
  }

  /** Says that nothing more will be sent: FIN. */
  finish(): void {
    this.#finished = true;
    if (this.socket.writable) this.socket.end();
  }

  /**
   * Ends the connection. If the server was the first to close it, by RST: otherwise its port would stay in TIME_WAIT, and the next
   * start might fail for that.
   */
  close(): void {
    if (this.#finished && this.end !== 'reset') this.socket.destroy();
    else this.reset();
  }

  reset(): void {
    this.end = this.end === 'open' ? 'reset' : this.end;
    if (!this.socket.destroyed) this.socket.resetAndDestroy();
  }
}

export interface ClientOptions {
  readonly host?: string;
  readonly socket?: net.Socket;
  readonly keepsAll?: boolean;
}

/** A socket that takes little, so that a server soon cannot write to a client that does not read. It does not read yet. */
export function connectNarrow(port: number, host = '127.0.0.1'): net.Socket {
  const { posix } = native;
  const { AF_INET, AF_INET6, SOCK_STREAM, SOL_SOCKET, SO_RCVBUF, F_GETFL, F_SETFL, O_NONBLOCK } =
    posix.constants;
  const family = host.includes(':') ? AF_INET6 : AF_INET;
  const fd = posix.socket(family, SOCK_STREAM, 0);
  posix.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, 4096);
  posix.fcntl(fd, F_SETFL, posix.fcntl(fd, F_GETFL) | O_NONBLOCK);
  try {
    posix.connect(fd, { family, address: host, port });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).errno !== -os.constants.errno.EINPROGRESS) throw error;
  }
  return new net.Socket({
    fd,
    readable: true,
    writable: true,
    allowHalfOpen: true,
    pauseOnCreate: true,
  } as never);
}
