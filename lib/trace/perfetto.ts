/** A trace as trace events in JSON, for ui.perfetto.dev and chrome://tracing: slices, instants, and flows between them. */
import type { Client, Model, Process } from './model.js';

interface PerfettoEvent {
  readonly name: string;
  readonly ph: 'X' | 'M' | 'i' | 's' | 'f';
  readonly pid: number;
  readonly tid: number;
  readonly [key: string]: unknown;
}

/** The clients are shown as threads of a process of their own. */
const clientsPid = 0;
const micros = (ms: number) => Math.round(ms * 1000);

export function toPerfetto(model: Model): string {
  const events = [
    ...model.clients.flatMap(client => clientEvents(model, client)),
    ...model.processes.flatMap((process, i) => processEvents(model, process, i + 1)),
    ...signalEvents(model),
  ];
  if (model.clients.length > 0) events.push(named('process_name', clientsPid, clientsPid, 'clients'));
  return `${JSON.stringify({ displayTimeUnit: 'ms', traceEvents: events }, null, 1)}\n`;
}

function named(kind: 'process_name' | 'thread_name', pid: number, tid: number, name: string): PerfettoEvent {
  return { name: kind, ph: 'M', pid, tid, args: { name } };
}

function slice(pid: number, tid: number, name: string, from: number, to: number): PerfettoEvent {
  return { name, ph: 'X', pid, tid, ts: micros(from), dur: Math.max(0, micros(to) - micros(from)) };
}

function instant(pid: number, name: string, at: number): PerfettoEvent {
  return { name, ph: 'i', s: 't', pid, tid: pid, ts: micros(at) };
}

function flow(id: string, name: string, from: [pid: number, at: number], to: [pid: number, at: number]) {
  const [start, end] = [from, to].map(([pid, at]) => ({ pid, tid: pid, ts: micros(at) }));
  const common = { name, cat: name, id };
  return [
    { ...common, ph: 's', ...start! },
    { ...common, ph: 'f', bp: 'e', ...end! },
  ] as PerfettoEvent[];
}

function clientEvents(
  model: Model,
  { number, connectedAt, servedAt, endedAt = model.to }: Client,
): PerfettoEvent[] {
  const served = servedAt ?? endedAt;
  return [
    named('thread_name', clientsPid, number, `client ${number}`),
    ...(served > connectedAt ? [slice(clientsPid, number, 'waits', connectedAt, served)] : []),
    ...(endedAt > served ? [slice(clientsPid, number, 'is served', served, endedAt)] : []),
  ];
}

function processEvents(model: Model, process: Process, order: number): PerfettoEvent[] {
  const { pid, parent, exit, bornAt, waitedFor, zombieUntil = model.to } = process;
  const isForked = model.processes.some(other => other.pid === parent);
  return [
    named('process_name', pid, pid, process.name),
    named('thread_name', pid, pid, process.name),
    { name: 'process_sort_index', ph: 'M', pid, tid: pid, args: { sort_index: order } },
    slice(pid, pid, process.name, bornAt, exit?.time ?? model.to),
    ...process.waits.map(({ call, from, to, stopped }) =>
      slice(pid, pid, stopped ? call : `waits in ${call}`, from, to),
    ),
    ...process.handlers.map(({ signal, from, to }) => slice(pid, pid, `handler of ${signal}`, from, to)),
    ...process.accepts.map(({ at, fd, client }) => instant(pid, `accept() = ${fd}: client ${client}`, at)),
    ...(exit && zombieUntil > exit.time ? [slice(pid, pid, 'zombie', exit.time, zombieUntil)] : []),
    ...(waitedFor ? [instant(pid, 'waited for', waitedFor.at)] : []),
    ...(isForked ? flow(`fork ${pid}`, 'fork', [parent, bornAt], [pid, bornAt]) : []),
  ];
}

function signalEvents({ signals }: Model): PerfettoEvent[] {
  return signals.flatMap(({ child, parent, sentAt, deliveredAt, merged }) =>
    flow(
      `SIGCHLD ${child}`,
      merged ? 'SIGCHLD, merged into a pending one' : 'SIGCHLD',
      [child, sentAt],
      [parent, deliveredAt],
    ),
  );
}
