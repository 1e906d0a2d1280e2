/** One traced run from start to end: its words as they come, clients if any are wanted, and what is drawn of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type ClientPlan, now, runClients } from './clients.js';
import type { Enter, Leave, TraceEvent } from './events.js';
import { buildModel, type Model, type ObservedClient } from './model.js';
import { SourceLines } from './source-lines.js';
import { startTrace } from './start-trace.js';
import { Narrator } from './text.js';
import type { TraceOptions, TraceResult, Tracer } from './tracer.js';
import { isFork } from './words.js';

export interface SessionOptions extends TraceOptions {
  /** Clients that come once the program listens; when they have ended, the program is ended as well. */
  readonly clients?: ClientPlan;
  /** Called with each line of the trace in words. */
  readonly onLine?: (line: string) => void;
  /** Called when the program has started: what a caller wants to do with it meanwhile. */
  readonly onStart?: (tracer: Tracer) => void;
  /** With clients: milliseconds that the program is given to listen, and after its last client. Default 10000 and 300. */
  readonly listenPatience?: number;
  readonly rest?: number;
}

export interface SessionResult {
  readonly model: Model;
  readonly result: TraceResult;
  /** The program was ended because its clients had ended. */
  readonly endedHere: boolean;
  /** Clients were wanted, and the program never listened. */
  readonly neverListened: boolean;
  readonly events: readonly TraceEvent[];
  readonly clients: readonly ObservedClient[];
}

/** How long nothing happens before it is said what the processes wait in. */
const quiet = 250;

export const isListening = (event: TraceEvent): event is Leave =>
  event.kind === 'leave' && event.call === 'listen' && event.result === 0;

/** Rejects where the program cannot be started or traced. */
export async function runSession(options: SessionOptions): Promise<SessionResult> {
  const tracer = startTrace({ filter: 'read-write', ...options });
  const narration = narrate(tracer, options.onLine ?? (() => undefined));
  try {
    const { at } = await tracer.started;
    options.onStart?.(tracer);
    const served = options.clients && (await serveClients(tracer, at, options, options.clients));
    // What the end itself does is no part of the picture.
    const kept = served && tracer.events.slice();
    const until = now() - at;
    if (served) await finish(tracer);
    const result = await tracer.ended;
    const events = kept ?? tracer.events;
    const clients = served?.clients ?? [];
    return {
      model: buildModel(events, { clients, ...(kept ? { until } : {}) }),
      result,
      endedHere: served?.isAlive === true,
      neverListened: served?.neverListened === true,
      events,
      clients,
    };
  } finally {
    await tracer.end();
    await narration;
  }
}

interface Served {
  readonly clients: ObservedClient[];
  readonly neverListened: boolean;
  /** The program has not ended by itself. */
  readonly isAlive: boolean;
}

async function serveClients(
  tracer: Tracer,
  origin: number,
  { listenPatience = 10_000, rest = 300 }: SessionOptions,
  plan: ClientPlan,
): Promise<Served> {
  const listening = await tracer.waitFor(isListening, listenPatience).catch(() => undefined);
  const address = listening?.details.address;
  if (address === undefined) return { clients: [], neverListened: true, isAlive: await isRunning(tracer) };
  const clients = await runClients(address, origin, plan);
  await sleep(rest);
  return { clients, neverListened: false, isAlive: await isRunning(tracer) };
}

async function isRunning(tracer: Tracer): Promise<boolean> {
  return (await Promise.race([tracer.ended, sleep(0, 'running')])) === 'running';
}

/** As an administrator would: SIGTERM first. */
async function finish(tracer: Tracer): Promise<void> {
  const { pid } = await tracer.started;
  tracer.kill(pid, 'SIGTERM');
  await Promise.race([tracer.ended, sleep(1000, undefined, { ref: false })]);
  await tracer.end();
}

/** In the order of the events, though their source lines have to be asked for. */
async function narrate(tracer: Tracer, write: (line: string) => void): Promise<void> {
  const narrator = new Narrator(write);
  const lines = new SourceLines();
  let last: { time: number; at: number } | undefined;
  const timer = setInterval(() => {
    if (last && now() - last.at > quiet) narrator.idle(last.time + now() - last.at);
  }, quiet);
  const forking = new Map<number, Enter>();
  for await (const event of tracer) {
    if (event.kind === 'enter' && isFork(event.call)) forking.set(event.pid, event);
    const enter = event.kind === 'born' ? forking.get(event.parent) : callOf(event);
    narrator.take(event, enter && (await lines.of(enter)));
    last = { time: event.time, at: now() };
  }
  clearInterval(timer);
  lines.end();
}

/** The call whose source line stands beside the event. */
function callOf(event: TraceEvent): Enter | undefined {
  if (event.kind === 'leave') return event.entered;
  return event.kind === 'enter' && event.call === 'exit_group' ? event : undefined;
}
