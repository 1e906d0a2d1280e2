import dns from 'node:dns/promises';
import { EventEmitter } from 'node:events';
import type { AddressInfo } from 'node:net';
import { getSystemErrorMap } from 'node:util';
import { misuse } from '../errors.js';
import { native } from '../native.js';
import type { Mode } from '../zygote/config.js';
import type { Duration } from './option-kinds.js';
import type { Checked } from './option-table.js';
import { checkListenArguments, checkOption, isAddress, type ListenOptions } from './options.js';
import { endingLimits, refusalReasons, type ZygoteRecord } from './protocol.js';
import {
  type ConnectionInfo,
  decodeStatus,
  type EndInfo,
  type ExitInfo,
  killedUnseen,
  type RefusedInfo,
} from './records.js';
import { type ServerStats, Tally } from './stats.js';
import { diedWhileLoading, type Ending, reviveLoadError, ZygoteProcess } from './zygote-process.js';

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
  /** The most children, or connections, at once. */
  most: number;
} & Partial<Pick<Checked<'fork'>, 'pool' | 'connectionsPerChild' | 'inspectChild'>>;

interface LiveConnection extends ConnectionInfo {
  since: number;
}

/**
 * What all servers have in common, after Node's own `net.Server`: the listening socket, and another process that runs
 * the handler script. Nothing that a handler does blocks or ends the program that has the server.
 */
export abstract class Server extends EventEmitter<ServerEvents> {
  readonly #options: CheckedOptions;
  readonly #mode: Mode;
  #where: Checked<'listen'> | undefined;
  /** The listening socket. It is this process's own, so that the serving one can die and no queued client with it. */
  #listener: number | undefined;
  #address: AddressInfo | null = null;
  #zygote: ZygoteProcess | undefined;
  #restart: NodeJS.Timeout | undefined;
  #deathsInARow = 0;
  #closing: Promise<void> | undefined;
  #hasRef = true;
  #lastId = 0;
  readonly #live = new Map<number, LiveConnection>();
  readonly #tally = new Tally();

  protected constructor(options: CheckedOptions, mode: Mode) {
    super();
    this.#options = options;
    this.#mode = mode;
  }

  /** Whether clients are served. */
  get listening(): boolean {
    return this.#address !== null && this.#closing === undefined;
  }

  /** The process that accepts, and in a forking server forks; undefined when there is none now. */
  get zygotePid(): number | undefined {
    return this.#zygote?.pid;
  }

  /** The address that the server is bound to, or null when it does not listen. */
  address(): AddressInfo | null {
    return this.#address;
  }

