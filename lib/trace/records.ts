/** The tracer's records as they come over its socket: native/trace/records.h says what they are made of. */
import { endianness } from 'node:os';

/** In the order of `enum class Kind`. */
export const recordKinds = [
  'hello',
  'failed',
  'born',
  'exec',
  'exit',
  'thread-exit',
  'enter',
  'leave',
  'signal',
  'stopped',
  'continued',
  'intervened',
  'unsafe-call',
  'refused',
  'end',
] as const;

export interface TraceRecord {
  readonly kind: (typeof recordKinds)[number];
  readonly call: number;
  readonly pid: number;
  readonly tid: number;
  /** Milliseconds. */
  readonly time: number;
  readonly values: readonly number[];
  readonly blobs: readonly Buffer[];
}

const sizeLength = 4;
const headerLength = 24;
const longest = 16 * 1024 * 1024;
const isLittle = endianness() === 'LE';

const view = (bytes: Buffer) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function parse(bytes: Buffer): TraceRecord {
  const data = view(bytes);
  const kind = recordKinds[data.getUint8(0)];
  if (kind === undefined) throw new Error(`the tracer sent a record of unknown kind ${data.getUint8(0)}`);
  let at = headerLength;
  const values: number[] = [];
  for (let i = 0; i < data.getUint8(20); i++, at += 8) values.push(Number(data.getBigInt64(at, isLittle)));
  const blobs: Buffer[] = [];
  for (let i = 0; i < data.getUint8(21); i++) {
    const length = data.getUint32(at, isLittle);
    blobs.push(bytes.subarray(at + sizeLength, at + sizeLength + length));
    at += sizeLength + length;
  }
  return {
    kind,
    call: data.getUint16(2, isLittle),
    pid: data.getInt32(4, isLittle),
    tid: data.getInt32(8, isLittle),
    time: Number(data.getBigInt64(12, isLittle)) / 1000,
    values,
    blobs,
  };
}

/** Puts pieces of a stream together, and gives each record that is whole. */
export class RecordReader {
  #rest: Buffer = Buffer.alloc(0);

  *read(piece: Buffer): Generator<TraceRecord> {
    let bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    while (bytes.length >= sizeLength) {
      const size = view(bytes).getUint32(0, isLittle);
      if (size < headerLength || size > longest) throw new Error(`the tracer sent a record of ${size} bytes`);
      if (bytes.length < sizeLength + size) break;
      yield parse(bytes.subarray(sizeLength, sizeLength + size));
      bytes = bytes.subarray(sizeLength + size);
    }
    this.#rest = bytes;
  }
}
