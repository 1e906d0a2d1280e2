/** Three clients and a SIGTERM under the tracer: what interrupts accept(), who calls it, and what the handlers call. */
import type { Enter, Leave, TraceEvent } from '../../trace/index.js';
import type { Client } from '../client.js';
import type { Grading } from '../grading.js';
import { patiently, settled } from '../patience.js';
import { isRunning } from '../system/proc.js';
import type { TracedServer } from '../traced-server.js';

const watched: NodeJS.Signals[] = [
  'SIGCHLD',
  'SIGTERM',
  'SIGINT',
  'SIGHUP',
  'SIGALRM',
  'SIGUSR1',
  'SIGUSR2',
  'SIGPIPE',
  'SIGQUIT',
];

export async function tracedLife(grading: Grading): Promise<void> {
  const events = await grading.withTracedServer({ watchHandlers: watched }, async server => {
    await live(grading, server);
    return server.events;
  });
  judgeSignals(grading, events);
  judgeAccepts(grading, events);
  judgeInterruptions(grading, events);
  judgeHandlers(grading, events);
}

async function live(grading: Grading, server: TracedServer): Promise<void> {
  const clients: Client[] = [];
  const come = async (n: number) => {
    const client = grading.connect(server);
    clients.push(client);
    await grading.asks(server, client, n, 700);
    return client;
  };
  const go = async (client: Client) => {
    const children = server.younger().map(({ pid }) => pid);
    client.finish();
    await patiently(
      () => client.isOver && (children.length === 0 || children.some(pid => !isRunning(pid))),
      server.processes,
      grading.budget,
      { ms: 300 },
    );
    await settled(server.processes, grading.budget);
  };
  try {
    const a = await come(0);
    await go(await come(1));
    await go(await come(2));
    await go(a);
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      for (const pid of server.acceptors) server.signal(pid, signal);
      await settled(server.processes, grading.budget);
    }
  } finally {
    for (const client of clients) client.close();
  }
}

/** Signals that the tracer has kept from processes that are not the server's. */
function judgeSignals(grading: Grading, events: readonly TraceEvent[]): void {
  const outside = events.find(
    event => event.kind === 'intervened' && (event.reason === 'everybody' || event.reason === 'stranger'),
  );
  if (outside === undefined) return;
  grading.conduct.add('kills-strangers');
  grading.note(
    `Process ${outside.pid} sent a signal to processes that are not its own; it was kept from them.`,
  );
}

const isAccept = ({ call }: Enter | Leave) => call === 'accept' || call === 'accept4';

/** A process that was forked by one that had accepted a client, and accepts itself. */
function judgeAccepts(grading: Grading, events: readonly TraceEvent[]): void {
  const haveAccepted = new Set<number>();
  const forServing = new Map<number, number>();
  for (const event of events) {
    if (event.kind === 'leave' && isAccept(event) && event.result >= 0) haveAccepted.add(event.pid);
    if (event.kind === 'born' && event.by !== 'thread' && haveAccepted.has(event.parent))
      forServing.set(event.pid, event.parent);
    if (event.kind === 'exec') forServing.delete(event.pid);
    if (event.kind !== 'enter' || !isAccept(event) || !forServing.has(event.pid)) continue;
    grading.observe({
      id: 'child-falls-through',
      evidence: `process ${event.pid} was forked by ${forServing.get(event.pid)} for a client, and calls ${event.call}(${event.details.fd}) itself at ${at(event)}`,
    });
    return;
  }
}

/** What follows when accept() has failed with EINTR: the same call again, or the end, or a child for descriptor -1. */
function judgeInterruptions(grading: Grading, events: readonly TraceEvent[]): void {
  let interrupted = false;
  for (const [index, event] of events.entries()) {
    if (event.kind !== 'leave' || !isAccept(event) || event.errno !== 'EINTR') continue;
    if (!isSeen(event, events, index)) continue;
    interrupted = true;
    const what = consequence(event.pid, events, index);
    if (what === undefined) continue;
    grading.observe({
      id: 'eintr-accept',
      evidence: `process ${event.pid}: ${event.call}() failed with EINTR at ${at(event)}, and then ${what}`,
    });
    return;
  }
  if (interrupted) grading.pass('eintr-accept');
}

function isSeen(leave: Leave, events: readonly TraceEvent[], index: number): boolean {
  if (leave.interrupted === 'seen') return true;
  const signal = events.slice(index + 1).find(event => event.kind === 'signal' && event.tid === leave.tid);
  // Only the end of a child counts: SIGTERM is meant to end the server.
  return (
    signal?.kind === 'signal' &&
    signal.signal === 'SIGCHLD' &&
    signal.disposition === 'handler' &&
    signal.restart === false
  );
}

function consequence(pid: number, events: readonly TraceEvent[], index: number): string | undefined {
  for (const event of events.slice(index + 1)) {
    if (event.kind === 'born' && event.parent === pid && event.by !== 'thread')
      return `forked ${event.pid} without a client`;
    if (event.pid !== pid) continue;
    if (event.kind === 'signal' && event.signal !== 'SIGCHLD') return undefined;
    if (event.kind === 'exit') return 'the process ended';
    if (event.kind === 'enter' && /accept|select|poll/.test(event.call)) return undefined;
  }
  return undefined;
}

/** Not in signal-safety(7), but without stdio or the heap in glibc; exit() in a handler that ends the server is common. */
const tolerated = /^(v?sn?printf|__v?sn?printf_chk|exit)$/;

function judgeHandlers(grading: Grading, events: readonly TraceEvent[]): void {
  const unsafe = events.find(event => event.kind === 'unsafe-call' && !tolerated.test(event.function));
  if (unsafe?.kind !== 'unsafe-call') {
    grading.pass('unsafe-handler');
    return;
  }
  const same = events.flatMap(event =>
    event.kind === 'unsafe-call' && event.signal === unsafe.signal && !tolerated.test(event.function)
      ? [event.function]
      : [],
  );
  grading.observe({
    id: 'unsafe-handler',
    evidence: `process ${unsafe.pid}: the handler of ${unsafe.signal} calls ${[...new Set(same)].map(name => `${name}()`).join(', ')} at ${at(unsafe)}`,
  });
}

const at = ({ time }: TraceEvent) => `${time.toFixed(1)} ms`;
