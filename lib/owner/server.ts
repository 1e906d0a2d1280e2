import { EventEmitter } from 'node:events';
import { assertAvailable, type Privileges } from '../binding/native.js';
import { misuse } from '../errors.js';
import { checkOption } from '../options/check.js';
import type { Duration } from '../options/kinds.js';
import { checkListenArguments, type Endpoint, type ListenOptions } from '../options/places.js';
import { mostBacklog } from '../options/system-limits.js';
import type { Checked, ServerKind } from '../options/table.js';
import type { Mode } from '../wire/config.js';
import { encodeCommand } from '../wire/protocol.js';
import { Generation, type LiveInfo } from './generation.js';
import { type ListenAddress, Listener, showAddress } from './listener.js';
import { resolvePrivileges } from './privileges.js';
import type { Program } from './program.js';
import type { ConnectionInfo, EndInfo, ExitInfo, RefusedInfo } from './records.js';
import { type ServerStats, Tally } from './stats.js';
import { ServiceNotifier } from './systemd.js';
import { FileWatcher } from './watcher.js';
import type { Ending } from './zygote-process.js';

export interface ServerEvents {
  /** Clients are served. */
  listening: [];
  connection: [ConnectionInfo];
  /** In a forking server: the child that served a connection has ended. */
  exit: [ExitInfo];
  /** In the others: a connection has ended. */
  end: [EndInfo];
  /** In a forking server: clients were turned away, told of at most once a second for each reason. */
  refused: [RefusedInfo];
  /** A zygote with the handler as it is now has taken the place of the one before. */
  reload: [];
  /** Something failed that the server outlives: it said EMFILE, or a zygote died and was replaced. */
  warning: [Error];
  /** The server has failed, and is closing. */
  error: [Error];
  /** Everything of it has ended and been told of. */
  close: [];
}

export interface CloseOptions {
  /** In place of the server's own. 0: SIGTERM at once. */
  gracePeriod?: Duration;
}

/** A zygote that lived this long has served: its death does not count as failing at once. Milliseconds. */
const settledMs = 10_000;
const firstBackoffMs = 100;
const longestBackoffMs = 5_000;
const mostDeathsInARow = 5;

/** The options that servers of every kind have, checked. */
export type CheckedOptions = Checked<'iterative'> & {
  /** What serves in the place of the handler script. */
  program?: Program | undefined;
  /** The most children, or connections, at once. */
  most: number;
} & Partial<Pick<Checked<'fork'>, 'spare' | 'connectionsPerChild' | 'inspectChild'>> &
  Partial<Pick<Checked<'select'>, 'multiplexer'>>;

/** What a server is doing. */
export interface ServerState {
  /** None when it does not listen. */
  addresses: ListenAddress[];
  /** The one that accepts, one that is loading, and earlier ones whose children finish. */
  zygotes: ZygoteState[];
}

export interface ZygoteState {
  pid: number;
  accepting: boolean;
  /** Milliseconds. */
  uptimeMs: number;
  connections: LiveInfo[];
}

/**
 * What all servers have in common, after Node's own `net.Server`: the listening socket, and another process that runs
 * the handler script. Nothing that a handler does blocks or ends the program that has the server.
 */
export abstract class Server extends EventEmitter<ServerEvents> {
  readonly #options: CheckedOptions;
  readonly #mode: Mode;
  #begun = false;
  /** The listening sockets. They are this process's own, so that the serving one can die and no queued client with it. */
  #listeners: Listener[] = [];
  readonly #notifier: ServiceNotifier | undefined;
  /** Every one that has a process. */
  readonly #generations = new Set<Generation>();
  /** The one that accepts. */
  #current: Generation | undefined;
  #renewal: Promise<void> | undefined;
  #nextRenewal: Promise<void> | undefined;
  #restart: NodeJS.Timeout | undefined;
  #deathsInARow = 0;
  #closing: Promise<void> | undefined;
  #serves = false;
  #hasRef = true;
  #nextId = 1;
  readonly #tally = new Tally();
  readonly #privileges: Privileges | undefined;
  #watcher: FileWatcher | undefined;

