/** What limits a forking server: who may come in, how long a connection lasts, what a child may use. */
import fs from 'node:fs';
import os from 'node:os';
import { misuse } from '../errors.js';
import { checkOption } from './check.js';
import type { Duration, GlobalPolicy, Policy, Size } from './kinds.js';
import type { CheckedValue } from './table.js';

/** All of them can be changed while the server runs: `server.setLimits()`. */
export interface LimitOptions {
  /**
   * The most connections served at once, each by a process of its own. 256 by default, or less where the user's process
   * limit is low.
   */
  maxChildren?: number;
  /** What becomes of clients beyond `maxChildren`: they wait in the backlog (`queue`, the default), or are turned away. */
  maxChildrenPolicy?: GlobalPolicy;
  /** The most connections at once from one IPv4 address, or one IPv6 /64. By default there is no such limit. */
  maxPerSource?: number;
  /** What becomes of clients beyond `maxPerSource`: a clean end by default. */
  maxPerSourcePolicy?: Policy;
  /** The most connections a second, on average; less than one is allowed. By default there is no such limit. */
  acceptRate?: number;
  /** How many may come at once before `acceptRate` holds; as many as it allows in a second by default. */
  acceptBurst?: number;
  /** What becomes of clients beyond `acceptRate`: they wait in the backlog by default. */
  acceptRatePolicy?: GlobalPolicy;
  /** As `acceptRate`, of one IPv4 address or IPv6 /64. */
  acceptRatePerSource?: number;
  /** As `acceptBurst`, of one IPv4 address or IPv6 /64. */
  acceptBurstPerSource?: number;
  /** What becomes of clients beyond `acceptRatePerSource`: a clean end by default. */
  acceptRatePerSourcePolicy?: Policy;
  /** Addresses that are let in, by CIDR: `['10.0.0.0/8', '::1']`. Where there are none, all are. */
  allow?: readonly string[];
  /** Addresses that are not, even if `allow` has them. */
  deny?: readonly string[];
  /** What becomes of clients that `allow` and `deny` keep out: a clean end by default. */
  addressPolicy?: Policy;
  /** How long a client may take to send its first byte. 0, the default: for ever. */
  firstByteTimeout?: Duration;
  /** How long a connection may last on which no byte moves, either way. 0, the default: for ever. */
  idleTimeout?: Duration;
  /** How long a connection may last in all, whatever its child is doing. 0, the default: for ever. */
  connectionTimeout?: Duration;
  /** How much memory a child may have beside what it begins with. By default there is no such limit. */
  maxMemory?: Size;
  /** How much CPU time a child may use, in whole seconds. By default there is no such limit. */
  maxCpuTime?: Duration;
  /** How many descriptors a child may have open (RLIMIT_NOFILE of setrlimit(2)). By default as this process. */
  maxOpenFiles?: number;
  /** How big a core dump of a child may be (RLIMIT_CORE of setrlimit(2)). By default as of this process. */
  maxCoreSize?: Size;
  /** The niceness of children, from -20 to 19 (setpriority(2)). By default that of this process. */
  nice?: number;
  /** How readily the kernel ends a child when the machine is out of memory, from -1000 to 1000 (proc(5)). */
  oomScoreAdj?: number;
}

export type LimitName = keyof LimitOptions;
export type CheckedLimits = { [Name in LimitName]-?: CheckedValue<Name> };

/** New values for some of them; null is the default again. */
export type NewLimits = { [Name in LimitName]?: LimitOptions[Name] | null };

export const limitNames: readonly LimitName[] = [
  'maxChildren',
  'maxChildrenPolicy',
  'maxPerSource',
  'maxPerSourcePolicy',
  'acceptRate',
  'acceptBurst',
  'acceptRatePolicy',
  'acceptRatePerSource',
  'acceptBurstPerSource',
  'acceptRatePerSourcePolicy',
  'allow',
  'deny',
  'addressPolicy',
  'firstByteTimeout',
  'idleTimeout',
  'connectionTimeout',
  'maxMemory',
  'maxCpuTime',
  'maxOpenFiles',
  'maxCoreSize',
  'nice',
  'oomScoreAdj',
];

export function pickLimits(options: CheckedLimits): CheckedLimits {
  return Object.fromEntries(limitNames.map(name => [name, options[name]])) as CheckedLimits;
}

/** The limits with some of them changed. */
export function changeLimits(limits: CheckedLimits, changes: NewLimits): CheckedLimits {
  const changed: Record<string, unknown> = { ...limits };
  for (const [name, value] of Object.entries(changes)) {
    if (value !== undefined) changed[name] = checkOption(name as LimitName, value);
  }
  return changed as CheckedLimits;
}

/** @throws `ERR_TRUEFORK_LIMIT` for what the system does not let this process give to a child. */
export function assertGrantable({ maxOpenFiles, nice, oomScoreAdj }: CheckedLimits): void {
  if (process.geteuid!() === 0) return; // and has the capabilities; a child without them says so, and does not serve
  const most = hardLimit('Max open files');
  if (maxOpenFiles !== undefined && maxOpenFiles > most)
    throw tooMuch('maxOpenFiles', maxOpenFiles, `at most ${most} (ulimit -Hn)`);
  const lowestNice = Math.min(os.getPriority(), 20 - hardLimit('Max nice priority'));
  if (nice !== undefined && nice < lowestNice) throw tooMuch('nice', nice, `at least ${lowestNice}`);
  const own = Number(fs.readFileSync('/proc/self/oom_score_adj', 'utf8'));
  if (oomScoreAdj !== undefined && oomScoreAdj < own)
    throw tooMuch('oomScoreAdj', oomScoreAdj, `at least ${own}, its own`);
}

function tooMuch(name: string, value: number, most: string): Error {
  return misuse('ERR_TRUEFORK_LIMIT', `${name} ${value} is more than this user may have: ${most}`);
}

/** proc(5), /proc/PID/limits: name, soft limit, hard limit, in columns. */
function hardLimit(name: string): number {
  const line = new RegExp(`^${name} +(\\S+) +(\\S+)`, 'm').exec(fs.readFileSync('/proc/self/limits', 'utf8'));
  return line === null || line[2] === 'unlimited' ? Number.POSITIVE_INFINITY : Number(line[2]);
}
