/** The tracer's process as its caller sees it. */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { getSystemErrorMap } from 'node:util';
import { misuse } from '../errors.js';
import { Assembler } from './assemble.js';
import type { TraceEvent } from './events.js';
import { RecordReader, type TraceRecord } from './records.js';
import { injectionText, signalOf, tracerSettings } from './settings.js';
import type { Injection, Started, TraceOptions, TraceResult, Tracer } from './tracer.js';

const program = fileURLToPath(new URL('./tracer-main.js', import.meta.url));

/** How long the tracer may take to end all processes before it is killed, which ends them as well (PTRACE_O_EXITKILL). */
const endPatience = 5000;

/** @throws `ERR_TRUEFORK_TRACE` on options that make no sense. What the system refuses rejects `started`. */
export function startTrace(options: TraceOptions): Tracer {
  return new TracerProcess(options);
}

class TracerProcess implements Tracer {
  readonly started: Promise<Started>;
  readonly ended: Promise<TraceResult>;
  readonly events: TraceEvent[] = [];
  readonly #process: ChildProcess;
  readonly #socket: Socket;
  readonly #listeners = new Set<(event: TraceEvent) => void>();
  /** Those who wait for the next event, or the end. */
  readonly #waiting = new Set<() => void>();
  readonly #reader = new RecordReader();
  readonly #assembler = new Assembler();
  readonly #program: string;
  #resolveStarted!: (started: Started) => void;
  #rejectStarted!: (error: Error) => void;
  #resolveEnded!: (result: TraceResult) => void;
  #rootPid = 0;
  #result: TraceResult = { time: 0 };
  #isOver = false;
  #endedAsTold = false;

  constructor(options: TraceOptions) {
    const settings = tracerSettings(options);
    this.#program = options.command[0];
    this.started = new Promise((resolve, reject) => {
      this.#resolveStarted = resolve;
      this.#rejectStarted = reject;
    });
    // Somebody may look at `ended` alone.
    this.started.catch(() => undefined);
    this.ended = new Promise(resolve => {
      this.#resolveEnded = resolve;
    });
    const stdio = [...streams(options.stdio), 'pipe'] as StdioOptions;
    // What the caller's Node was started with is nothing to the tracer: a debugger's port, a loader.
    const { NODE_OPTIONS: _, ...env } = process.env;
    this.#process = spawn(process.execPath, ['--no-warnings', program], { stdio, env });
    this.#socket = this.#process.stdio[3] as Socket;
    this.#process.once('error', error => this.#fail(error));
    this.#socket.on('data', piece => this.#read(piece));
    this.#socket.on('error', () => undefined); // its end is what counts
    this.#process.once('close', () => this.#finish());
    this.#socket.write(`${JSON.stringify(settings)}\n`);
  }

  get stdin() {
    return this.#process.stdin;
  }
  get stdout() {
    return this.#process.stdout;
  }
  get stderr() {
    return this.#process.stderr;
  }

