/**
 * A zygote and the connections that it serves, from the start of its process to the end of its last child. A server has
 * one that accepts; after a reload also earlier ones, whose children finish on the code that they began with.
 */
import { EventEmitter } from 'node:events';
import { getSystemErrorMap } from 'node:util';
import type { ZygoteConfig } from '../wire/config.js';
import { encodeCommand, endingLimits, refusalReasons, type ZygoteRecord } from '../wire/protocol.js';
import {
  type ConnectionInfo,
  decodeStatus,
  type EndInfo,
  type ExitInfo,
  errorName,
  familyName,
  killedUnseen,
  type RefusedInfo,
} from './records.js';
import { diedWhileLoading, type Ending, reviveLoadError, ZygoteProcess } from './zygote-process.js';
import type { ZygoteOutput } from './zygote-start.js';

export interface GenerationEvents {
  connection: [ConnectionInfo];
  exit: [ExitInfo];
  end: [EndInfo];
  refused: [Omit<RefusedInfo, 'total'>];
  warning: [Error];
  /** The files that the handler was loaded from, or was being loaded from when it failed. */
  files: [string[]];
  /** The process has ended, and everything of it has been told. */
  over: [Ending];
}

interface LiveConnection extends ConnectionInfo {
  since: number;
}

/** A connection of the present. */
export interface LiveInfo extends ConnectionInfo {
  durationMs: number;
}

export class Generation extends EventEmitter<GenerationEvents> {
  /** Resolves when the handler is loaded, rejects with the reason why it cannot be served. */
  readonly ready: Promise<void>;
  readonly #startedAt = Date.now();
  #beganAt = 0;
  readonly #zygote: ZygoteProcess;
  readonly #forks: boolean;
  readonly #executes: boolean;
  readonly #live = new Map<number, LiveConnection>();
  #state: 'waiting' | 'accepting' | 'retired' | 'over' = 'waiting';
  /** The id of the first connection after this one's. */
  #nextId = 0;
  #retired: (() => void) | undefined;

