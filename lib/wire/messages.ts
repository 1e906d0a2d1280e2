/**
 * Every message between an owner and its zygote, declared once: the types of both languages are made of it, those of C++
 * by `npm run protocol`, which writes native/protocol/messages.h.
 *
 * Each message is a header (protocol::Header) and then as many bytes as it says: a struct in the machine's own byte
 * order, for both ends are on one machine; or text in UTF-8.
 */

import type { Option, SentField } from '../options/option.js';
import { limits } from '../options/table/limits.js';
import {
  type Body as BodyOf,
  empty,
  type Field,
  i32,
  json,
  lines,
  struct,
  text,
  u16,
  u32,
  u64,
} from './declare.js';
import { filesKind, loadFailedKind } from './handler-reports.js';

const entries = Object.entries(limits) as [keyof typeof limits, Option][];

/** The limits that a message carries, each with its field. */
export function sentBy(message: SentField['message']): { option: keyof typeof limits; field: SentField }[] {
  return entries.flatMap(([option, { sent }]) =>
    sent?.message === message ? [{ option, field: sent as SentField }] : [],
  );
}

const makers = { i32, u32, u64 };

function limitFields(message: SentField['message']): Record<string, Field<'i32' | 'u32' | 'u64'>> {
  return Object.fromEntries(
    sentBy(message).map(({ field: { name, type, says } }) => [name, makers[type](says)]),
  );
}

/** Owner to zygote. */
export const commands = {
  Stop: struct(
    1,
    { graceMs: u32('how long connections may take to finish; then SIGTERM') },
    'drain, then end the children',
  ),
  Kill: empty(2, 'every child gets SIGKILL at once'),
  Begin: struct(
    3,
    { firstId: u64('the id of its first connection') },
    'until it comes, a zygote accepts no client',
  ),
  RetiredChildren: struct(
    4,
    { count: u32() },
    'how many children of retired zygotes are left: they count among the maximum',
  ),
  Retire: empty(5, 'another zygote takes over the listeners: accept no more, the children may finish'),
  MaxConnections: struct(6, { maximum: u32() }, 'the most connections at once, of a server of one process'),
  Ping: empty(7, 'a loop that turns answers with Pong'),
  Config: json(8, 'what to serve, with the listeners. The first message of all; JavaScript reads it'),
  Admission: struct(10, limitFields('Admission'), 'who may come in'),
  Times: struct(
    11,
    {
      ...limitFields('Times'),
      killMs: u32('then SIGTERM, and this much later SIGKILL; 0: SIGKILL at once'),
    },
    'how long a connection may last, in milliseconds; 0: no limit',
  ),
  Resources: struct(
    12,
    { ...limitFields('Resources'), set: u32("which of these hold: Resource, or'ed") },
    'what a child may use of the machine',
  ),
  AddressRules: lines(13, 'a rule a line: "allow 10.0.0.0/8", "deny 2001:db8::/32"'),
  Refusal: struct(
    14,
    { reason: u32('Reason'), policy: u32('Policy') },
    'how clients are refused for a reason; behind the struct, the bytes to send them',
  ),
};

