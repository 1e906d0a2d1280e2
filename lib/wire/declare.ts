/** The words in which messages.ts declares messages, and where the fields of one lie in memory. */

export type FieldType = 'u16' | 'i32' | 'u32' | 'u64' | 'text';

export interface Field<Type extends FieldType = FieldType> {
  type: Type;
  /** Bytes. */
  size: number;
  /** What it means, for native/protocol/messages.h. */
  says?: string | undefined;
}

export type Fields = Record<string, Field>;

export interface Message<F extends Fields = Fields> {
  /** Its number in the header. */
  kind: number;
  /** `struct`: its fields; `json` and `text`: what follows the header; `none`: the header alone. */
  body: 'none' | 'struct' | 'json' | 'text';
  says: string | undefined;
  fields: F;
}

const field =
  <Type extends FieldType>(type: Type, size: number) =>
  (says?: string): Field<Type> => ({ type, size, says });

export const u16 = field('u16', 2);
export const i32 = field('i32', 4);
export const u32 = field('u32', 4);
export const u64 = field('u64', 8);

/** Text in UTF-8, ended by NUL, with room for so many bytes in all. */
export function text(size: number, says?: string): Field<'text'> {
  return { type: 'text', size, says };
}

export function struct<F extends Fields>(kind: number, fields: F, says?: string): Message<F> {
  return { kind, body: 'struct', says, fields };
}

type Empty = Record<never, Field>;

export function empty(kind: number, says?: string): Message<Empty> {
  return { kind, body: 'none', says, fields: {} };
}

export function json(kind: number, says?: string): Message<Empty> {
  return { kind, body: 'json', says, fields: {} };
}

export function lines(kind: number, says?: string): Message<Empty> {
  return { kind, body: 'text', says, fields: {} };
}

/** The fields of a message as TypeScript has them. Counts and microseconds stay far below 2 ** 53. */
export type Body<M> =
  M extends Message<infer F>
    ? { -readonly [K in keyof F]: F[K] extends Field<'text'> ? string : number }
    : never;

export interface Layout {
  /** Bytes in all. */
  size: number;
  fields: { name: string; type: FieldType; offset: number; size: number }[];
}

/** The layout that a C++ compiler gives the struct: every number at a multiple of its own size. */
export function layOut(fields: Fields): Layout {
  const placed: Layout['fields'] = [];
  let end = 0;
  let widest = 1;
  for (const [name, { type, size }] of Object.entries(fields)) {
    const alignment = type === 'text' ? 1 : size;
    const offset = roundUp(end, alignment);
    placed.push({ name, type, offset, size });
    end = offset + size;
    widest = Math.max(widest, alignment);
  }
  return { size: roundUp(end, widest), fields: placed };
}

function roundUp(offset: number, alignment: number): number {
  return Math.ceil(offset / alignment) * alignment;
}
