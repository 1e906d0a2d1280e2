import { type Accepted, type ConnectionDescription, native } from '../native.js';

/** The connection that a child was forked for. It is described when somebody asks: many a handler never does. */
export class ForkedFor implements Accepted {
  readonly fd: number;
  #description: ConnectionDescription | undefined;

  constructor(fd: number) {
    this.fd = fd;
  }

  get id(): number {
    return this.#describe().id;
  }

  get remoteAddress(): string {
    return this.#describe().remoteAddress;
  }

  get remotePort(): number {
    return this.#describe().remotePort;
  }

  #describe(): ConnectionDescription {
    return (this.#description ??= native.describeConnection());
  }
}
