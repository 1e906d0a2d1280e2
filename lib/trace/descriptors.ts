/** Which descriptor of which process is which socket, as the calls say: no look into /proc, which has only the present. */
import type { SocketAddress, TraceEvent } from './events.js';
import { isAccept } from './words.js';

export interface Connection {
  /** From 1, in the order of the accepts. */
  readonly number: number;
  readonly acceptedAt: number;
  readonly acceptedBy: number;
  readonly fd: number;
  readonly inode: number;
  readonly peer: SocketAddress | undefined;
}

export type OpenSocket =
  | { readonly kind: 'socket' }
  | { readonly kind: 'listener'; readonly address: SocketAddress | undefined }
  | { readonly kind: 'connection'; readonly connection: Connection };

export class Descriptors {
  readonly connections: Connection[] = [];
  readonly #tables = new Map<number, Map<number, OpenSocket>>();

  find(pid: number, fd: number | undefined): OpenSocket | undefined {
    return fd === undefined ? undefined : this.#tables.get(pid)?.get(fd);
  }

  /** The connection that the descriptor is, if it is one. */
  connection(pid: number, fd: number | undefined): Connection | undefined {
    const found = this.find(pid, fd);
    return found?.kind === 'connection' ? found.connection : undefined;
  }

  /** The connections that a process holds, oldest first. */
  held(pid: number): Connection[] {
    const sockets = Array.from(this.#tables.get(pid)?.values() ?? []);
    const held = sockets.flatMap(open => (open.kind === 'connection' ? [open.connection] : []));
    return Array.from(new Set(held)).sort((a, b) => a.number - b.number);
  }

  /** To be called with each event, in their order; what it is about is to be asked before for a close, after for others. */
  take(event: TraceEvent): void {
    if (event.kind === 'born' && event.by !== 'thread') {
      this.#tables.set(event.pid, new Map(this.#tables.get(event.parent)));
    } else if (event.kind === 'exit') {
      this.#tables.delete(event.pid);
    } else if (event.kind === 'leave' && event.result >= 0) {
      this.#takeCall(event);
    }
  }

  #takeCall({ pid, time, call, result, details }: Extract<TraceEvent, { kind: 'leave' }>): void {
    const table = this.#tables.get(pid);
    if (table === undefined) return;
    if (isAccept(call)) {
      const { inode = 0, address: peer } = details;
      const number = this.connections.length + 1;
      const connection = { number, acceptedAt: time, acceptedBy: pid, fd: result, inode, peer };
      this.connections.push(connection);
      table.set(result, { kind: 'connection', connection });
    } else if (call === 'socket') {
      table.set(result, { kind: 'socket' });
    } else if (call === 'listen') {
      table.set(details.fd!, { kind: 'listener', address: details.address });
    } else if (call === 'close') {
      table.delete(details.fd!);
    } else if (call === 'dup' || call === 'dup2' || call === 'dup3') {
      const copied = table.get(details.fd!);
      if (copied) table.set(result, copied);
      else table.delete(result);
    }
  }
}
