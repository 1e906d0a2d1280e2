/** What is drawn: lanes of processes and clients with what happened on them, made of events alone. */
import { type Connection, Descriptors } from './descriptors.js';
import type { Enter, Exit, Leave, SignalDelivered, TraceEvent } from './events.js';
import { isInterpreter } from './source-lines.js';
import { baseName, callName, isAccept, isWait, mayWait } from './words.js';

/** A client, as it saw itself or as the server's calls show it. All times are those of the trace. */
export interface Client {
  readonly number: number;
  readonly connectedAt: number;
  /** Its first answer; where it is not known, its accept. Undefined where it was never served. */
  readonly servedAt: number | undefined;
  readonly endedAt: number | undefined;
  readonly answers: readonly number[];
}

/** What a client that this process ran itself noted. */
export interface ObservedClient {
  readonly port: number;
  readonly connectedAt: number;
  readonly answers: readonly number[];
  readonly endedAt: number | undefined;
}

/** A stretch of a process's life in which it waits in a call, or stands still. */
export interface Wait {
  readonly from: number;
  to: number;
  readonly call: string;
  readonly enter: Enter | undefined;
  /** The client whom it is about. */
  readonly client: number | undefined;
  readonly stopped: boolean;
}

export interface Handler {
  readonly signal: string;
  readonly from: number;
  to: number;
}

export interface Accept {
  readonly at: number;
  readonly fd: number;
  readonly client: number;
  readonly leave: Leave;
}

/** A child's SIGCHLD on its way to the parent. */
export interface ChildSignal {
  readonly child: number;
  readonly parent: number;
  readonly sentAt: number;
  readonly deliveredAt: number;
  /** One was pending already: this one is lost. */
  readonly merged: boolean;
  readonly handled: boolean;
}

export interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly bornAt: number;
  readonly forkedBy: string;
  name: string;
  /** Where it was forked for one client. */
  client: number | undefined;
  readonly waits: Wait[];
  readonly handlers: Handler[];
  readonly accepts: Accept[];
  exit: Exit | undefined;
  /** When a wait call of the parent took its status. */
  waitedFor: { at: number; leave: Leave } | undefined;
  /** It is a zombie from its exit to here: its wait, or its parent's own end. Undefined: up to the end of the trace. */
  zombieUntil: number | undefined;
  /** Stretches in which it serves a client without being a child made for it. */
  readonly serving: { client: number; from: number; to: number }[];
}

export interface Model {
  readonly from: number;
  readonly to: number;
  readonly clients: readonly Client[];
  readonly processes: readonly Process[];
  readonly signals: readonly ChildSignal[];
}

export interface ModelOptions {
  readonly clients?: readonly ObservedClient[];
  /** When the trace was over; by default its last event. */
  readonly until?: number;
}

export function buildModel(events: readonly TraceEvent[], options: ModelOptions = {}): Model {
  const builder = new Builder();
  for (const event of events) builder.take(event);
  return builder.finish(options);
}

class Builder {
  readonly #descriptors = new Descriptors();
  readonly #processes = new Map<number, Process>();
  /** A process ID may come again. */
  readonly #all: Process[] = [];
  readonly #entered = new Map<number, Enter>();
  readonly #signals: SignalDelivered[] = [];
  /** Those whose children the kernel takes away, for they ignore SIGCHLD. */
  readonly #ignoring = new Set<number>();
  #listeningAt: number | undefined;
  readonly #endedConnections = new Map<number, number>();
  readonly #answers = new Map<number, number[]>();
  #last = 0;

  take(event: TraceEvent): void {
    const process = this.#processes.get(event.pid);
    this.#last = event.time;
    if (event.kind === 'leave') this.#leave(event, process);
    this.#descriptors.take(event);
    switch (event.kind) {
      case 'born':
        if (event.by !== 'thread') this.#born(event);
        break;
      case 'exec':
        if (process) process.name = programName(event.argv, event.path);
        break;
      case 'enter':
        this.#enter(event, process);
        break;
      case 'exit':
        this.#exit(event, process);
        break;
      case 'signal':
        this.#signal(event, process);
        break;
      case 'stopped':
        process?.waits.push(stoppedSpan(event.time, event.signal));
        break;
      case 'continued': {
        const last = process?.waits.findLast(wait => wait.stopped);
        if (last) last.to = event.time;
        break;
      }
    }
  }

