/**
 * What the owner and its zygote say to each other: the TypeScript side of `native/protocol/messages.h`, where each message
 * is explained. A test holds the two together.
 */
import os from 'node:os';

type FieldType = 'u16' | 'i32' | 'u32' | 'u64' | 'text';
type Fields = Record<string, readonly [type: FieldType, offset: number, size: number]>;

export const messages = {
  Stop: { kind: 1, size: 8, fields: { graceMs: ['u32', 0, 4], killMs: ['u32', 4, 4] } },
  Kill: { kind: 2, size: 0, fields: {} },
  Begin: { kind: 3, size: 8, fields: { firstId: ['u64', 0, 8] } },
  Elsewhere: { kind: 4, size: 4, fields: { children: ['u32', 0, 4] } },
  Retire: { kind: 5, size: 0, fields: {} },
  Resize: { kind: 6, size: 4, fields: { most: ['u32', 0, 4] } },
  Ping: { kind: 7, size: 0, fields: {} },
  Config: { kind: 8, size: 0, fields: {} },
  Admission: {
    kind: 10,
    size: 24,
    fields: {
      maxChildren: ['u32', 0, 4],
      maxPerSource: ['u32', 4, 4],
      acceptIntervalUs: ['u32', 8, 4],
      acceptBurst: ['u32', 12, 4],
      sourceIntervalUs: ['u32', 16, 4],
      sourceBurst: ['u32', 20, 4],
    },
  },
  Times: {
    kind: 11,
    size: 16,
    fields: {
      firstByteMs: ['u32', 0, 4],
      idleMs: ['u32', 4, 4],
      connectionMs: ['u32', 8, 4],
      killMs: ['u32', 12, 4],
    },
  },
  Resources: {
    kind: 12,
    size: 40,
    fields: {
      memory: ['u64', 0, 8],
      core: ['u64', 8, 8],
      cpuSeconds: ['u32', 16, 4],
      openFiles: ['u32', 20, 4],
      nice: ['i32', 24, 4],
      oomScoreAdj: ['i32', 28, 4],
      set: ['u32', 32, 4],
    },
  },
  AddressRules: { kind: 13, size: 0, fields: {} },
  Refusal: { kind: 14, size: 8, fields: { reason: ['u32', 0, 4], policy: ['u32', 4, 4] } },
  LoadFailed: { kind: 1, size: 0, fields: {} },
  Listening: { kind: 2, size: 0, fields: {} },
  Connection: {
    kind: 3,
    size: 240,
    fields: {
      id: ['u64', 0, 8],
      pid: ['i32', 8, 4],
      family: ['u16', 12, 2],
      remotePort: ['u16', 14, 2],
      localPort: ['u16', 16, 2],
      remoteAddress: ['text', 18, 110],
      localAddress: ['text', 128, 112],
    },
  },
  Exit: {
    kind: 4,
    size: 104,
    fields: {
      id: ['u64', 0, 8],
      pid: ['i32', 8, 4],
      status: ['i32', 12, 4],
      durationUs: ['u64', 16, 8],
      userCpuUs: ['u64', 24, 8],
      systemCpuUs: ['u64', 32, 8],
      maxRssKib: ['u64', 40, 8],
      minorFaults: ['u64', 48, 8],
      majorFaults: ['u64', 56, 8],
      voluntarySwitches: ['u64', 64, 8],
      involuntarySwitches: ['u64', 72, 8],
      bytesIn: ['u64', 80, 8],
      bytesOut: ['u64', 88, 8],
      limit: ['u32', 96, 4],
      execErrnum: ['i32', 100, 4],
    },
  },
  End: { kind: 6, size: 16, fields: { id: ['u64', 0, 8], durationUs: ['u64', 8, 8] } },
  Retired: { kind: 7, size: 8, fields: { nextId: ['u64', 0, 8] } },
  Files: { kind: 8, size: 0, fields: {} },
  Pong: { kind: 9, size: 0, fields: {} },
  Refused: {
    kind: 10,
    size: 120,
    fields: {
      reason: ['u32', 0, 4],
      count: ['u32', 4, 4],
      remotePort: ['u16', 8, 2],
      remoteAddress: ['text', 10, 110],
    },
  },
  Trouble: { kind: 5, size: 16, fields: { errnum: ['i32', 0, 4], syscall: ['text', 4, 12] } },
} as const satisfies Record<string, { kind: number; size: number; fields: Fields }>;

type Messages = typeof messages;
type Values<F extends Fields> = { -readonly [K in keyof F]: F[K][0] extends 'text' ? string : number };
export type Body<Name extends keyof Messages> = Values<Messages[Name]['fields']>;

/** The numbers of the protocol's enumerations, by the names that users know. */
export const refusalReasons = [
  'address',
  'maxPerSource',
  'acceptRatePerSource',
  'maxChildren',
  'acceptRate',
] as const;
export const policies = { queue: 0, refuse: 1, reset: 2 } as const;
export const resources = {
  maxMemory: 1,
  maxCpuTime: 2,
  maxOpenFiles: 4,
  maxCoreSize: 8,
  nice: 16,
  oomScoreAdj: 32,
} as const;
export const endingLimits = [
  null,
  'firstByteTimeout',
  'idleTimeout',
  'connectionTimeout',
  'maxCpuTime',
  'maxMemory',
  'gracePeriod',
] as const;

