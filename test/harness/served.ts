/** A running `truefork serve`, and what it has said. */
import { expect } from 'vitest';
import type { ConnectionInfo, EndInfo, ExitInfo, RefusedInfo, ServerState } from '../../lib/index.ts';
import { Client } from './client.ts';
import { children } from './proc.ts';
import { script } from './scripts.ts';
import { cli, node, Subject, type SubjectOptions } from './subject.ts';
import { eventually } from './wait.ts';

type Event =
  | { event: 'listening'; host: string; port: number }
  | { event: 'listening'; path: string }
  | ({ event: 'connection' } & ConnectionInfo)
  | ExitEvent
  | EndEvent
  | { event: 'reload'; pid: number }
  | ({ event: 'state' } & ServerState)
  | RefusedEvent;
export type EndEvent = { event: 'end' } & EndInfo;
export type ExitEvent = { event: 'exit' } & ExitInfo;
export type RefusedEvent = { event: 'refused' } & RefusedInfo;

export class Served extends Subject {
  port = 0;
  readonly #events: Event[] = [];
  /** How much of what it said is among them. */
  #parsed = 0;

  /** Waits until it serves, and remembers the first of its ports. */
  async listens(deadlineMs?: number): Promise<void> {
    await this.says(/^\{"event":"listening".*\}\n/, 'stdout', deadlineMs);
    this.port = this.events.find(event => event.event === 'listening' && 'port' in event)?.port ?? 0;
  }

  get events(): Event[] {
    const end = this.stdout.lastIndexOf('\n') + 1;
    const lines = this.stdout.slice(this.#parsed, end).split('\n').filter(Boolean);
    this.#events.push(...lines.map(line => JSON.parse(line)));
    this.#parsed = end;
    return this.#events;
  }

  get connections(): ConnectionInfo[] {
    return this.events.filter(event => event.event === 'connection');
  }

  get exits(): ExitEvent[] {
    return this.events.filter(event => event.event === 'exit');
  }

  get reloads(): number {
    return this.events.filter(event => event.event === 'reload').length;
  }

  /** The oldest first. */
  get zygotePids(): number[] {
    const zygotes = children(this.pid).filter(({ state }) => state !== 'Z');
    // Not by their ids, which begin anew where there are no more.
    return zygotes.sort((a, b) => a.startedAt - b.startedAt).map(({ pid }) => pid);
  }

  get refusals(): RefusedEvent[] {
    return this.events.filter(event => event.event === 'refused');
  }

  get zygotePid(): number {
    const [zygote] = this.zygotePids;
    if (zygote === undefined) throw new Error('there is no zygote');
    return zygote;
  }

  /** From a local address, where one is given. */
  connect(from?: string): Promise<Client> {
    return Client.connect(this.port, '127.0.0.1', from);
  }

  /** The record of the n-th connection. */
  connectionOf(id: number): Promise<ConnectionInfo> {
    return eventually(`connection ${id}`, () => this.connections.find(connection => connection.id === id));
  }

  /** The exit record of the n-th connection. */
  exitOf(id: number): Promise<ExitEvent> {
    return eventually(`the exit of connection ${id}`, () => this.exits.find(exit => exit.id === id));
  }

  /** Connects and waits for the record of it. */
  async connectAndFind(): Promise<{ client: Client; info: ConnectionInfo }> {
    const client = await this.connect();
    const port = client.socket.localPort;
    const info = await eventually('the connection record', () =>
      this.connections.find(({ remotePort }) => remotePort === port),
    );
    return { client, info };
  }

  /** Stops it as a service manager would, and expects it to end in order. */
  async stop(): Promise<void> {
    this.signal('SIGTERM');
    expect(await this.ended).toEqual({ code: 0, signal: null });
  }
}

/** Serves a handler script, given as source or as the path of a file. */
export async function serve(handler: string, args: string[] = [], options?: SubjectOptions): Promise<Served> {
  const file = /\n|\s/.test(handler) ? script(handler) : handler;
  return serveAs([file, '--port', '0', ...args], options);
}

/** The kinds of servers, and poll(2) as the other multiplexer of the select server. */
export const everyServer = ['fork', 'iterative', 'select', 'poll'] as const;

/** The flags that ask for such a server. */
export function flagsOf(server: string): string[] {
  return server === 'poll' ? ['--mode', 'select', '--multiplexer', 'poll'] : ['--mode', server];
}

/** `truefork serve` with these arguments. */
export async function serveAs(args: string[], options?: SubjectOptions): Promise<Served> {
  const served = new Served(node, [cli, 'serve', '--json', ...args], options);
  await served.listens(options?.startsWithin);
  return served;
}