  #born({ pid, parent, by, time }: Extract<TraceEvent, { kind: 'born' }>): void {
    const held = this.#descriptors.held(pid);
    const acceptors = new Set(held.map(({ acceptedBy }) => acceptedBy));
    const process: Process = {
      pid,
      parent,
      bornAt: time,
      forkedBy: by === 'root' ? '' : by === 'vfork' ? 'vfork' : 'fork',
      name: by === 'root' ? 'program' : 'child',
      client: acceptors.has(parent) ? held.at(-1)?.number : undefined,
      waits: [],
      handlers: [],
      accepts: [],
      exit: undefined,
      waitedFor: undefined,
      zombieUntil: undefined,
      serving: [],
    };
    this.#processes.set(pid, process);
    this.#all.push(process);
  }

  #enter(event: Enter, process: Process | undefined): void {
    this.#entered.set(event.tid, event);
    if (process === undefined || event.tid !== event.pid) return;
    if (event.call === 'rt_sigreturn') {
      const handler = process.handlers.at(-1);
      if (handler && handler.to === Number.POSITIVE_INFINITY) handler.to = event.time;
    }
    if (!mayWait(event)) return;
    const connection = this.#descriptors.connection(event.pid, event.details.fd);
    process.waits.push({
      from: event.time,
      to: Number.POSITIVE_INFINITY,
      call: callName(event),
      enter: event,
      client: connection?.number,
      stopped: false,
    });
    if (connection) this.#serve(process, connection, event.time);
  }

  /** What it does from its first look at a client to its last is for this client. */
  #serve(process: Process, { number }: Connection, time: number): void {
    if (process.client === number) return;
    const last = process.serving.at(-1);
    if (last?.client === number) last.to = time;
    else process.serving.push({ client: number, from: time, to: time });
  }

  #leave(event: Leave, process: Process | undefined): void {
    this.#entered.delete(event.tid);
    if (process === undefined) return;
    const { call, result, time, pid, details } = event;
    const wait = process.waits.findLast(({ enter }) => enter === event.entered);
    if (wait) wait.to = time;
    const connection = this.#descriptors.connection(pid, details.fd);
    if (connection) this.#traffic(event, process, connection);
    if (isAccept(call) && result >= 0) {
      const client = this.#descriptors.connections.length + 1;
      process.accepts.push({ at: time, fd: result, client, leave: event });
    }
    if (call === 'rt_sigaction' && details.signal === 'SIGCHLD' && details.disposition !== undefined) {
      if (details.disposition === 'ignored') this.#ignoring.add(pid);
      else this.#ignoring.delete(pid);
    }
    if (call === 'listen' && result === 0) this.#listen(process, time);
    if (isWait(call) && result > 0) {
      const child = this.#processes.get(result);
      if (child?.exit && child.waitedFor === undefined) {
        child.waitedFor = { at: time, leave: event };
        child.zombieUntil = time;
      }
    }
  }

  #traffic({ call, result, time }: Leave, process: Process, connection: Connection): void {
    this.#serve(process, connection, time);
    if (call.startsWith('write') || call.startsWith('send')) {
      const answers = this.#answers.get(connection.number) ?? [];
      if (result > 0) this.#answers.set(connection.number, [...answers, time]);
    }
    const isEnd = result === 0 && (call.startsWith('read') || call.startsWith('recv'));
    if (isEnd || call === 'close') this.#endedConnections.set(connection.number, time);
  }

  /** The one that listens is the server: a shell that started it, or a package manager, is not. */
  #listen(process: Process, time: number): void {
    if (this.#listeningAt !== undefined) return;
    this.#listeningAt = time;
    process.name = 'server';
  }

  #exit(event: Exit, process: Process | undefined): void {
    if (process === undefined) return;
    process.exit = event;
    // The first has the tracer for a parent, and an orphan init: both wait.
    const parent = this.#processes.get(process.parent);
    const isReaped = parent === undefined || parent.exit !== undefined || this.#ignoring.has(process.parent);
    if (isReaped) process.zombieUntil = event.time;
    for (const child of this.#all) {
      if (child.parent === event.pid && child.exit) child.zombieUntil ??= event.time;
    }
    for (const wait of process.waits) wait.to = Math.min(wait.to, event.time);
    for (const handler of process.handlers) handler.to = Math.min(handler.to, event.time);
    for (const { number } of this.#descriptors.held(event.pid)) {
      if (process.client === number) this.#endedConnections.set(number, event.time);
    }
  }

  #signal(event: SignalDelivered, process: Process | undefined): void {
    if (process === undefined) return;
    // Real-time signals are those that libraries send to their own threads.
    if (event.disposition === 'handler' && event.tid === event.pid && !event.signal.startsWith('SIGRT')) {
      process.handlers.push({ signal: event.signal, from: event.time, to: Number.POSITIVE_INFINITY });
    }
    if (event.signal === 'SIGCHLD' && (event.child === 'exited' || event.child === 'killed')) {
      this.#signals.push(event);
    }
  }

  finish({ clients: observed = [], until }: ModelOptions): Model {
    const server = this.#all.find(({ name }) => name === 'server');
    const from = Math.min(this.#listeningAt ?? 0, ...observed.map(({ connectedAt }) => connectedAt));
    // The last that happens is not at the very edge.
    const last = Math.max(until ?? 0, this.#last);
    const to = until === undefined ? last + (last - from) * 0.03 : last;
    for (const process of this.#all) {
      for (const span of [...process.waits, ...process.handlers]) span.to = Math.min(span.to, to);
    }
    const processes = this.#all.filter(
      ({ exit, name }) => name === 'server' || exit === undefined || exit.time > from || server === undefined,
    );
    const { clients, numbers } = this.#clients(observed);
    renumber(processes, numbers);
    nameChildren(processes);
    return { from, to, clients, processes, signals: childSignals(this.#all, this.#signals) };
  }

  /** The clients in the order in which they came, and which connection is whose. */
  #clients(observed: readonly ObservedClient[]): { clients: Client[]; numbers: Map<number, number> } {
    const known = new Map(observed.map(client => [client.port, client]));
    const numbers = new Map<number, number>();
    const found: Omit<Client, 'number'>[] = [];
    const owners: (number | undefined)[] = [];
    for (const connection of this.#descriptors.connections) {
      const { number, acceptedAt, peer } = connection;
      const own = peer && known.get(peer.port);
      if (own) known.delete(own.port);
      const answers = own?.answers ?? this.#answers.get(number) ?? [];
      found.push({
        connectedAt: own?.connectedAt ?? acceptedAt,
        servedAt: own ? answers[0] : acceptedAt,
        endedAt: own ? own.endedAt : this.#endedConnections.get(number),
        answers,
      });
      owners.push(number);
    }
    // Those whom nobody has accepted.
    for (const { connectedAt, endedAt, answers } of known.values()) {
      found.push({ connectedAt, servedAt: undefined, endedAt, answers });
      owners.push(undefined);
    }
    const order = found.map((_, i) => i).sort((a, b) => found[a]!.connectedAt - found[b]!.connectedAt);
    const clients = order.map((i, place) => {
      const owner = owners[i];
      if (owner !== undefined) numbers.set(owner, place + 1);
      return { ...found[i]!, number: place + 1 };
    });
    return { clients, numbers };
  }
}

function stoppedSpan(time: number, signal: string): Wait {
  const call = `stopped by ${signal}`;
  return {
    from: time,
    to: Number.POSITIVE_INFINITY,
    call,
    enter: undefined,
    client: undefined,
    stopped: true,
  };
}

/** An interpreter's script says more than its own name. */
function programName(argv: readonly string[], path: string): string {
  const own = baseName(argv[0] ?? path);
  const script = argv.slice(1).find(argument => !argument.startsWith('-'));
  return isInterpreter(own) && script?.includes('.') === true ? baseName(script) : own;
}

function renumber(processes: readonly Process[], numbers: ReadonlyMap<number, number>): void {
  const of = (connection: number | undefined) =>
    connection === undefined ? undefined : numbers.get(connection);
  for (const process of processes) {
    process.client = of(process.client);
    process.accepts.forEach((accept, i) => {
      process.accepts[i] = { ...accept, client: of(accept.client) ?? accept.client };
    });
    process.waits.forEach((wait, i) => {
      process.waits[i] = { ...wait, client: of(wait.client) };
    });
    for (const span of process.serving) span.client = of(span.client) ?? span.client;
  }
}

function nameChildren(processes: readonly Process[]): void {
  let others = 0;
  for (const process of processes) {
    if (process.name !== 'child') continue;
    process.name = process.client === undefined ? `child ${++others}` : `child of client ${process.client}`;
  }
}

/**
 * Which child's SIGCHLD was delivered, and which were lost. Delivered ones name their child. Any other was merged into the
 * first that was delivered to its parent after its end.
 */
function childSignals(processes: readonly Process[], delivered: readonly SignalDelivered[]): ChildSignal[] {
  const signals: ChildSignal[] = [];
  for (const { pid, parent, exit } of processes) {
    if (exit === undefined) continue;
    const later = delivered.filter(signal => signal.pid === parent && signal.time >= exit.time);
    const own = later.find(({ sender }) => sender === pid);
    const signal = own ?? later[0];
    if (signal === undefined) continue;
    const handled = signal.disposition === 'handler';
    const merged = own === undefined;
    signals.push({ child: pid, parent, sentAt: exit.time, deliveredAt: signal.time, merged, handled });
  }
  return signals;
}
