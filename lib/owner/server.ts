import { EventEmitter } from 'node:events';
import { assertAvailable, type Isolation, type Privileges } from '../binding/native.js';
import { misuse } from '../errors.js';
import type { ListenOptions } from '../options/interfaces.js';
import type { ServerKind } from '../options/option.js';
import { checkListenArguments, type Endpoint } from '../options/places.js';
import type { Checked } from '../options/table.js';
import type { Program } from '../wire/config.js';
import { Generation } from './generation.js';
import { Generations } from './generations.js';
import { noIsolation } from './isolation.js';
import { type ListenAddress, Listener, showAddress } from './listener.js';
import { checkOption, thisMachine } from './machine.js';
import { resolvePrivileges } from './privileges.js';
import type { CloseOptions, ServerEvents, ServerState } from './server-types.js';
import { type ServerStats, Tally } from './stats.js';
import { mostBacklog } from './system-limits.js';
import { ServiceNotifier } from './systemd.js';
import { FileWatcher } from './watcher.js';

/** The options that servers of every kind have, checked. */
export type CheckedOptions = Checked<'iterative'> & {
  /** What serves instead of the handler script. */
  program?: Program | undefined;
  /** How children are isolated. */
  isolation?: Isolation;
} & Partial<Pick<Checked<'fork'>, 'spare' | 'connectionsPerChild' | 'rollback' | 'inspectChild'>> &
  Partial<Pick<Checked<'select'>, 'multiplexer'>>;

/**
 * What all servers have in common, after Node's own `net.Server`: the listening sockets, and another process, the
 * zygote, that runs the handler script. Nothing that a handler does blocks or ends the program that has the server.
 */
export abstract class Server extends EventEmitter<ServerEvents> {
  readonly #options: CheckedOptions;
  readonly #mode: ServerKind;
  readonly #privileges: Privileges | undefined;
  readonly #notifier: ServiceNotifier | undefined;
  readonly #watcher: FileWatcher | undefined;
  readonly #generations: Generations;
  readonly #tally = new Tally();
  /** They are this process's own, so that a zygote can die or be replaced without any loss of queued clients. */
  #listeners: Listener[] = [];
  #begun = false;
  #serves = false;
  #closing: Promise<void> | undefined;

