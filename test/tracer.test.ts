/** The tracer tells what the processes of an unmodified program do, changes only what it is asked to, and leaves nothing. */
import { spawn } from 'node:child_process';
import { afterEach, describe, expect, test } from 'vitest';
import {
  type Leave,
  startTrace,
  type TraceEvent,
  type TraceOptions,
  type Tracer,
} from '../dist/trace/index.js';
import { Client } from './harness/client.ts';
import { isAlive } from './harness/proc.ts';
import { node } from './harness/subject.ts';
import { eventually } from './harness/wait.ts';
import { compiled } from './trace/compile.ts';

const patience = 20_000;
const running = new Set<Tracer>();

function trace(options: TraceOptions): Tracer {
  const tracer = startTrace({ stdio: ['ignore', 'pipe', 'pipe'], ...options });
  running.add(tracer);
  return tracer;
}

afterEach(async () => {
  await Promise.all(Array.from(running, tracer => tracer.end()));
  running.clear();
});

/** Runs one act of subjects.c to its end. */
async function act(name: string, options: Partial<TraceOptions> = {}) {
  const tracer = trace({ command: [compiled('subjects'), name], ...options });
  let said = '';
  tracer.stdout!.on('data', text => {
    said += text;
  });
  const result = await tracer.ended;
  return { said, result, events: tracer.events, tracer };
}

function ofKind<K extends TraceEvent['kind']>(events: readonly TraceEvent[], kind: K) {
  return events.filter((event): event is Extract<TraceEvent, { kind: K }> => event.kind === kind);
}

const left = (events: readonly TraceEvent[], call: string) =>
  ofKind(events, 'leave').filter(leave => leave.call === call);

const isListening = (event: TraceEvent): event is Leave =>
  event.kind === 'leave' && event.call === 'listen' && event.result === 0;

