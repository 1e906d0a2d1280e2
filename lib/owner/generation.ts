/**
 * One zygote and the connections that it serves, from the start of its process to the end of its last child. It turns
 * the zygote's records into the events of the server.
 */
import { EventEmitter } from 'node:events';
import { getSystemErrorMap } from 'node:util';
import { native } from '../binding/native.js';
import { misuse } from '../errors.js';
import { encodeCommand } from '../wire/commands.js';
import type { ZygoteConfig } from '../wire/config.js';
import { refusalReasons } from '../wire/messages.js';
import type { ZygoteRecord } from '../wire/records.js';
import {
  type ConnectionInfo,
  type EndInfo,
  type ExitInfo,
  endOf,
  exitOf,
  familyName,
  killedUnseen,
  type RefusedInfo,
} from './records.js';
import type { ZygoteOutput } from './zygote-command.js';
import { diedWhileLoading, type Ending, reviveLoadError, ZygoteProcess } from './zygote-process.js';

export interface GenerationEvents {
  connection: [ConnectionInfo];
  exit: [ExitInfo];
  end: [EndInfo];
  refused: [Omit<RefusedInfo, 'total'>];
  warning: [Error];
  /** The files that the handler was loaded from, or was being loaded from when it failed. */
  files: [string[]];
  /** The process has ended, and all events of its connections have been emitted. */
  over: [Ending];
}

interface LiveConnection extends ConnectionInfo {
  since: number;
}

/** A connection that is being served. */
export interface LiveInfo extends ConnectionInfo {
  durationMs: number;
}

