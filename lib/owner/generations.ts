/**
 * The zygotes of one server, one generation after the other: the one that accepts, one that is loading, and earlier ones
 * whose children finish. A generation begins when the server listens, when it is reloaded, and when the zygote that
 * accepts has died.
 */
import { EventEmitter } from 'node:events';
import { misuse } from '../errors.js';
import type { Generation } from './generation.js';
import type { ConnectionInfo, EndInfo, ExitInfo, RefusedInfo } from './records.js';
import { type Ending, howItEnded } from './zygote-process.js';

/** A zygote that has served this long did not fail as it started: its death begins a new count. Milliseconds. */
const settledMs = 10_000;
const firstBackoffMs = 100;
const longestBackoffMs = 5_000;
const mostDeathsInARow = 5;
/** A handler that cannot be loaded now may be in the midst of a deployment: with the pauses, a quarter of a minute. */
const mostFailedLoads = 8;
const leastPatienceMs = 5_000;

interface GenerationsEvents {
  connection: [ConnectionInfo];
  exit: [ExitInfo];
  end: [EndInfo];
  refused: [Omit<RefusedInfo, 'total'>];
  files: [string[]];
  warning: [Error];
  /** A new generation is loaded to take over from the one that accepts; and that has ended, one way or the other. */
  reloading: [];
  reloaded: [];
  /** It has taken over. */
  takeover: [];
  /** The zygote that accepted has died, and another is started. */
  death: [];
  /** There will be no other. */
  failure: [Error];
}

export class Generations extends EventEmitter<GenerationsEvents> {
  readonly #start: () => Generation;
  /** How long a zygote may take to answer when another takes over. */
  readonly #patienceMs: number;
  /** All that have a process. */
  readonly #all = new Set<Generation>();
  /** The one that accepts. */
  #current: Generation | undefined;
  #renewal: Promise<void> | undefined;
  #nextRenewal: Promise<void> | undefined;
  #restart: NodeJS.Timeout | undefined;
  #deathsInARow = 0;
  #nextId = 1;
  #closed = false;
  #hasRef = true;

  constructor(start: () => Generation, patienceMs: number) {
    super();
    this.#start = start;
    this.#patienceMs = Math.max(patienceMs, leastPatienceMs);
  }

  get current(): Generation | undefined {
    return this.#current;
  }

  [Symbol.iterator](): Iterator<Generation> {
    return this.#all.values();
  }