  onEvent(listener: (event: TraceEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TraceEvent> {
    for (let next = 0; ; ) {
      while (next < this.events.length) yield this.events[next++]!;
      if (this.#isOver) return;
      await new Promise<void>(resolve => this.#waiting.add(resolve));
    }
  }

  async waitFor<T extends TraceEvent>(matches: (event: TraceEvent) => event is T, ms: number): Promise<T>;
  async waitFor(matches: (event: TraceEvent) => boolean, ms: number): Promise<TraceEvent>;
  async waitFor(matches: (event: TraceEvent) => boolean, ms: number): Promise<TraceEvent> {
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<'late'>(resolve => {
      timer = setTimeout(resolve, ms, 'late');
    });
    try {
      for (let next = 0; ; ) {
        while (next < this.events.length) {
          const event = this.events[next++]!;
          if (matches(event)) return event;
        }
        if (this.#isOver) throw misuse('ERR_TRUEFORK_TRACE', 'the trace has ended without such an event');
        const more = new Promise<void>(resolve => this.#waiting.add(resolve));
        if ((await Promise.race([more, tooLate])) === 'late') {
          throw misuse('ERR_TRUEFORK_TRACE', `no such event within ${ms} ms`);
        }
      }
    } finally {
      clearTimeout(timer);
    }
  }

  inject(injection: Injection): void {
    this.#command(`inject ${injectionText(injection)}`);
  }

  kill(pid: number, signal: NodeJS.Signals): void {
    this.#command(`kill ${pid} ${signalOf(signal)}`);
  }

  async end(): Promise<TraceResult> {
    this.#command('end');
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), endPatience);
    try {
      return await this.ended;
    } finally {
      clearTimeout(timer);
    }
  }

  #command(line: string): void {
    if (!this.#isOver && this.#socket.writable) this.#socket.write(`${line}\n`);
  }

  #read(piece: Buffer): void {
    try {
      for (const record of this.#reader.read(piece)) this.#take(record);
    } catch (error) {
      this.#process.kill('SIGKILL');
      this.#fail(error as Error);
    }
    this.#wake();
  }

  #take(record: TraceRecord): void {
    this.#result = { ...this.#result, time: record.time };
    if (record.kind === 'hello') this.#assembler.setCalls(String(record.blobs[0]));
    if (record.kind === 'failed') this.#fail(startError(this.#program, record));
    if (record.kind === 'end') this.#endedAsTold = true;
    const event = this.#assembler.event(record);
    // Before the program is executed the tracer's own child is what runs: where that fails, it is no event of the program.
    if (event === undefined || (this.#rootPid === 0 && event.kind !== 'born')) return;
    this.events.push(event);
    if (event.kind === 'born' && event.by === 'root') {
      this.#rootPid = event.pid;
      this.#resolveStarted({ pid: event.pid, at: (record.values[2] ?? 0) / 1000 });
    }
    if (event.kind === 'exit' && event.pid === this.#rootPid) {
      const { code, signal, time } = event;
      this.#result = {
        ...(code === undefined ? {} : { code }),
        ...(signal === undefined ? {} : { signal }),
        time,
      };
    }
    for (const listener of this.#listeners) listener(event);
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resume of waiting) resume();
  }

  #fail(error: Error): void {
    this.#rejectStarted(error);
  }

  #finish(): void {
    this.#isOver = true;
    if (!this.#endedAsTold) this.#fail(misuse('ERR_TRUEFORK_TRACE', 'the tracer has ended unexpectedly'));
    this.#resolveEnded(this.#result);
    this.#wake();
  }
}

function streams(stdio: StdioOptions = ['ignore', 'inherit', 'inherit']): StdioOptions & unknown[] {
  const three = typeof stdio === 'string' ? [stdio, stdio, stdio] : [...stdio];
  if (three.length <= 3)
    return [...three, ...['pipe', 'pipe', 'pipe'].slice(three.length)] as StdioOptions & unknown[];
  throw misuse('ERR_TRUEFORK_TRACE', 'a traced program has three standard streams, not more');
}

/** What could not be done, and what helps. */
function startError(command: string, { values, blobs }: TraceRecord): Error {
  const [code, text] = getSystemErrorMap().get(-(values[0] ?? 0)) ?? ['EIO', 'error'];
  switch (String(blobs[0])) {
    case 'execve':
      return misuse('ERR_TRUEFORK_TRACE', `${command} cannot be executed: ${text} (${code})`);
    case 'chdir':
      return misuse('ERR_TRUEFORK_TRACE', `the folder to start in cannot be entered: ${text} (${code})`);
    case 'ptrace':
      return misuse(
        'ERR_TRUEFORK_TRACE',
        `this machine does not allow one process to trace another (ptrace: ${code}). In a container, add the capability ` +
          'SYS_PTRACE or a seccomp profile that allows ptrace; otherwise see /proc/sys/kernel/yama/ptrace_scope: 0 or 1',
      );
    case 'architecture':
      return misuse('ERR_TRUEFORK_TRACE', `programs can be traced on x64 and arm64, not on ${process.arch}`);
    case 'seccomp':
      return misuse(
        'ERR_TRUEFORK_TRACE',
        `the kernel takes no seccomp filter (${code}), without which nothing is traced`,
      );
    default:
      return misuse('ERR_TRUEFORK_TRACE', `the program cannot be started: ${text} (${code})`);
  }
}
