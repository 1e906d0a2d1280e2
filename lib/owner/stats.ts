/** What a server has counted since it was made. */
import {
  type EndingLimit,
  endingLimits,
  type RefusalReason,
  refusalReasons,
  replacementReasons,
} from '../wire/messages.js';
import type { ChildUsage, EndInfo, ExitInfo, ReplacementReason } from './records.js';

export interface ServerStats {
  /** Since the server was made, in milliseconds. */
  uptimeMs: number;
  /** Connections that are being served now. */
  live: number;
  /** Connections that were accepted and served. */
  connections: number;
  /** How the children ended: code 0, another code, or a signal. */
  exits: { ok: number; failed: number; signalled: number };
  /** How many of them a limit ended. */
  limited: Record<EndingLimit, number>;
  /** With `rollback`: how often a child was rolled back, and how often it had to look for what had changed. */
  rollbacks: number;
  searchedRollbacks: number;
  /** Children that were replaced, because they could not be rolled back. */
  replaced: Record<ReplacementReason, number>;
  /** Clients that were refused. */
  refused: Record<RefusalReason, number>;
  /** Of the connections that are over. */
  bytesRead: number;
  bytesWritten: number;
  /** Of the children that have ended, and of connections after which a child was rolled back, in microseconds. */
  userCPUTime: number;
  systemCPUTime: number;
  /** The most memory that one child has had, in KiB. */
  maxRSS: number;
  /** How often a zygote died and was replaced. */
  zygoteDeaths: number;
}

export class Tally {
  readonly #since = performance.now();
  readonly #counted: Omit<ServerStats, 'uptimeMs' | 'live'> = {
    connections: 0,
    exits: { ok: 0, failed: 0, signalled: 0 },
    limited: zeros(endingLimits.map(({ limit }) => limit).filter(limit => limit !== null)),
    rollbacks: 0,
    searchedRollbacks: 0,
    replaced: zeros(replacementReasons.filter(reason => reason !== null)),
    refused: zeros(refusalReasons.map(({ reason }) => reason)),
    bytesRead: 0,
    bytesWritten: 0,
    userCPUTime: 0,
    systemCPUTime: 0,
    maxRSS: 0,
    zygoteDeaths: 0,
  };

  countConnection(): void {
    this.#counted.connections++;
  }

  countEnd({ rollback }: EndInfo): void {
    if (rollback === undefined) return;
    const counted = this.#counted;
    counted.rollbacks++;
    if (rollback.searched) counted.searchedRollbacks++;
    counted.bytesRead += rollback.bytesRead;
    counted.bytesWritten += rollback.bytesWritten;
    this.#countUsage(rollback.rusage);
  }

  countExit({ code, signal, limit, replacedFor, rusage, bytesRead, bytesWritten }: ExitInfo): void {
    const counted = this.#counted;
    counted.exits[signal !== null ? 'signalled' : code === 0 ? 'ok' : 'failed']++;
    if (limit !== null) counted.limited[limit]++;
    if (replacedFor !== undefined) counted.replaced[replacedFor]++;
    counted.bytesRead += bytesRead ?? 0;
    counted.bytesWritten += bytesWritten ?? 0;
    if (rusage !== null) this.#countUsage(rusage);
  }

  #countUsage({ userCPUTime, systemCPUTime, maxRSS }: ChildUsage): void {
    const counted = this.#counted;
    counted.userCPUTime += userCPUTime;
    counted.systemCPUTime += systemCPUTime;
    counted.maxRSS = Math.max(counted.maxRSS, maxRSS);
  }

  /** The new total for this reason. */
  countRefused(reason: RefusalReason, count: number): number {
    this.#counted.refused[reason] += count;
    return this.#counted.refused[reason];
  }

  countZygoteDeath(): void {
    this.#counted.zygoteDeaths++;
  }

  stats(live: number): ServerStats {
    return { uptimeMs: performance.now() - this.#since, live, ...structuredClone(this.#counted) };
  }
}

function zeros<Name extends string>(names: readonly Name[]): Record<Name, number> {
  return Object.fromEntries(names.map(name => [name, 0])) as Record<Name, number>;
}
