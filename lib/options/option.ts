/** What an entry of the table says of its option. */
import type { Kind } from './kind.js';
import type { Machine } from './machine.js';

export const serverKinds = ['fork', 'iterative', 'select'] as const;

export type ServerKind = (typeof serverKinds)[number];

/** Who takes an option: a kind of server, `listen()`, or `truefork serve` for what only a command has. */
export type Taker = ServerKind | 'listen' | 'command';

/** The headings of the help, in its order. */
export const topics = [
  'What to serve',
  'Listening',
  'Limits',
  'Time',
  'Children',
  'Resources of a child',
  'Privileges',
  'Isolation',
  'Output',
] as const;

export interface Option<In = unknown, Checked = In> {
  /** The heading that it stands under in the help. */
  topic: (typeof topics)[number];
  takenBy: readonly Taker[];
  kind: Kind<In, Checked>;
  /** The value without it; undefined where there is none. A function where it depends on the machine. */
  default?: In | ((machine: Machine) => In);
  /** The command's own default. Only `listen()`, which is called as Node's, has another than a command needs. */
  commandDefault?: In;
  /** In place of the default, in the help. */
  defaultText?: string;
  /** The letter of its short flag. */
  short?: string;
  /** One line: it begins with a small letter and ends without a full stop. */
  help: string;
  /** Of a limit that is a number: how it is sent to the zygote. */
  sent?: SentField<Checked>;
  /** Of a policy: the reason for which clients are refused by it, as C++ names it. */
  refuses?: string;
  /** Of a limit that ends children: the limit, as C++ names it. */
  ends?: string;
}

/** A field of a message to the zygote. lib/wire/messages.ts makes the messages of these. */
export interface SentField<Checked = unknown> {
  message: 'Admission' | 'Times' | 'Resources';
  name: string;
  type: 'i32' | 'u32' | 'u64';
  /** What the field means, for native/protocol/messages.h. */
  says?: string;
  /** A field of Resources counts only where the option was given; this is its bit in the set of those, in C++. */
  bit?: string;
  /** The number that is sent. By default the value itself, and 0 where there is none. */
  number?: (value: Checked | undefined, limits: Readonly<Record<string, unknown>>) => number;
}

/** Holds the types of an entry's parts together, and keeps them as they were written. */
export function option<In, Checked, const Rest extends Omit<Option<In, Checked>, 'kind' | 'sent'>>(
  entry: Rest & { kind: Kind<In, Checked>; sent?: SentField<Checked> },
): Rest & { kind: Kind<In, Checked>; sent?: SentField<Checked> } {
  return entry;
}