  constructor(
    listeners: readonly number[],
    stdout: ZygoteOutput,
    config: Omit<ZygoteConfig, 'environment'>,
    settings: Buffer[],
  ) {
    super();
    this.#forks = config.mode === 'fork';
    this.#executes = config.program !== undefined;
    this.#zygote = new ZygoteProcess(listeners, stdout, config, settings);
    this.ready = new Promise((resolve, reject) => {
      let failure: Error | undefined;
      this.#zygote.on('record', record => {
        if (record.name === 'LoadFailed') failure = reviveLoadError(record.error);
        else if (record.name === 'Listening') resolve();
        else this.#tell(record);
      });
      this.#zygote.once('end', ending => {
        reject(failure ?? diedWhileLoading(ending));
        this.#state = 'over';
        this.#tellOfOrphans();
        this.#retired?.();
        this.emit('over', ending);
      });
    });
  }

  get pid(): number | undefined {
    return this.#zygote.pid;
  }

  get accepting(): boolean {
    return this.#state === 'accepting';
  }

  /** Milliseconds since its process was started, and since it accepts. */
  get times(): { uptimeMs: number; servedMs: number } {
    const now = Date.now();
    return { uptimeMs: now - this.#startedAt, servedMs: this.#beganAt === 0 ? 0 : now - this.#beganAt };
  }

  /** How many it serves now. */
  get size(): number {
    return this.#live.size;
  }

  connections(): LiveInfo[] {
    return [...this.#live.values()].map(aged);
  }

  /** From now on it accepts; earlier ones serve so many, which count too. */
  begin(firstId: number, elsewhere: number): void {
    if (this.#state !== 'waiting') return;
    this.#state = 'accepting';
    this.#beganAt = Date.now();
    this.#nextId = firstId;
    this.countElsewhere(elsewhere);
    this.send(encodeCommand('Begin', { firstId }));
  }

  /** Accepts nobody any more, and ends with its last child. Resolves with the id that the next connection may have. */
  async retire(): Promise<number> {
    if (this.#state === 'accepting') {
      this.#state = 'retired';
      this.send(encodeCommand('Retire', {}));
      await new Promise<void>(resolve => {
        this.#retired = resolve;
      });
    }
    return this.#nextId;
  }

  countElsewhere(children: number): void {
    if (this.#state === 'accepting') this.send(encodeCommand('Elsewhere', { children }));
  }

  /** Commands that hold at any time. */
  send(...commands: readonly Buffer[]): void {
    if (this.#state !== 'over') this.#zygote.send(...commands);
  }

  /** Whether its loop turns. */
  answers(): Promise<boolean> {
    return this.#zygote.answers();
  }

  stop(graceMs: number, killMs: number): void {
    if (this.#state === 'waiting') this.#zygote.kill();
    else this.send(encodeCommand('Stop', { graceMs, killMs }));
  }

  kill(): void {
    this.#zygote.kill();
  }

  ref(): void {
    this.#zygote.ref();
  }

  unref(): void {
    this.#zygote.unref();
  }

  #tell(record: Exclude<ZygoteRecord, { name: 'LoadFailed' | 'Listening' }>): void {
    switch (record.name) {
      case 'Connection': {
        const { name: _, family, ...told } = record;
        const connection = { ...told, family: familyName(family) };
        this.#nextId = Math.max(this.#nextId, connection.id + 1);
        this.#live.set(connection.id, { ...connection, since: Date.now() });
        this.emit('connection', connection);
        return;
      }
      case 'Exit': {
        const live = this.#live.get(record.id);
        if (live === undefined) return;
        this.#live.delete(record.id);
        const { since: _, ...connection } = live;
        // Of TCP the kernel knows; of a Unix socket only the process itself.
        const isCounted = !this.#executes || live.family !== 'Unix';
        this.emit('exit', {
          ...connection,
          ...decodeStatus(record.status),
          ...(record.execErrnum === 0 ? {} : { execError: errorName(record.execErrnum) }),
          limit: endingLimits[record.limit] ?? null,
          durationMs: record.durationUs / 1000,
          bytesRead: isCounted ? record.bytesIn : null,
          bytesWritten: isCounted ? record.bytesOut : null,
          rusage: {
            userCPUTime: record.userCpuUs,
            systemCPUTime: record.systemCpuUs,
            maxRSS: record.maxRssKib,
            minorPageFault: record.minorFaults,
            majorPageFault: record.majorFaults,
            voluntaryContextSwitches: record.voluntarySwitches,
            involuntaryContextSwitches: record.involuntarySwitches,
          },
        });
        return;
      }
      case 'End': {
        const live = this.#live.get(record.id);
        if (live === undefined) return;
        this.#live.delete(record.id);
        const { since: _, ...connection } = live;
        this.emit('end', { ...connection, durationMs: record.durationUs / 1000 });
        return;
      }
      case 'Refused': {
        const { count, remoteAddress, remotePort } = record;
        this.emit('refused', { reason: refusalReasons[record.reason]!, count, remoteAddress, remotePort });
        return;
      }
      case 'Trouble': {
        const errno = -record.errnum;
        const [code, meaning] = getSystemErrorMap().get(errno) ?? [`E${record.errnum}`, 'unknown error'];
        const message = `${record.syscall} ${code}: ${meaning}; clients wait until it passes`;
        this.emit('warning', Object.assign(new Error(message), { code, errno, syscall: record.syscall }));
        return;
      }
      case 'Retired':
        this.#nextId = Math.max(this.#nextId, record.nextId);
        this.#retired?.();
        return;
      case 'Files':
        this.emit('files', record.files);
        return;
      case 'Pong':
        return; // heard by whoever asked
    }
  }

  /** The connections of a zygote that died: its children die with it, and cannot be waited for from here. */
  #tellOfOrphans(): void {
    for (const live of this.#live.values()) {
      const ended = aged(live);
      if (!this.#forks) this.emit('end', ended);
      else this.emit('exit', { ...ended, ...killedUnseen });
    }
    this.#live.clear();
  }
}

function aged({ since, ...connection }: LiveConnection): LiveInfo {
  return { ...connection, durationMs: Date.now() - since };
}