describe('what is told', () => {
  test.for([
    ['dynamic', []],
    ['static', ['-static']],
  ] as const)('a forking server, %s', async ([, flags]) => {
    const tracer = trace({ command: [compiled('forking', ...flags)], filter: 'read-write' });
    const listening = await tracer.waitFor(isListening, patience);
    const { port } = listening.details.address!;
    const client = await Client.connect(port);
    expect(await client.exchange('hello')).toBe('hello');
    const mine = client.socket.localPort;
    expect(await client.end()).toBe('');
    await tracer.waitFor(
      event => event.kind === 'leave' && event.call === 'wait4' && event.result > 0,
      patience,
    );
    const { events } = tracer;

    const [root, child] = ofKind(events, 'born');
    expect(root).toMatchObject({ by: 'root', parent: 0, pid: (await tracer.started).pid });
    expect(child).toMatchObject({ by: 'fork', parent: root!.pid });
    expect(left(events, 'accept')[0]).toMatchObject({
      pid: root!.pid,
      details: { address: { family: 'IPv4', address: '127.0.0.1', port: mine }, inode: expect.any(Number) },
    });
    expect(left(events, 'read').find(({ pid }) => pid === child!.pid)).toMatchObject({ result: 5 });
    expect(left(events, 'write').at(-1)).toMatchObject({
      pid: child!.pid,
      details: { data: Buffer.from('hello') },
    });
    expect(ofKind(events, 'exit')).toMatchObject([{ pid: child!.pid, code: 0 }]);
    expect(ofKind(events, 'signal')).toMatchObject([
      { signal: 'SIGCHLD', pid: root!.pid, sender: child!.pid, disposition: 'handler', restart: true },
    ]);
    expect(left(events, 'wait4')[0]).toMatchObject({
      result: child!.pid,
      details: { status: 0, nohang: true },
    });
    // The handler has ended, and accept is begun anew: the last event is the call that the server is in.
    await tracer.waitFor(event => event === tracer.events.at(-1) && isAccept(event), patience);
    const pids = [root!.pid, child!.pid];
    expect(await tracer.end()).toMatchObject({ signal: 'SIGKILL' });
    expect(pids.filter(isAlive)).toEqual([]);
  });

  const isAccept = (event: TraceEvent) => event.kind === 'enter' && event.call === 'accept';

  test('posix_spawn and vfork', async () => {
    const { events } = await act('spawn');
    const born = ofKind(events, 'born');
    expect(born).toHaveLength(3);
    expect(ofKind(events, 'exec').map(({ pid }) => pid)).toEqual([born[0]!.pid, born[1]!.pid]);
    expect(ofKind(events, 'exit').map(({ code }) => code)).toEqual([0, 1, 0]);
  });

  test('threads are no processes', async () => {
    const { events, said } = await act('thread');
    expect(said).toBe('joined\n');
    expect(ofKind(events, 'born').map(({ by }) => by)).toEqual(['root', 'thread']);
    expect(ofKind(events, 'thread-exit')).toHaveLength(1);
    expect(ofKind(events, 'exit')).toHaveLength(1);
  });

  test('a daemon is followed, and ended with the trace', async () => {
    const tracer = trace({ command: [compiled('subjects'), 'daemon'] });
    const { pid: root } = await tracer.started;
    await tracer.waitFor(event => event.kind === 'exit' && event.pid === root, patience);
    const daemon = ofKind(tracer.events, 'born').at(-1)!.pid;
    expect(isAlive(daemon)).toBe(true);
    expect(await tracer.end()).toMatchObject({ code: 0 });
    expect(isAlive(daemon)).toBe(false);
  });

  test('being stopped and continued', async () => {
    const tracer = trace({ command: [compiled('subjects'), 'sleep'] });
    await tracer.waitFor(event => event.kind === 'enter' && event.call === 'clock_nanosleep', patience);
    const { pid } = await tracer.started;
    tracer.kill(pid, 'SIGSTOP');
    await tracer.waitFor(event => event.kind === 'stopped', patience);
    expect(ofKind(tracer.events, 'stopped')).toMatchObject([{ pid, signal: 'SIGSTOP' }]);
    tracer.kill(pid, 'SIGCONT');
    expect(await tracer.ended).toMatchObject({ code: 0 });
    expect(ofKind(tracer.events, 'continued')).toHaveLength(1);
  });

  test('an interrupted call', async () => {
    const { said, events } = await act('interrupt', { filter: 'read-write' });
    expect(said).toBe('EINTR\n');
    expect(left(events, 'read').at(-1)).toMatchObject({ errno: 'EINTR', interrupted: 'if-no-restart' });
    expect(ofKind(events, 'signal')).toMatchObject([
      { signal: 'SIGALRM', disposition: 'handler', restart: false },
    ]);
  });

  test('how it ended', async () => {
    expect((await act('signal')).result).toMatchObject({ signal: 'SIGSEGV' });
    expect((await act('no such act')).result).toMatchObject({ code: 2 });
  });

  test('handlers that call what is not async-signal-safe', async () => {
    const { said, events } = await act('handlers', { watchHandlers: ['SIGUSR1', 'SIGUSR2'] });
    expect(said).toBe('safe\nsignal 10\n');
    const unsafe = ofKind(events, 'unsafe-call');
    expect(unsafe[0]).toMatchObject({ signal: 'SIGUSR1', function: 'printf' });
    expect(unsafe.every(({ signal }) => signal === 'SIGUSR1')).toBe(true);
  });
});