export class Generation extends EventEmitter<GenerationEvents> {
  /** Resolves when the handler is loaded, rejects with the reason why it cannot be served. */
  readonly ready: Promise<void>;
  readonly #zygote: ZygoteProcess;
  readonly #startedAt = Date.now();
  #acceptsSince = 0;
  readonly #forks: boolean;
  readonly #executes: boolean;
  readonly #connections = new Map<number, LiveConnection>();
  #state: 'loading' | 'accepting' | 'retired' | 'over' = 'loading';
  /** The id of the first connection after this one's. */
  #nextId = 0;
  #onRetired: (() => void) | undefined;

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
        else this.#emitRecord(record);
      });
      this.#zygote.once('end', ending => {
        reject(failure ?? diedWhileLoading(ending));
        this.#state = 'over';
        this.#endRemaining();
        this.#onRetired?.();
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
    return {
      uptimeMs: now - this.#startedAt,
      servedMs: this.#acceptsSince === 0 ? 0 : now - this.#acceptsSince,
    };
  }

  /** How many connections it serves now. */
  get live(): number {
    return this.#connections.size;
  }

  connections(): LiveInfo[] {
    return [...this.#connections.values()].map(aged);
  }

  /** It accepts from now on, numbering its connections from `firstId`; retired zygotes still serve so many. */
  accept(firstId: number, retired: number): void {
    if (this.#state !== 'loading') return;
    this.#state = 'accepting';
    this.#acceptsSince = Date.now();
    this.#nextId = firstId;
    this.countRetired(retired);
    this.send(encodeCommand('Begin', { firstId }));
  }

  /**
   * It accepts no more, and ends with its last child. Resolves with the id that the next connection may have. Where its
   * loop does not turn within that time, it is killed, and its connections with it.
   */
  async retire(patienceMs: number): Promise<number> {
    if (this.#state !== 'accepting') return this.#nextId;
    this.#state = 'retired';
    const retired = new Promise<void>(resolve => {
      this.#onRetired = resolve;
    });
    this.send(encodeCommand('Retire', {}));
    if (!(await this.#zygote.killUnlessItAnswers(patienceMs)) && this.#state === 'retired') {
      const message = `the serving process did not answer within ${patienceMs / 1000} s, and was killed`;
      this.emit('warning', misuse('ERR_TRUEFORK_ZYGOTE_DIED', message));
    }
    await retired;
    return this.#nextId;
  }

  /** How many connections retired zygotes still serve: they count among the maximum. */
  countRetired(count: number): void {
    if (this.#state === 'accepting') this.send(encodeCommand('RetiredChildren', { count }));
  }

  /** Commands that it may get in any state. */
  send(...commands: readonly Buffer[]): void {
    if (this.#state !== 'over') this.#zygote.send(...commands);
  }

  /** Whether its loop turns. */
  answers(): Promise<boolean> {
    return this.#zygote.answers();
  }

  /** Its children have the grace period; all has to be over by the deadline, or it is killed. */
  stop(graceMs: number, deadlineMs: number): void {
    if (this.#state === 'loading') this.#zygote.kill();
    else {
      this.send(encodeCommand('Stop', { graceMs }));
      this.#zygote.killAfter(deadlineMs);
    }
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

  #emitRecord(record: Exclude<ZygoteRecord, { name: 'LoadFailed' | 'Listening' }>): void {
    switch (record.name) {
      case 'Connection': {
        const { name: _, family, ...fields } = record;
        const connection = { ...fields, family: familyName(family) };
        this.#nextId = Math.max(this.#nextId, connection.id + 1);
        this.#connections.set(connection.id, { ...connection, since: Date.now() });
        this.emit('connection', connection);
        return;
      }
      case 'Exit': {
        const connection = this.#take(record.id);
        if (connection === undefined) return;
        // Node counts the bytes of a Unix socket, the kernel those of TCP: of a program's Unix socket nothing is known.
        const isCounted = !this.#executes || connection.family !== 'Unix';
        this.emit('exit', exitOf(connection, record, isCounted));
        return;
      }
      case 'End': {
        const connection = this.#take(record.id);
        if (connection !== undefined) this.emit('end', endOf(connection, record));
        return;
      }
      case 'Refused': {
        const { count, remoteAddress, remotePort } = record;
        const { reason } = refusalReasons[record.reason]!;
        this.emit('refused', { reason, count, remoteAddress, remotePort });
        return;
      }
      case 'Trouble':
        this.emit('warning', systemCallFailed(record.syscall, record.errnum));
        return;
      case 'Retired':
        this.#nextId = Math.max(this.#nextId, record.nextId);
        this.#onRetired?.();
        return;
      case 'Files':
        this.emit('files', record.files);
        return;
      case 'Pong':
        return; // ZygoteProcess.answers() waits for it
    }
  }

  /** The connection of this id, which is over. */
  #take(id: number): ConnectionInfo | undefined {
    const live = this.#connections.get(id);
    if (live === undefined) return undefined;
    this.#connections.delete(id);
    const { since: _, ...connection } = live;
    return connection;
  }

  /** The connections of a zygote that died: its children were killed with it, and cannot be waited for from here. */
  #endRemaining(): void {
    for (const live of this.#connections.values()) {
      if (this.#forks) killGroup(live.pid); // what it had started may be left in its process group
      const ended = aged(live);
      if (!this.#forks) this.emit('end', ended);
      else this.emit('exit', { ...ended, ...killedUnseen });
    }
    this.#connections.clear();
  }
}

function systemCallFailed(syscall: string, errnum: number): Error {
  const errno = -errnum;
  const [code, meaning] = getSystemErrorMap().get(errno) ?? [`E${errnum}`, 'unknown error'];
  const message = `${syscall} ${code}: ${meaning}; clients wait until it passes`;
  return Object.assign(new Error(message), { code, errno, syscall });
}

function aged({ since, ...connection }: LiveConnection): LiveInfo {
  return { ...connection, durationMs: Date.now() - since };
}

function killGroup(pid: number): void {
  try {
    native.kill(-pid, 9);
  } catch {
    // ESRCH: nothing is left of it. EPERM: what is left has become another user's.
  }
}
