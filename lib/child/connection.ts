import type { ConnectionDescription, Family } from '../binding/native.js';

/** How a connection is written to and ended: by blocking calls, or by events. */
export interface Transport {
  write(data: Uint8Array): boolean;
  end(): void;
  destroy(): void;
}

/** Of a connection that is over. */
const closed: Transport = { write: () => false, end() {}, destroy() {} };

/** The connection as a callbacks handler sees it. */
export class Connection {
  readonly #accepted: ConnectionDescription;
  #transport: Transport;

  constructor(accepted: ConnectionDescription, transport: Transport) {
    this.#accepted = accepted;
    this.#transport = transport;
  }

  /** The number of this connection in its server's records. */
  get id(): number {
    return this.#accepted.id;
  }

  get family(): Family {
    return this.#accepted.family;
  }

  /** Of a Unix socket's client, the path that it is bound to: for most, `''`. An abstract name begins with `@`. */
  get remoteAddress(): string {
    return this.#accepted.remoteAddress;
  }

  /** 0 for a Unix socket. */
  get remotePort(): number {
    return this.#accepted.remotePort;
  }

  get localAddress(): string {
    return this.#accepted.localAddress;
  }

  get localPort(): number {
    return this.#accepted.localPort;
  }

  /**
   * Sends data; text goes as UTF-8. Nothing is dropped or reordered, however slow the client is.
   *
   * @returns false where it could not be sent yet, or the connection is gone: as `net.Socket.write`.
   */
  write(data: string | Uint8Array): boolean {
    return this.#transport.write(typeof data === 'string' ? Buffer.from(data) : data);
  }

  /** Sends data, if any, and ends the connection. What the client still sends is not delivered. */
  end(data?: string | Uint8Array): void {
    if (data !== undefined) this.write(data);
    this.#transport.end();
  }

  /** Ends the connection at once. */
  destroy(): void {
    this.#transport.destroy();
  }

  /** @internal */
  carryBy(transport: Transport): void {
    this.#transport = transport;
  }

  /** The handler may keep this object. What it writes to it must not reach the next client. @internal */
  finish(): void {
    this.#transport = closed;
  }
}
