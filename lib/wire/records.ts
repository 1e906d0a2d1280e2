/** Reads the messages that a zygote sends. */
import { misuse } from '../errors.js';
import { type Layout, layOut } from './declare.js';
import { headerSize, littleEndian } from './frame.js';
import type { LoadError } from './handler-reports.js';
import { type RecordBody, type RecordName, records } from './messages.js';

/** The records that are a struct, or nothing but their name. */
type Plain = Exclude<RecordName, 'LoadFailed' | 'Files'>;

/** A record as the owner sees it: its name, and the fields of that message. */
export type ZygoteRecord =
  | { [Name in Plain]: { name: Name } & RecordBody<Name> }[Plain]
  | { name: 'LoadFailed'; error: LoadError }
  | { name: 'Files'; files: string[] };

/** By kind, the layout of each record. It is computed once: there are two records for each connection. */
const layouts = new Map<number, Layout & { name: Plain }>();
for (const [name, { kind, body, fields }] of Object.entries(records))
  if (body !== 'json') layouts.set(kind, { name: name as Plain, ...layOut(fields) });

/** The list of a handler's files is the longest that there is. */
const longestRecord = 16 * 2 ** 20;

/** Cuts the stream of bytes into records. */
export class RecordReader {
  #unread: Buffer = Buffer.alloc(0);

  *read(chunk: Buffer): Generator<ZygoteRecord> {
    const bytes = this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk]);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let read = 0;
    while (bytes.length - read >= headerSize) {
      const start = read + headerSize;
      const length = view.getUint32(read, littleEndian);
      if (length > longestRecord) throw nonsense(`a record of ${length} bytes`);
      const end = start + length;
      if (bytes.length < end) break;
      yield decodeRecord(bytes, view, start, end);
      read = end;
    }
    this.#unread = bytes.subarray(read);
  }
}

function decodeRecord(bytes: Buffer, view: DataView, start: number, end: number): ZygoteRecord {
  const kind = view.getUint32(start - 4, littleEndian);
  if (kind === records.LoadFailed.kind)
    return { name: 'LoadFailed', error: JSON.parse(bytes.toString('utf8', start, end)) };
  if (kind === records.Files.kind)
    return { name: 'Files', files: JSON.parse(bytes.toString('utf8', start, end)) };
  const layout = layouts.get(kind);
  if (layout === undefined || end - start !== layout.size)
    throw nonsense(`a record of kind ${kind} and ${end - start} bytes`);
  const record: Record<string, number | string> = { name: layout.name };
  for (const field of layout.fields) record[field.name] = readField(bytes, view, start, field);
  return record as unknown as ZygoteRecord;
}

/** Reads one field of the record that begins at `start`, without garbage: there may be thousands of records a second. */
function readField(bytes: Buffer, view: DataView, start: number, { type, offset }: Layout['fields'][number]) {
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
      return view.getUint32(at + high, littleEndian) * 2 ** 32 + view.getUint32(at + low, littleEndian);
    }
    case 'text':
      return bytes.toString('utf8', at, bytes.indexOf(0, at));
  }
}

function nonsense(what: string): Error {
  return misuse(
    'ERR_TRUEFORK_HANDLER',
    `the serving process sent ${what}, which is not in the protocol: something in it writes to a descriptor that it did not open`,
  );
}