  /**
   * Binds, loads the handler script, and listens.
   *
   * @throws Node's own system error where the address cannot be had (`EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`,
   * `ENOTFOUND`); the handler script's own error where it cannot be loaded; `ERR_TRUEFORK_HANDLER` where it exports
   * nothing that this server can serve or leaves something open; `ERR_TRUEFORK_UNSAFE` where it cannot be forked.
   */
  listen(port?: number, host?: string, backlog?: number, listening?: () => void): Promise<void>;
  listen(port?: number, listening?: () => void): Promise<void>;
  listen(options: ListenOptions, listening?: () => void): Promise<void>;
  async listen(...args: unknown[]): Promise<void> {
    if (this.#where !== undefined)
      throw misuse('ERR_TRUEFORK_LISTENING', 'this server listens already, or did: make a new one');
    const where = checkListenArguments(args);
    const callback = args.find(arg => typeof arg === 'function') as (() => void) | undefined;
    this.#where = where;
    try {
      await this.#bind(where);
      await this.#startZygote();
    } catch (error) {
      this.#where = undefined;
      this.#closeListener();
      throw error;
    }
    this.#address = native.getsockname(this.#listener!);
    if (callback !== undefined) this.once('listening', callback);
    this.emit('listening');
  }

  /**
   * Stops accepting. Clients that are queued already are still served; they all may finish within the grace period.
   * Then children get SIGTERM and, after `killDelay`, SIGKILL; a server of one process closes what is left. Resolves
   * when all have ended and been told of. Called again, it only shortens the grace.
   */
  close(options: CloseOptions = {}): Promise<void> {
    const grace = checkOption('gracePeriod', options.gracePeriod ?? this.#options.gracePeriod);
    this.#zygote?.stop(grace, this.#options.killDelay);
    return (this.#closing ??= this.#finish());
  }

  /** Ends the server at once, whoever is being served. */
  kill(): Promise<void> {
    this.#zygote?.kill();
    return (this.#closing ??= this.#finish());
  }

  /** The commands that say how to serve, told to each zygote before its first client. */
  protected settings(): Buffer[] {
    return [];
  }

  protected sendSettings(): void {
    this.#zygote?.send(this.settings());
  }

  /** What has been counted since the server was made. */
  stats(): ServerStats {
    return this.#tally.stats(this.#live.size);
  }

  /** As `net.Server.ref()`: the program goes on while this server runs. */
  ref(): this {
    this.#hasRef = true;
    this.#zygote?.ref();
    this.#restart?.ref();
    return this;
  }

  /** As `net.Server.unref()`: the program may end while this server runs, and ends it. */
  unref(): this {
    this.#hasRef = false;
    this.#zygote?.unref();
    this.#restart?.unref();
    return this;
  }

  async #bind({ host, port, ipv6Only }: Checked<'listen'>): Promise<void> {
    const address = isAddress(host) ? host : (await dns.lookup(host)).address;
    try {
      this.#listener = native.bindListener({ host: address, port, ipv6Only });
    } catch (error) {
      // As net.Server: a machine without IPv6 is served by IPv4.
      const noIpv6 = ['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL'].includes(
        (error as NodeJS.ErrnoException).code ?? '',
      );
      if (host !== '::' || !noIpv6) throw error;
      this.#listener = native.bindListener({ host: '0.0.0.0', port, ipv6Only: false });
    }
  }

  #closeListener(): void {
    if (this.#listener !== undefined) native.close(this.#listener);
    this.#listener = undefined;
  }

  /** Resolves when the zygote serves, rejects when it could not begin to. */
  #startZygote(): Promise<void> {
    const settings = this.settings();
    const zygote = new ZygoteProcess(
      this.#listener!,
      this.#options.stdout,
      {
        mode: this.#mode,
        handler: this.#options.handler.href,
        backlog: this.#where!.backlog,
        most: this.#options.most,
        firstId: this.#lastId + 1,
        settings: settings.length,
        pool: this.#options.pool ?? { min: 0, max: 0 },
        connectionsPerChild: this.#options.connectionsPerChild ?? 1,
        inspectChild: this.#options.inspectChild ?? false,
      },
      settings,
    );
    this.#zygote = zygote;
    if (!this.#hasRef) zygote.unref();
    return new Promise((resolve, reject) => {
      let failure: Error | undefined;
      let servingSince: number | undefined;
      zygote.on('record', record => {
        if (record.name === 'LoadFailed') failure = reviveLoadError(record.error);
        else if (record.name === 'Listening') {
          servingSince = Date.now();
          resolve();
        } else this.#tell(record);
      });
      zygote.once('end', ending => {
        this.#zygote = undefined;
        if (servingSince === undefined) reject(failure ?? diedWhileLoading(ending));
        else if (this.#closing === undefined) this.#replaceZygote(ending, Date.now() - servingSince);
      });
    });
  }

  #tell(record: Exclude<ZygoteRecord, { name: 'LoadFailed' | 'Listening' }>): void {
    switch (record.name) {
      case 'Connection': {
        const { id, pid, remoteAddress, remotePort } = record;
        this.#lastId = Math.max(this.#lastId, id);
        this.#live.set(id, { id, pid, remoteAddress, remotePort, since: Date.now() });
        this.#tally.countConnection();
        this.emit('connection', { id, pid, remoteAddress, remotePort });
        return;
      }
      case 'Exit': {
        const live = this.#live.get(record.id);
        if (live === undefined) return;
        this.#live.delete(record.id);
        const { since: _, ...connection } = live;
        const exit = {
          ...connection,
          ...decodeStatus(record.status),
          limit: endingLimits[record.limit] ?? null,
          durationMs: record.durationUs / 1000,
          bytesRead: record.bytesIn,
          bytesWritten: record.bytesOut,
          rusage: {
            userCPUTime: record.userCpuUs,
            systemCPUTime: record.systemCpuUs,
            maxRSS: record.maxRssKib,
            minorPageFault: record.minorFaults,
            majorPageFault: record.majorFaults,
            voluntaryContextSwitches: record.voluntarySwitches,
            involuntaryContextSwitches: record.involuntarySwitches,
          },
        };
        this.#tally.countExit(exit);
        this.emit('exit', exit);
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
        const reason = refusalReasons[record.reason]!;
        const total = this.#tally.countRefused(reason, count);
        this.emit('refused', { reason, count, total, remoteAddress, remotePort });
        return;
      }
      case 'Trouble': {
        const errno = -record.errnum;
        const [code, meaning] = getSystemErrorMap().get(errno) ?? [`E${record.errnum}`, 'unknown error'];
        const message = `${record.syscall} ${code}: ${meaning}; clients wait until it passes`;
        this.#warn(Object.assign(new Error(message), { code, errno, syscall: record.syscall }));
      }
    }
  }

  #warn(error: Error): void {
    if (!this.emit('warning', error))
      process.emitWarning(error.message, { code: (error as { code?: string }).code! });
  }

  /** The connections of a zygote that died: its children die with it, and cannot be waited for from here. */
  #tellOfOrphans(): void {
    for (const { since, ...connection } of this.#live.values()) {
      const ended = { ...connection, durationMs: Date.now() - since };
      if (this.#mode !== 'fork') this.emit('end', ended);
      else {
        const exit: ExitInfo = { ...ended, ...killedUnseen };
        this.#tally.countExit(exit);
        this.emit('exit', exit);
      }
    }
    this.#live.clear();
  }

  #replaceZygote({ code, signal }: Ending, livedMs: number): void {
    this.#tellOfOrphans();
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
      this.#startZygote().catch(error => this.#fail(error));
    }, backoff);
    if (!this.#hasRef) this.#restart.unref();
  }

  #fail(error: Error): void {
    this.#closing ??= this.#finish();
    this.emit('error', error);
  }

  async #finish(): Promise<void> {
    const zygote = this.#zygote;
    clearTimeout(this.#restart);
    this.#closeListener();
    this.#address = null;
    if (zygote !== undefined) await new Promise<void>(resolve => zygote.once('end', () => resolve()));
    this.#tellOfOrphans();
    this.emit('close');
  }
}