  protected constructor(options: CheckedOptions, mode: ServerKind) {
    super();
    assertAvailable();
    this.#options = options;
    this.#mode = mode;
    this.#privileges = resolvePrivileges(options, options.isolation?.sandbox?.uids);
    this.#watcher = options.watch ? new FileWatcher(() => this.#reloadChanged()) : undefined;
    this.#notifier = options.notify ? new ServiceNotifier(error => this.#warn(error)) : undefined;
    this.#generations = new Generations(
      () => this.#startGeneration(),
      options.gracePeriod + options.killDelay,
    );
    this.#follow(this.#generations);
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
    return this.#generations.current?.pid;
  }

  /** What the server is doing now: its addresses, and its zygotes with their connections. */
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

  /** What has been counted since the server was made. */
  stats(): ServerStats {
    return this.#tally.stats(this.#generations.live);
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
    const places = checkListenArguments(thisMachine, args);
    const callback = args.find(arg => typeof arg === 'function') as (() => void) | undefined;
    this.#begun = true;
    try {
      for (const place of places) this.#listeners.push(await Listener.open(place));
      await this.#generations.renew();
    } catch (error) {
      this.#begun = false;
      this.#closeListeners();
      throw error;
    }
    this.#serves = true;
    if (callback !== undefined) this.once('listening', callback);
    this.emit('listening');
    this.#warnOfShortBacklog(places);
    this.#notifyReady();
    this.#notifier?.watch(async () => (await this.#generations.current?.answers()) ?? false);
  }

  /**
   * Loads the handler script again, in another zygote, which takes over the same listeners: no client is refused, reset
   * or dropped. Connections finish on the code that they began with. Resolves when the new code accepts.
   *
   * @throws what `listen()` throws where the script cannot be loaded, or now exports nothing to serve: the code before
   * serves on. `ERR_TRUEFORK_LISTENING` where the server does not listen.
   */
  async reload(): Promise<void> {
    if (!this.listening)
      throw misuse('ERR_TRUEFORK_LISTENING', 'there is nothing to reload: this server does not listen');
    await this.#generations.reload();
  }

  /**
   * Stops accepting. Clients that are queued already are still served; http connections are closed as soon as no
   * request is being answered, and all may finish within the grace period. Then children get SIGTERM and, after
   * `killDelay`, SIGKILL; a server of one process closes what is left. Resolves when all have ended and all events of
   * them have been emitted. A second call can only shorten the grace period.
   */
  close(options: CloseOptions = {}): Promise<void> {
    const grace = checkOption('gracePeriod', options.gracePeriod ?? this.#options.gracePeriod);
    this.#generations.stop(grace, grace + this.#options.killDelay);
    return (this.#closing ??= this.#finish());
  }

  /** Ends the server and all connections at once. */
  kill(): Promise<void> {
    this.#generations.kill();
    return (this.#closing ??= this.#finish());
  }

  /** As `net.Server.ref()`: the program goes on while this server runs. */
  ref(): this {
    this.#generations.ref();
    return this;
  }

  /** As `net.Server.unref()`: the program may end while this server runs, and ends it. */
  unref(): this {
    this.#generations.unref();
    return this;
  }

  /** The commands that say how to serve. Each zygote gets them before its first client. @internal */
  protected abstract settings(): Buffer[];

  /** @internal Sends the zygotes what has changed. */
  protected sendSettings(): void {
    this.#generations.send(...this.settings());
  }

  #startGeneration(): Generation {
    const settings = this.settings();
    const {
      stdout,
      handler,
      program,
      watch,
      multiplexer,
      spare,
      connectionsPerChild,
      rollback,
      inspectChild,
    } = this.#options;
    const config = {
      mode: this.#mode,
      handler: handler?.href,
      program,
      backlogs: this.#listeners.map(({ backlog }) => backlog),
      multiplexer: multiplexer ?? 'select',
      settings: settings.length,
      watch,
      privileges: this.#privileges,
      isolation: this.#options.isolation ?? noIsolation,
      spare: spare ?? { min: 0, max: 0 },
      connectionsPerChild: connectionsPerChild ?? 1,
      rollback: rollback ?? false,
      inspectChild: inspectChild ?? false,
    };
    const descriptors = this.#listeners.map(({ fd }) => fd);
    return new Generation(descriptors, stdout, config, settings);
  }

  /** What happens in the zygotes, counted, watched and passed on. */
  #follow(generations: Generations): void {
    generations.on('connection', info => {
      this.#tally.countConnection();
      this.emit('connection', info);
    });
    generations.on('exit', info => {
      this.#tally.countExit(info);
      this.emit('exit', info);
    });
    generations.on('end', info => {
      this.#tally.countEnd(info);
      this.emit('end', info);
    });
    generations.on('refused', info => {
      this.emit('refused', { ...info, total: this.#tally.countRefused(info.reason, info.count) });
    });
    generations.on('files', files => this.#watcher?.follow(files));
    generations.on('warning', error => this.#warn(error));
    generations.on('death', () => this.#tally.countZygoteDeath());
    generations.on('reloading', () => this.#notifier?.reloading());
    // After a failed reload too, for the code before serves on.
    generations.on('reloaded', () => this.listening && this.#notifyReady());
    generations.on('takeover', () => this.emit('reload'));
    generations.on('failure', error => {
      this.#closing ??= this.#finish();
      this.emit('error', error);
    });
  }

  async #finish(): Promise<void> {
    this.#watcher?.close();
    this.#notifier?.stopping();
    this.#closeListeners();
    this.#serves = false;
    await this.#generations.ended();
    this.#notifier?.end();
    this.emit('close');
  }

  #closeListeners(): void {
    for (const listener of this.#listeners) listener.close();
    this.#listeners = [];
  }

  #reloadChanged(): void {
    if (this.listening) this.reload().catch(error => this.#warn(notReloaded(error)));
  }

  #notifyReady(): void {
    this.#notifier?.ready(`serving on ${this.addresses().map(showAddress).join(', ')}`);
  }

  #warnOfShortBacklog(places: readonly Endpoint[]): void {
    const most = mostBacklog();
    const cut = places.find(({ backlog, fd }) => fd === undefined && backlog > most);
    if (cut === undefined) return;
    this.#warn(
      misuse(
        'ERR_TRUEFORK_BACKLOG',
        `the system has cut the backlog ${cut.backlog} to ${most}: raise net.core.somaxconn (sysctl(8)), or ask for less`,
      ),
    );
  }

  #warn(error: Error): void {
    if (!this.emit('warning', error))
      process.emitWarning(error.message, { code: (error as { code?: string }).code! });
  }
}

/** The warning of a reload that no caller waits for. */
export function notReloaded(error: unknown): Error {
  const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return misuse('ERR_TRUEFORK_RELOAD', `not reloaded, the code before serves on: ${why}`, error);
}