describe('what is changed', () => {
  test('nothing, unless it is asked for', async () => {
    expect((await act('fork')).said).toBe('five\n');
    const { said } = await act('write', { filter: 'read-write' });
    expect(said).toBe('write 10\nwritev 11, 5 and 6 asked\nsendmsg 11, 2 parts\ngot 32\n');
  });

  test('fork fails', async () => {
    const { said, events } = await act('fork', {
      injections: [{ call: 'fork', fault: { errno: 'EAGAIN' } }],
    });
    expect(said).toBe('EAGAIN\n');
    expect(ofKind(events, 'intervened')).toMatchObject([{ reason: 'injected', injection: 'fork' }]);
    expect(ofKind(events, 'born')).toHaveLength(1);
  });

  test('the second fork alone', async () => {
    const { said } = await act('fork', {
      injections: [{ call: 'fork', nth: 2, fault: { errno: 'EAGAIN' } }],
    });
    expect(said).toBe('five\n');
  });

  test('writes are shortened, and the program finds its own lengths again', async () => {
    const short = { call: 'write', times: Number.POSITIVE_INFINITY, fault: { length: 7 } } as const;
    const { said } = await act('write', { filter: 'read-write', injections: [short] });
    expect(said).toBe('write 7\nwritev 7, 5 and 6 asked\nsendmsg 7, 2 parts\ngot 21\n');
  });

  test('signals reach the program alone', async () => {
    const { said, events } = await act('kill');
    expect(said).toBe('EPERM\nEPERM\ngroup\nown group\nchild\n');
    expect(ofKind(events, 'intervened').map(({ reason }) => reason)).toEqual(['everybody', 'stranger']);
  });

  test('processes are limited', async () => {
    const tracer = trace({ command: [compiled('subjects'), 'bomb'], maxProcesses: 20 });
    const { pid } = await tracer.started;
    await tracer.waitFor(event => event.kind === 'exit' && event.pid === pid, patience);
    const pids = ofKind(tracer.events, 'born').map(born => born.pid);
    expect(pids).toHaveLength(20);
    expect(ofKind(tracer.events, 'intervened')).toMatchObject([{ reason: 'process-limit' }]);
    await tracer.end();
    await eventually('their end', () => !pids.some(isAlive));
  });
});

test('a tracer whose caller is killed ends the program', async () => {
  const caller = spawn(node, [
    '--input-type=module',
    '-e',
    `import { startTrace } from ${JSON.stringify(new URL('../dist/trace/index.js', import.meta.url).href)};
     const tracer = startTrace({ command: [${JSON.stringify(compiled('subjects'))}, 'daemon'] });
     tracer.onEvent(event => event.kind === 'born' && console.log(event.pid));
     setInterval(() => undefined, 1000);`,
  ]);
  let said = '';
  caller.stdout.on('data', text => {
    said += text;
  });
  await eventually('three processes', () => said.trim().split('\n').length === 3);
  const pids = said.trim().split('\n').map(Number);
  expect(isAlive(pids[2]!)).toBe(true);
  caller.kill('SIGKILL');
  await eventually('their end', () => !pids.some(isAlive));
});

describe('what cannot be traced', () => {
  test.runIf(process.arch === 'x64')('calls of 32-bit programs', async () => {
    const { said, events, result } = await act('foreign');
    expect(said).toBe('');
    // A kernel without them ends the program itself, by SIGSEGV.
    const isKernels = result.signal === 'SIGSEGV';
    expect(ofKind(events, 'refused')).toHaveLength(isKernels ? 0 : 1);
    if (!isKernels) expect(result.signal).toBe('SIGKILL');
  });

  test('a program that is not there', async () => {
    const tracer = trace({ command: ['/nowhere/server'] });
    await expect(tracer.started).rejects.toThrow('/nowhere/server cannot be executed');
    expect(tracer.events).toEqual([]);
  });

  test('a folder that is not there', async () => {
    await expect(trace({ command: ['true'], cwd: '/nowhere' }).started).rejects.toThrow('folder');
  });

  test('options that make no sense', () => {
    expect(() => startTrace({ command: [''] })).toThrow('needs a command');
    expect(() => startTrace({ command: ['true'], maxProcesses: 0 })).toThrow('maxProcesses');
    const fault = { errno: 'ENONSENSE' };
    expect(() => startTrace({ command: ['true'], injections: [{ call: 'fork', fault }] })).toThrow(
      'ENONSENSE',
    );
  });
});