  /** How many connections all of them serve now. */
  get live(): number {
    let live = 0;
    for (const one of this.#all) live += one.live;
    return live;
  }

  /**
   * Starts a generation with the handler as it is now. It takes over from the one that accepts, if there is one.
   *
   * @throws the reason why the handler cannot be served; then the generation before goes on.
   */
  async renew(): Promise<void> {
    this.#assertOpen();
    const isReload = this.#current !== undefined;
    if (isReload) this.emit('reloading');
    try {
      await this.#takeOver();
    } finally {
      if (isReload) this.emit('reloaded');
    }
  }

  /**
   * As renew(), after the one that is under way: that may have read the files before they were changed. A second call
   * joins the one that waits, which has read nothing yet.
   */
  reload(): Promise<void> {
    this.#nextRenewal ??= (this.#renewal ?? Promise.resolve())
      .catch(() => {})
      .then(() => {
        this.#nextRenewal = undefined;
        this.#renewal = this.renew();
        return this.#renewal;
      });
    return this.#nextRenewal;
  }

  /** Commands for each of them. */
  send(...commands: readonly Buffer[]): void {
    for (const one of this.#all) one.send(...commands);
  }

  stop(graceMs: number, deadlineMs: number): void {
    this.#close();
    for (const one of this.#all) one.stop(graceMs, deadlineMs);
  }

  kill(): void {
    this.#close();
    for (const one of this.#all) one.kill();
  }

  /** Resolves when all of them have ended. */
  async ended(): Promise<void> {
    await Promise.all(
      [...this.#all].map(one => new Promise<void>(resolve => one.once('over', () => resolve()))),
    );
  }

  ref(): void {
    this.#hasRef = true;
    for (const one of this.#all) one.ref();
    this.#restart?.ref();
  }

  unref(): void {
    this.#hasRef = false;
    for (const one of this.#all) one.unref();
    this.#restart?.unref();
  }

  async #takeOver(): Promise<void> {
    const next = this.#begin();
    await next.ready.catch(error => {
      this.#assertOpen();
      throw error;
    });
    this.#assertOpen();
    clearTimeout(this.#restart);
    const before = this.#current;
    this.#current = next;
    // Only one accepts at a time, so that no id is given twice. Until the next one does, clients wait in the backlog.
    if (before !== undefined) this.#nextId = Math.max(this.#nextId, await before.retire(this.#patienceMs));
    next.accept(this.#nextId, this.#live(next));
    if (before !== undefined) this.emit('takeover');
  }

  #begin(): Generation {
    const one = this.#start();
    this.#all.add(one);
    if (!this.#hasRef) one.unref();
    one.on('connection', info => {
      this.#nextId = Math.max(this.#nextId, info.id + 1);
      this.emit('connection', info);
    });
    one.on('exit', info => {
      this.emit('exit', info);
      this.#countRetired(one);
    });
    one.on('end', info => {
      this.emit('end', info);
      this.#countRetired(one);
    });
    one.on('refused', info => this.emit('refused', info));
    one.on('files', files => this.emit('files', files));
    one.on('warning', error => this.emit('warning', error));
    one.once('over', ending => {
      this.#all.delete(one);
      if (one !== this.#current) return;
      this.#current = undefined;
      if (!this.#closed) this.#replace(ending, one.times.servedMs);
    });
    return one;
  }

  /** How many connections the others serve. */
  #live(except: Generation | undefined): number {
    return this.live - (except?.live ?? 0);
  }

  /** The children of a retired zygote count among the maximum of the one that accepts. */
  #countRetired(changed: Generation): void {
    if (changed !== this.#current) this.#current?.countRetired(this.#live(this.#current));
  }

  /** A zygote that dies again and again is restarted after a growing pause, and in the end not at all. */
  #replace(ending: Ending, servedMs: number): void {
    this.emit('death');
    this.#deathsInARow = servedMs >= settledMs ? 1 : this.#deathsInARow + 1;
    const how = howItEnded(ending);
    if (this.#deathsInARow >= mostDeathsInARow) {
      this.#fail(
        misuse(
          'ERR_TRUEFORK_ZYGOTE_DIED',
          `the serving process ${how}; it was the ${this.#deathsInARow}th time in a row, within seconds of its ` +
            'start. The server has closed: see what the handler script does, and whether the machine is short of memory',
        ),
      );
      return;
    }
    this.emit(
      'warning',
      misuse('ERR_TRUEFORK_ZYGOTE_DIED', `the serving process ${how}; a new one takes its place`),
    );
    this.#restartAfter(this.#deathsInARow, 0);
  }

  #restartAfter(attempts: number, failedLoads: number): void {
    const backoff = Math.min(firstBackoffMs * 2 ** (attempts - 1), longestBackoffMs);
    this.#restart = setTimeout(() => {
      this.#restart = undefined;
      if (this.#current !== undefined) return;
      this.reload().catch(error => {
        if (!this.#closed && this.#current === undefined)
          this.#retryLoad(error, attempts + 1, failedLoads + 1);
      });
    }, backoff);
    if (!this.#hasRef) this.#restart.unref();
  }

  #retryLoad(error: Error, attempts: number, failedLoads: number): void {
    if (failedLoads >= mostFailedLoads) {
      this.#fail(error);
      return;
    }
    const message = `the handler could not be loaded, and is tried again: ${error.message}`;
    this.emit('warning', misuse('ERR_TRUEFORK_ZYGOTE_DIED', message, error));
    this.#restartAfter(attempts, failedLoads);
  }

  #fail(error: Error): void {
    this.#close();
    this.emit('failure', error);
  }

  #close(): void {
    this.#closed = true;
    clearTimeout(this.#restart);
  }

  #assertOpen(): void {
    if (this.#closed)
      throw misuse('ERR_TRUEFORK_LISTENING', 'this server was closed before the handler script was loaded');
  }
}
