/** One grading: what was asked for, and what is known so far. Scenarios write into it. */
import { Client } from './client.js';
import { type FindingId, findingIds, type Observed } from './findings.js';
import { type Budget, patiently } from './patience.js';
import { freePort } from './ports.js';
import type { Protocol } from './protocol.js';
import { PlainServer, type Server, type ServerCommand, type StartOptions } from './server.js';
import { type TraceChoice, TracedServer } from './traced-server.js';
import type { Conduct } from './watch.js';

export type Model = 'iterative' | 'forking' | 'select' | 'threads';

/** The server cannot be graded at all. */
export class NotGradable extends Error {
  override name = 'NotGradable';
}

/** The server was ended for what it did: the scenario, and all that follow, cannot be judged. */
export class Stopped extends Error {
  override name = 'Stopped';
}

export interface GradingOptions extends ServerCommand {
  readonly protocol: Protocol;
  readonly expected: Model | undefined;
  readonly budget: Budget;
}

export class Grading {
  readonly options: GradingOptions;
  readonly budget: Budget;
  readonly protocol: Protocol;
  readonly found = new Map<FindingId, Observed>();
  readonly passed = new Set<FindingId>();
  /** Found on one start of the server, and not on a second. */
  readonly disputed = new Set<FindingId>();
  readonly notes: string[] = [];
  readonly conduct = new Set<Conduct>();
  /** How the server turned out to work. */
  model: Model | 'prefork' | undefined;
  /** It closes each connection after one answer. */
  isBrief = false;
  /** A child is forked for each client, and serves it. */
  forksForClients = false;
  /** Descriptors, in the accepting process of an untouched start: the listener's, and the highest of two clients. */
  descriptors: { listener: number; highest: number } | undefined;

  constructor(options: GradingOptions) {
    this.options = options;
    this.budget = options.budget;
    this.protocol = options.protocol;
  }

  observe(observed: Observed): void {
    if (!this.found.has(observed.id)) this.found.set(observed.id, observed);
  }

  pass(...ids: FindingId[]): void {
    for (const id of ids) this.passed.add(id);
  }

  has(...ids: FindingId[]): boolean {
    return ids.some(id => this.found.has(id));
  }

  get notTested(): FindingId[] {
    return findingIds.filter(id => !this.found.has(id) && !this.passed.has(id));
  }

  note(text: string): void {
    if (!this.notes.includes(text)) this.notes.push(text);
  }

  cannotTrace = false;

  tracingFails(why: string): void {
    this.cannotTrace = true;
    this.note(`What only the tracer can tell was not tested: ${why}`);
  }

  /** Starts the server, lets `judge` look at it, and ends it whatever happens. */
  async withServer<T>(options: StartOptions, judge: (server: PlainServer) => Promise<T>): Promise<T> {
    const port = options.port ?? (await freePort());
    const server = new PlainServer(this.options, this.budget, { ...options, port });
    return this.#judged(server, port, judge);
  }

  /** The same under the tracer. */
  async withTracedServer<T>(options: TraceChoice, judge: (server: TracedServer) => Promise<T>): Promise<T> {
    const port = await freePort();
    const server = new TracedServer(this.options, this.budget, { ...options, port });
    return this.#judged(server, port, judge);
  }

  async #judged<S extends Server, T>(server: S, port: number, judge: (server: S) => Promise<T>): Promise<T> {
    try {
      await server.listens(port);
      return await judge(server);
    } catch (error) {
      this.takeConduct(server);
      throw error;
    } finally {
      await server.end();
      this.takeConduct(server);
    }
  }

  /** @throws {Stopped} when the watch has ended the server */
  takeConduct(server: Server): void {
    const { watch } = server;
    if (server instanceof PlainServer && server.endedBy === 'SIGSYS') {
      // The launcher's filter ends what calls kill(-1, …).
      this.conduct.add('kills-strangers');
      throw new Stopped('it sent a signal to all processes of the machine');
    }
    if (server.isDaemon && !watch.stopped) this.conduct.add('daemonises');
    if (watch.conduct !== undefined) this.conduct.add(watch.conduct);
    if (watch.usesTooMuchMemory && !watch.isBomb)
      this.note('The server was ended because it used more than 3 GB of memory.');
    if (watch.isBomb)
      this.observe({
        id: 'fork-bomb',
        evidence: `${watch.most} processes were running; the server was ended`,
      });
    if (watch.stopped) throw new Stopped('the server was ended');
  }

  connect(server: Server): Client {
    return new Client(server.port, { host: server.host });
  }

  /** Sends request n and waits for its answer. False: it did not come though the server had time for it. */
  async asks(server: Server, client: Client, n = 0, ms?: number): Promise<boolean> {
    const from = client.received.length;
    client.send(this.protocol.request(n));
    return this.isAnswered(server, client, n, from, ms);
  }

  async isAnswered(server: Server, client: Client, n: number, from = 0, ms?: number): Promise<boolean> {
    const answered = () => this.protocol.answers(client.received.subarray(from).toString('latin1'), n);
    const outcome = await patiently(
      () => (answered() ? 'answered' : client.isOver ? 'over' : undefined),
      server.processes,
      this.budget,
      ms === undefined ? {} : { ms },
    );
    return outcome === 'answered' || answered();
  }
}
