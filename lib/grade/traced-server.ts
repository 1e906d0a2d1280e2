/** The server under the tracer: the same, and all its calls as events. */
import { type Injection, startTrace, type TraceEvent, type Tracer } from '../trace/index.js';
import { serverEnvironment } from './environment.js';
import type { Budget } from './patience.js';
import { Server, type ServerCommand } from './server.js';
import { type ProcessStat, stat } from './system/proc.js';

export interface TraceChoice {
  readonly filter?: 'life-cycle' | 'read-write';
  /** The handlers of which signals are stepped through. */
  readonly watchHandlers?: readonly NodeJS.Signals[];
}

/** This machine does not allow it. */
export class NoTrace extends Error {
  override name = 'NoTrace';
}

export class TracedServer extends Server {
  readonly tracer: Tracer;
  #root = 0;
  #ancestor = 0;
  #rootEnded = false;

  constructor({ command, cwd }: ServerCommand, budget: Budget, options: TraceChoice & { port: number }) {
    super(budget);
    const { port, ...choice } = options;
    this.tracer = startTrace({
      command: command.map(word => word.replaceAll('{port}', String(port))) as [string, ...string[]],
      ...(cwd !== undefined && { cwd }),
      env: {
        ...serverEnvironment(port),
        ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:detect_leaks=0`,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...choice,
    });
    const hear = (chunk: Buffer) => this.watch.hear(chunk);
    this.tracer.stdout?.on('data', hear);
    this.tracer.stderr?.on('data', hear);
    this.tracer.onEvent(event => {
      if (event.kind === 'exit' && event.pid === this.#root) this.#rootEnded = true;
      if (event.kind === 'intervened' && event.reason === 'process-limit') this.watch.isBomb = true;
    });
  }

  get root(): number {
    return this.#root;
  }

  get rootEnded(): boolean {
    return this.#rootEnded;
  }

  protected get ancestor(): number {
    return this.#ancestor;
  }

  get events(): readonly TraceEvent[] {
    return this.tracer.events;
  }

  inject(injection: Injection): void {
    this.tracer.inject(injection);
  }

  /** @throws {NoTrace} */
  override async listens(wanted?: number): Promise<void> {
    try {
      this.#root = (await this.tracer.started).pid;
    } catch (error) {
      throw new NoTrace((error as Error).message);
    }
    this.#ancestor = stat(this.#root)?.parent ?? 0;
    await super.listens(wanted);
  }

  override tree(): ProcessStat[] {
    return this.#ancestor === 0 ? [] : super.tree();
  }

  /** The tracer waits for orphans itself. */
  protected override isOrphanThatEnded({ parent, state }: ProcessStat): boolean {
    return parent === this.#ancestor && state === 'Z';
  }

  override async end(): Promise<void> {
    this.watch.end();
    await this.tracer.end();
  }
}