const commandNames = [
  'Stop',
  'Kill',
  'Begin',
  'Elsewhere',
  'Retire',
  'Resize',
  'Ping',
  'Admission',
  'Times',
  'Resources',
  'AddressRules',
  'Refusal',
] as const;
const recordNames = [
  'Listening',
  'Connection',
  'Exit',
  'Trouble',
  'End',
  'Retired',
  'Pong',
  'Refused',
] as const;
export type CommandName = (typeof commandNames)[number];
type RecordName = (typeof recordNames)[number];

/** A record as the server sees it: its name, and the fields of that message. */
export type ZygoteRecord =
  | { [Name in RecordName]: { name: Name } & Body<Name> }[RecordName]
  | { name: 'LoadFailed'; error: LoadError }
  | { name: 'Files'; files: string[] };

/** A handler's own error, on its way from the zygote to the caller of `listen()`. */
export interface LoadError {
  name: string;
  message: string;
  stack?: string | undefined;
  code?: string | undefined;
}

const headerSize = 8;
const littleEndian = os.endianness() === 'LE';

function frame(kind: number, body: Uint8Array): Buffer {
  const message = Buffer.alloc(headerSize + body.length);
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  view.setUint32(0, body.length, littleEndian);
  view.setUint32(4, kind, littleEndian);
  message.set(body, headerSize);
  return message;
}

/** `rest` is what follows the struct: text, or bytes that the zygote is to send. */
export function encodeCommand<Name extends CommandName>(
  name: Name,
  body: Body<Name>,
  rest: string | Uint8Array = '',
): Buffer {
  const { kind, size, fields } = messages[name];
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  for (const [field, [type, offset]] of Object.entries(fields as Fields)) {
    const value = (body as Record<string, number>)[field]!;
    if (type === 'u64') view.setBigUint64(offset, BigInt(value), littleEndian);
    else if (type === 'i32') view.setInt32(offset, value, littleEndian);
    else view.setUint32(offset, value, littleEndian);
  }
  return frame(kind, Buffer.concat([bytes, Buffer.from(rest as Uint8Array)]));
}

/** In two, for the listeners go with the header. */
export function encodeConfig(config: object): { header: Buffer; body: Buffer } {
  const message = frame(messages.Config.kind, Buffer.from(JSON.stringify(config)));
  return { header: message.subarray(0, headerSize), body: message.subarray(headerSize) };
}

export function encodeLoadFailed(error: LoadError): Buffer {
  return frame(messages.LoadFailed.kind, Buffer.from(JSON.stringify(error)));
}

export function encodeFiles(files: readonly string[]): Buffer {
  return frame(messages.Files.kind, Buffer.from(JSON.stringify(files)));
}

/** By its kind, what a record is made of: looked up once, for each connection has two. */
const recordKinds = new Map<number, { name: RecordName; size: number; fields: [string, Fields[string]][] }>(
  recordNames.map(name => {
    const { kind, size, fields } = messages[name];
    return [kind, { name, size, fields: Object.entries(fields) }];
  }),
);

/** What stands in a record that begins at `start`. It makes no garbage: there may be thousands a second. */
function readField(bytes: Buffer, view: DataView, start: number, [type, offset]: Fields[string]) {
  const at = start + offset;
  switch (type) {
    case 'u16':
      return view.getUint16(at, littleEndian);
    case 'i32':
      return view.getInt32(at, littleEndian);
    case 'u32':
      return view.getUint32(at, littleEndian);
    case 'u64': {
      const [low, high] = littleEndian ? [0, 4] : [4, 0];
      // Counts and microseconds, far below 2 ** 53.
      return view.getUint32(at + high, littleEndian) * 2 ** 32 + view.getUint32(at + low, littleEndian);
    }
    case 'text':
      return bytes.toString('utf8', at, bytes.indexOf(0, at));
  }
}

function decodeRecord(bytes: Buffer, view: DataView, start: number, end: number): ZygoteRecord {
  const kind = view.getUint32(start - 4, littleEndian);
  if (kind === messages.LoadFailed.kind)
    return { name: 'LoadFailed', error: JSON.parse(bytes.toString('utf8', start, end)) };
  if (kind === messages.Files.kind)
    return { name: 'Files', files: JSON.parse(bytes.toString('utf8', start, end)) };
  const known = recordKinds.get(kind);
  if (known === undefined || end - start !== known.size)
    throw new Error(`truefork: a record of kind ${kind} and ${end - start} bytes is not in the protocol`);
  const record: Record<string, number | string> = { name: known.name };
  for (const [field, place] of known.fields) record[field] = readField(bytes, view, start, place);
  return record as unknown as ZygoteRecord;
}

/** Cuts the stream of bytes into records. */
export class RecordReader {
  #unread: Buffer = Buffer.alloc(0);

  *read(chunk: Buffer): Generator<ZygoteRecord> {
    const bytes = this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk]);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let read = 0;
    while (bytes.length - read >= headerSize) {
      const start = read + headerSize;
      const end = start + view.getUint32(read, littleEndian);
      if (bytes.length < end) break;
      yield decodeRecord(bytes, view, start, end);
      read = end;
    }
    this.#unread = bytes.subarray(read);
  }
}