  protected constructor(options: CheckedOptions, mode: Mode) {
    super();
    assertAvailable();
    this.#options = options;
    this.#privileges = resolvePrivileges(options);
    if (options.watch) this.#watcher = new FileWatcher(() => this.#reloadChanged());
    this.#mode = mode;
    if (options.notify) this.#notifier = new ServiceNotifier(error => this.#warn(error));
  }

  /** As it stands in the table of options. @internal */
  get kind(): ServerKind {
    return this.#mode;
  }

  /** Whether clients are served. */
  get listening(): boolean {
    return this.#serves && this.#closing === undefined;
  }

  /** The process that accepts, and in a forking server forks; undefined when there is none now. */
  get zygotePid(): number | undefined {
    return this.#current?.pid;
  }

  /** The zygotes with their connections: a look at the present, for people and for tools. */
  state(): ServerState {
    const zygotes = [...this.#generations].flatMap(one =>
      one.pid === undefined
        ? []
        : {
            pid: one.pid,
            accepting: one.accepting,
            uptimeMs: one.times.uptimeMs,
            connections: one.connections(),
          },
    );
    return { addresses: this.addresses(), zygotes };
  }

  /** The most children, or connections, at once. */
  protected get most(): number {
    return this.#options.most;
  }

  protected set most(most: number) {
    this.#options.most = most;
    for (const one of this.#generations) one.send(encodeCommand('Resize', { most }));
  }

  /**
   * Where the server listens, the first of several places, or null when it does not: as `net.Server.address()`, the
   * path or abstract name of a Unix socket, which begins with `\0`.
   */
  address(): ListenAddress | null {
    return this.addresses()[0] ?? null;
  }

  /** All the places where it listens, in the order in which `listen()` was given them. */
  addresses(): ListenAddress[] {
    return this.#serves ? this.#listeners.map(({ address }) => address) : [];
  }

  /**
   * Binds, loads the handler script, and listens: at one place, as `net.Server.listen`, or at each of a list. A server
   * listens once, as Node's own does; at all of the places, or, where one cannot be had, at none.
   *
   * @throws Node's own system error where the address cannot be had (`EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`,
   * `ENOTFOUND`); the handler script's own error where it cannot be loaded; `ERR_TRUEFORK_HANDLER` where it exports
   * nothing that this server can serve or leaves something open; `ERR_TRUEFORK_UNSAFE` where it cannot be forked;
   * `ERR_TRUEFORK_LISTEN` for a descriptor that is no socket to listen on.
   */
  listen(port?: number, host?: string, backlog?: number, listening?: () => void): Promise<void>;
  listen(port?: number, listening?: () => void): Promise<void>;
  listen(path: string, backlog?: number, listening?: () => void): Promise<void>;
  listen(path: string, listening?: () => void): Promise<void>;
  listen(options: ListenOptions | readonly ListenOptions[], listening?: () => void): Promise<void>;
  async listen(...args: unknown[]): Promise<void> {
    if (this.#begun)
      throw misuse('ERR_TRUEFORK_LISTENING', 'this server listens already, or did: make a new one');
    const places = checkListenArguments(args);
    const callback = args.find(arg => typeof arg === 'function') as (() => void) | undefined;
    this.#begun = true;
    try {
      for (const place of places) this.#listeners.push(await Listener.open(place));
      await this.#renew();
    } catch (error) {
      this.#begun = false;
      this.#closeListeners();
      throw error;
    }
    this.#begin(places, callback);
  }

  #begin(places: readonly Endpoint[], callback: (() => void) | undefined): void {
    this.#serves = true;
    if (callback !== undefined) this.once('listening', callback);
    this.emit('listening');
    this.#warnOfCuts(places);
    this.#tellReady();
    this.#notifier?.watch(() => this.#current?.answers() ?? Promise.resolve(false));
  }

  #tellReady(): void {
    this.#notifier?.ready(`serving on ${this.addresses().map(showAddress).join(', ')}`);
  }