/** Zygote to owner. */
export const records = {
  LoadFailed: json(loadFailedKind, "the handler's own error. Sent by JavaScript, before there is a loop"),
  Listening: struct(2, { isolation: u32("which protections hold: Protection, or'ed") }, 'clients may come'),
  Connection: struct(
    3,
    {
      id: u64(),
      pid: i32(),
      family: u16('AF_INET, AF_INET6 or AF_UNIX'),
      remotePort: u16(),
      localPort: u16(),
      remoteAddress: text(110, 'ended by NUL'),
      localAddress: text(112),
    },
    'a connection is served',
  ),
  Exit: struct(
    4,
    {
      id: u64(),
      pid: i32(),
      status: i32('as wait(2) gives it'),
      durationUs: u64(),
      userCpuUs: u64(),
      systemCpuUs: u64(),
      maxRssKib: u64(),
      minorFaults: u64(),
      majorFaults: u64(),
      voluntarySwitches: u64(),
      involuntarySwitches: u64(),
      bytesIn: u64(),
      bytesOut: u64(),
      limit: u32('Limit'),
      execErrnum: i32('not 0: the program could not be executed (execve(2))'),
      replacedFor: u32('rollback::Reason: why this worker could not be rolled back'),
    },
    'the child that served a connection has ended',
  ),
  Trouble: struct(
    5,
    { errnum: i32(), syscall: text(12) },
    'a system call failed, and the server goes on. Sent once until it succeeds again',
  ),
  End: struct(
    6,
    {
      id: u64(),
      durationUs: u64(),
      userCpuUs: u64(),
      systemCpuUs: u64(),
      maxRssKib: u64(),
      minorFaults: u64(),
      majorFaults: u64(),
      voluntarySwitches: u64(),
      involuntarySwitches: u64(),
      bytesIn: u64(),
      bytesOut: u64(),
      rolledBack: u32(
        '0: it was not, and usage is not counted; 1: it was; 2: and it looked for what had changed',
      ),
    },
    'a connection has ended, and its process goes on',
  ),
  Retired: struct(7, { nextId: u64('for the first connection of the next zygote') }, 'the answer to Retire'),
  Files: json(
    filesKind,
    'the files that the handler was loaded from. Sent by JavaScript, before there is a loop',
  ),
  Pong: empty(9),
  Refused: struct(
    10,
    { reason: u32('Reason'), count: u32(), remotePort: u16(), remoteAddress: text(110) },
    'clients were refused: the last of them, and how many since the last record for this reason',
  ),
};

export type CommandName = keyof typeof commands;
export type RecordName = keyof typeof records;
export type CommandBody<Name extends CommandName> = BodyOf<(typeof commands)[Name]>;
export type RecordBody<Name extends RecordName> = BodyOf<(typeof records)[Name]>;

type NamesWith<Mark extends keyof Option> = {
  [Name in keyof typeof limits]: (typeof limits)[Name] extends Record<Mark, string> ? Name : never;
}[keyof typeof limits];

type WithoutSuffix<Name> = Name extends `${infer Reason}Policy` ? Reason : never;

/** The option whose limit kept a client out; `address` stands for `allow` and `deny`. */
export type RefusalReason = WithoutSuffix<NamesWith<'refuses'>>;

/** The option whose limit ended a child. */
export type EndingLimit = NamesWith<'ends'> | 'gracePeriod';

/** Why a client is refused: the number of a reason is its place here. */
export const refusalReasons = entries.flatMap(([name, { refuses }]) =>
  refuses === undefined ? [] : [{ reason: name.replace(/Policy$/, '') as RefusalReason, inCpp: refuses }],
);

/** Why a child was ended by the server: the number of a limit is its place here. */
export const endingLimits: { limit: EndingLimit | null; inCpp: string }[] = [
  { limit: null, inCpp: 'None' },
  ...entries.flatMap(([name, { ends }]) =>
    ends === undefined ? [] : [{ limit: name as EndingLimit, inCpp: ends }],
  ),
  { limit: 'gracePeriod', inCpp: 'Grace' },
];

/** Why a worker was replaced by a fresh fork, and not rolled back: the numbers of rollback::Reason. */
export const replacementReasons = [
  null,
  'unsupported',
  'threads',
  'children',
  'descriptors',
  'signals',
  'ids',
  'limits',
  'session',
  'security',
  'timers',
  'mappings',
  'memory',
  'verify',
] as const;

/** What becomes of a client that is kept out: the number of a policy is its place here. */
export const policies = [
  { policy: 'queue', inCpp: 'Queue', says: 'left in the backlog; for the limits of the whole server' },
  { policy: 'refuse', inCpp: 'Refuse', says: 'sent a message, if there is one, and closed' },
  { policy: 'reset', inCpp: 'Reset', says: undefined },
] as const;
