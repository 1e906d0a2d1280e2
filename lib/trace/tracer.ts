/** What a trace is asked for, and what it gives: the types of startTrace(). */
import type { StdioOptions } from 'node:child_process';
import type { CallName, TraceEvent } from './events.js';

/** A fault. It hits every process of the program alike, and counts calls in all of them. */
export interface Injection {
  /** Comes back in the event that says it was done. Default: the call. */
  readonly name?: string;
  /** 'fork' is vfork, clone and clone3 as well, 'accept' accept4, 'write' every call that writes, 'read' every one that reads. */
  readonly call: 'fork' | 'accept' | 'write' | 'read' | CallName;
  /** The first call that is hit, counted from the start of the trace or from inject(). Default 1. */
  readonly nth?: number;
  /** How many calls are hit. Default 1; Infinity is possible. */
  readonly times?: number;
  /** Only calls of this process. */
  readonly pid?: number;
  /** Only calls about sockets, not about terminals, pipes and files: for reading and writing. Default true. */
  readonly socketsOnly?: boolean;
  /** What is done: the call fails with this errno and is not made ('EAGAIN'), or it is made for so many bytes at most. */
  readonly fault: { readonly errno: string } | { readonly length: number };
}

export interface TraceOptions {
  /** The program and its arguments; it is looked for in PATH. */
  readonly command: readonly [string, ...string[]];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Standard streams of the program, as for spawn(). Default: nothing to read, the caller's output. */
  readonly stdio?: StdioOptions;
  /** Which calls stop the program. Default 'life-cycle'. */
  readonly filter?: 'life-cycle' | 'read-write';
  readonly injections?: readonly Injection[];
  /** Forks fail with EAGAIN while so many of its processes live. Default 256. */
  readonly maxProcesses?: number;
  /** Signals to processes that are not of the program, and kill(-1), fail with EPERM. Default true. */
  readonly confineSignals?: boolean;
  /** The program leads a session and process group of its own. Default true. */
  readonly newSession?: boolean;
  /** Handlers of these signals are stepped through, and the unsafe functions they call reported. */
  readonly watchHandlers?: readonly NodeJS.Signals[];
  /** Return addresses are collected, so that calls have source lines. Default true. */
  readonly addresses?: boolean;
  /** How many bytes of what is read and written come with the events. Default 256. */
  readonly dataLength?: number;
}

export interface TraceResult {
  /** The first process: its exit code, or the signal that ended it. Neither when the trace was ended before. */
  readonly code?: number;
  readonly signal?: NodeJS.Signals;
  /** Milliseconds. */
  readonly time: number;
}

export interface Started {
  readonly pid: number;
  /** When the events' time was 0, in milliseconds of process.hrtime(). */
  readonly at: number;
}

/** A program under the tracer. Iterating gives all events from the start, also those before the iteration began. */
export interface Tracer extends AsyncIterable<TraceEvent> {
  /** Resolves when the program's first process exists; rejects where tracing is not possible, or the program not found. */
  readonly started: Promise<Started>;
  /** When the last process of the program has ended, or after end(). */
  readonly ended: Promise<TraceResult>;
  /** All events so far. */
  readonly events: readonly TraceEvent[];
  /** The program's streams, where `stdio` asks for pipes. */
  readonly stdin: NodeJS.WritableStream | null;
  readonly stdout: NodeJS.ReadableStream | null;
  readonly stderr: NodeJS.ReadableStream | null;
  /** Calls the listener with each event from now on; gives back what removes it. */
  onEvent(listener: (event: TraceEvent) => void): () => void;
  /** The first event, past or to come, for which `matches` is true; rejects after `ms`, or when the trace has ended. */
  waitFor<T extends TraceEvent>(matches: (event: TraceEvent) => event is T, ms: number): Promise<T>;
  waitFor(matches: (event: TraceEvent) => boolean, ms: number): Promise<TraceEvent>;
  inject(injection: Injection): void;
  /** Sends a signal to a process of the program: SIGSTOP and SIGCONT hold it and let it go on. */
  kill(pid: number, signal: NodeJS.Signals): void;
  /** Kills what is left of the program, and resolves when nothing is. */
  end(): Promise<TraceResult>;
}