  /**
   * Loads the handler script anew, in another zygote, which takes over the same listener: no client is refused, reset
   * or lost. Those being served finish on the code that they began with. Resolves when the new code accepts.
   *
   * @throws what `listen()` throws where the script cannot be loaded, or now exports nothing to serve: the code before
   * serves on. `ERR_TRUEFORK_LISTENING` where the server does not listen.
   */
  reload(): Promise<void> {
    if (!this.listening)
      return Promise.reject(
        misuse('ERR_TRUEFORK_LISTENING', 'there is nothing to reload: this server does not listen'),
      );
    // The one under way may have read the files before they were as they are now; one that waits has not.
    this.#nextRenewal ??= (this.#renewal ?? Promise.resolve())
      .catch(() => {})
      .then(() => {
        this.#nextRenewal = undefined;
        this.#renewal = this.#renew();
        return this.#renewal;
      });
    return this.#nextRenewal;
  }

  /**
   * Stops accepting. Clients that are queued already are still served; http connections are closed as soon as no
   * request is being answered, and all may finish within the grace period. Then children get SIGTERM and, after
   * `killDelay`, SIGKILL; a server of one process closes what is left. Resolves when all have ended and been told of.
   * Called again, it only shortens the grace.
   */
  close(options: CloseOptions = {}): Promise<void> {
    const grace = checkOption('gracePeriod', options.gracePeriod ?? this.#options.gracePeriod);
    for (const one of this.#generations) one.stop(grace, this.#options.killDelay);
    return (this.#closing ??= this.#finish());
  }

  /** Ends the server at once, whoever is being served. */
  kill(): Promise<void> {
    for (const one of this.#generations) one.kill();
    return (this.#closing ??= this.#finish());
  }

  /** The commands that say how to serve, told to each zygote before its first client. */
  protected settings(): Buffer[] {
    return [];
  }

  /** @internal Tells the zygotes what has changed. */
  protected sendSettings(): void {
    for (const one of this.#generations) one.send(...this.settings());
  }

  /** What has been counted since the server was made. */
  stats(): ServerStats {
    return this.#tally.stats(this.#liveIn(this.#generations));
  }

  /** As `net.Server.ref()`: the program goes on while this server runs. */
  ref(): this {
    this.#hasRef = true;
    for (const one of this.#generations) one.ref();
    this.#restart?.ref();
    return this;
  }

  /** As `net.Server.unref()`: the program may end while this server runs, and ends it. */
  unref(): this {
    this.#hasRef = false;
    for (const one of this.#generations) one.unref();
    this.#restart?.unref();
    return this;
  }

  #closeListeners(): void {
    for (const listener of this.#listeners) listener.close();
    this.#listeners = [];
  }

  #warnOfCuts(places: readonly Endpoint[]): void {
    const most = mostBacklog();
    const cut = places.filter(({ backlog, fd }) => fd === undefined && backlog > most);
    if (cut.length === 0) return;
    this.#warn(
      misuse(
        'ERR_TRUEFORK_BACKLOG',
        `the system has cut the backlog ${cut[0]!.backlog} to ${most}: raise net.core.somaxconn (sysctl(8)), or ask for less`,
      ),
    );
  }

  /** The handler as it is now, in a new zygote, which takes over from the one before, if there is one. */
  async #renew(): Promise<void> {
    this.#assertOpen();
    const isReload = this.#current !== undefined;
    if (isReload) this.#notifier?.reloading();
    try {
      await this.#takeOver();
    } finally {
      // Of a reload that failed too, for the code before serves on.
      if (isReload && this.listening) this.#tellReady();
    }
  }

  async #takeOver(): Promise<void> {
    const next = this.#start();
    await next.ready.catch(error => {
      this.#assertOpen();
      throw error;
    });
    this.#assertOpen();
    clearTimeout(this.#restart);
    const before = this.#current;
    this.#current = next;
    // One accepts at a time, so that no id is given twice. Between the two, clients queue.
    if (before !== undefined) this.#nextId = Math.max(this.#nextId, await before.retire());
    next.begin(this.#nextId, this.#elsewhere());
    if (before !== undefined) this.emit('reload');
  }

  #assertOpen(): void {
    if (this.#closing !== undefined)
      throw misuse('ERR_TRUEFORK_LISTENING', 'this server was closed before the handler script was loaded');
  }

  #start(): Generation {
    const settings = this.settings();
    const { stdout, handler, program, most, watch } = this.#options;
    const config = {
      mode: this.#mode,
      handler: handler?.href,
      program,
      backlogs: this.#listeners.map(({ backlog }) => backlog),
      most,
      multiplexer: this.#options.multiplexer ?? 'select',
      settings: settings.length,
      watch,
      privileges: this.#privileges,
      spare: this.#options.spare ?? { min: 0, max: 0 },
      connectionsPerChild: this.#options.connectionsPerChild ?? 1,
      inspectChild: this.#options.inspectChild ?? false,
    };
    const descriptors = this.#listeners.map(({ fd }) => fd);
    const one = new Generation(descriptors, stdout, config, settings);
    this.#generations.add(one);
    if (!this.#hasRef) one.unref();
    one.on('connection', info => {
      this.#nextId = Math.max(this.#nextId, info.id + 1);
      this.#tally.countConnection();
      this.emit('connection', info);
    });
    one.on('exit', info => {
      this.#tally.countExit(info);
      this.emit('exit', info);
      this.#countElsewhere(one);
    });
    one.on('end', info => {
      this.emit('end', info);
      this.#countElsewhere(one);
    });
    one.on('refused', info =>
      this.emit('refused', { ...info, total: this.#tally.countRefused(info.reason, info.count) }),
    );
    one.on('files', files => this.#watcher?.follow(files));
    one.on('warning', error => this.#warn(error));
    one.once('over', ending => {
      this.#generations.delete(one);
      if (one !== this.#current) return;
      this.#current = undefined;
      if (this.#closing === undefined) this.#replace(ending, one.times.servedMs);
    });
    return one;
  }

  #liveIn(generations: Iterable<Generation>): number {
    let live = 0;
    for (const one of generations) live += one.size;
    return live;
  }

  /** What earlier zygotes still serve. */
  #elsewhere(): number {
    return this.#liveIn(this.#generations) - (this.#current?.size ?? 0);
  }

  #countElsewhere(changed: Generation): void {
    if (changed !== this.#current) this.#current?.countElsewhere(this.#elsewhere());
  }

  #reloadChanged(): void {
    if (this.listening) this.reload().catch(error => this.#warn(notReloaded(error)));
  }

  #warn(error: Error): void {
    if (!this.emit('warning', error))
      process.emitWarning(error.message, { code: (error as { code?: string }).code! });
  }

  #replace({ code, signal }: Ending, livedMs: number): void {
    this.#tally.countZygote();
    this.#deathsInARow = livedMs >= settledMs ? 1 : this.#deathsInARow + 1;
    const how = signal === null ? `exited with code ${code}` : `was ended by ${signal}`;
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
    this.#warn(misuse('ERR_TRUEFORK_ZYGOTE_DIED', `the serving process ${how}; a new one takes its place`));
    const backoff = Math.min(firstBackoffMs * 2 ** (this.#deathsInARow - 1), longestBackoffMs);
    this.#restart = setTimeout(() => {
      this.#restart = undefined;
      if (this.#current === undefined) this.reload().catch(error => this.#fail(error));
    }, backoff);
    if (!this.#hasRef) this.#restart.unref();
  }

  #fail(error: Error): void {
    this.#closing ??= this.#finish();
    this.emit('error', error);
  }

  async #finish(): Promise<void> {
    clearTimeout(this.#restart);
    this.#watcher?.close();
    this.#notifier?.stopping();
    this.#closeListeners();
    this.#serves = false;
    await Promise.all(
      [...this.#generations].map(one => new Promise<void>(resolve => one.once('over', () => resolve()))),
    );
    this.#notifier?.end();
    this.emit('close');
  }
}

/** What is told of a reload that nobody waits for. */
export function notReloaded(error: unknown): Error {
  const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return misuse('ERR_TRUEFORK_RELOAD', `not reloaded, the code before serves on: ${why}`, error);
}
