import { type ConnectionDescription, type Family, native } from '../binding/native.js';

/** The addresses of the connection that a child serves, asked of the addon at the first use: many handlers never do. */
export class LazyDescription implements ConnectionDescription {
  #description: ConnectionDescription | undefined;

  get id(): number {
    return this.#describe().id;
  }

  get family(): Family {
    return this.#describe().family;
  }

  get remoteAddress(): string {
    return this.#describe().remoteAddress;
  }

  get remotePort(): number {
    return this.#describe().remotePort;
  }

  get localAddress(): string {
    return this.#describe().localAddress;
  }

  get localPort(): number {
    return this.#describe().localPort;
  }

  /** Describes it now: the next connection of this process will be the one that is described. */
  settle(): void {
    this.#describe();
  }

  #describe(): ConnectionDescription {
    return (this.#description ??= native.describeConnection());
  }
}
