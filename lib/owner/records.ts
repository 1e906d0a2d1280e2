/** What the events of a server say of a connection, and how it is read from the zygote's records. */
import os from 'node:os';
import type { Family } from '../binding/native.js';
import {
  type EndingLimit,
  endingLimits,
  type RecordBody,
  type RefusalReason,
  replacementReasons,
} from '../wire/messages.js';

export interface ConnectionInfo {
  /** Counts the connections of this server, from 1. */
  id: number;
  /** The process that serves it. */
  pid: number;
  family: Family;
  /** Of a Unix socket's client, the path that it is bound to: for most, `''`. An abstract name begins with `@`. */
  remoteAddress: string;
  /** 0 for a Unix socket. */
  remotePort: number;
  localAddress: string;
  localPort: number;
}

/** From the kernel's numbers, AF_UNIX, AF_INET and AF_INET6. */
export function familyName(family: number): Family {
  return family === 1 ? 'Unix' : family === 2 ? 'IPv4' : 'IPv6';
}

/** The resources that a child used, under the names and in the units of `process.resourceUsage()`. */
export interface ChildUsage {
  /** Microseconds. */
  userCPUTime: number;
  /** Microseconds. */
  systemCPUTime: number;
  /** KiB. */
  maxRSS: number;
  minorPageFault: number;
  majorPageFault: number;
  voluntaryContextSwitches: number;
  involuntaryContextSwitches: number;
}

/** A connection that is over and whose process goes on: of a server of one process, or of a child that serves several. */
export interface EndInfo extends ConnectionInfo {
  durationMs: number;
  /** Only of a child that was rolled back after it. */
  rollback?: RollbackInfo;
}

/** What one connection used of a child that serves many. */
export interface RollbackInfo {
  /** Whether the child had to look for what had changed, which takes longer. */
  searched: boolean;
  /** `maxRSS` is the process's, the rest this connection's alone. */
  rusage: ChildUsage;
  bytesRead: number;
  bytesWritten: number;
}

/** Why a child was replaced by a fresh fork, where it was to be rolled back. */
export type ReplacementReason = NonNullable<(typeof replacementReasons)[number]>;

export interface ExitInfo extends ConnectionInfo {
  /** The exit code, or null where a signal ended the child. */
  code: number | null;
  /** The signal that ended the child, or null. */
  signal: NodeJS.Signals | null;
  coreDumped: boolean;
  /** Only where `exec` names a program, and it could not be executed: why (execve(2)), `'ENOENT'` and the like. */
  execError?: string;
  /** The option whose limit ended the child; null where none did. */
  limit: EndingLimit | null;
  /** Only of a child that was to be rolled back, and could not be: why. */
  replacedFor?: ReplacementReason;
  /** Null where the zygote died: only the parent of a child gets its resource usage (wait4(2)). */
  rusage: ChildUsage | null;
  durationMs: number;
  /** As of `net.Socket`. Null where the zygote died, and for the Unix socket of an executed program. */
  bytesRead: number | null;
  bytesWritten: number | null;
}

/** `ENOENT` and the like. libuv, and so `util.getSystemErrorName`, knows only some of the errors of execve(2). */
export function errorName(errnum: number): string {
  const names = Object.entries(os.constants.errno);
  return names.find(([, number]) => number === errnum)?.[0] ?? `E${errnum}`;
}

/** Clients that were refused for one reason. */
export interface RefusedInfo {
  reason: RefusalReason;
  /** How many since the last event for this reason. */
  count: number;
  /** How many for this reason in all. */
  total: number;
  /** The last of them. */
  remoteAddress: string;
  remotePort: number;
}

/** The exit of the child that served this connection. */
export function exitOf(connection: ConnectionInfo, record: RecordBody<'Exit'>, isCounted: boolean): ExitInfo {
  const replacedFor = replacementReasons[record.replacedFor];
  return {
    ...connection,
    ...decodeStatus(record.status),
    ...(record.execErrnum === 0 ? {} : { execError: errorName(record.execErrnum) }),
    limit: endingLimits[record.limit]?.limit ?? null,
    ...(replacedFor == null ? {} : { replacedFor }),
    durationMs: record.durationUs / 1000,
    bytesRead: isCounted ? record.bytesIn : null,
    bytesWritten: isCounted ? record.bytesOut : null,
    rusage: usageOf(record),
  };
}

/** The end of a connection whose process goes on. */
export function endOf(connection: ConnectionInfo, record: RecordBody<'End'>): EndInfo {
  const ended = { ...connection, durationMs: record.durationUs / 1000 };
  if (record.rolledBack === 0) return ended;
  const { bytesIn: bytesRead, bytesOut: bytesWritten } = record;
  const searched = record.rolledBack === 2;
  return { ...ended, rollback: { searched, rusage: usageOf(record), bytesRead, bytesWritten } };
}

function usageOf(record: RecordBody<'Exit'> | RecordBody<'End'>): ChildUsage {
  return {
    userCPUTime: record.userCpuUs,
    systemCPUTime: record.systemCpuUs,
    maxRSS: record.maxRssKib,
    minorPageFault: record.minorFaults,
    majorPageFault: record.majorFaults,
    voluntaryContextSwitches: record.voluntarySwitches,
    involuntaryContextSwitches: record.involuntarySwitches,
  };
}

/** What is known of a child whose zygote died: the parent-death signal killed it. */
export const killedUnseen = {
  code: null,
  signal: 'SIGKILL',
  coreDumped: false,
  limit: null,
  rusage: null,
  bytesRead: null,
  bytesWritten: null,
} as const;

// Some signals have two names (SIGABRT and SIGIOT): the first listed is the one that child_process gives.
const signalNames = new Map(
  Object.entries(os.constants.signals)
    .reverse()
    .map(([name, number]) => [number, name]),
);

/** The parts of a wait status (wait(2)): the low seven bits are the signal, the eighth a core dump. */
export function decodeStatus(status: number): Pick<ExitInfo, 'code' | 'signal' | 'coreDumped'> {
  const signo = status & 0x7f;
  if (signo === 0) return { code: (status >> 8) & 0xff, signal: null, coreDumped: false };
  const signal = (signalNames.get(signo) ?? `SIG${signo}`) as NodeJS.Signals;
  return { code: null, signal, coreDumped: (status & 0x80) !== 0 };
}
