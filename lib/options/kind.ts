/** What it takes to be a kind of value that an option may have. */
import type { Machine } from './machine.js';

/** `In` is what a program gives, `Checked` what the server goes on with. */
export interface Kind<In, Checked = In> {
  /** What stands for the value in the help. A flag has no value, and so no such word. */
  readonly placeholder?: string;
  /** Whether the option may be given several times, for a list. */
  readonly repeats?: true;
  /** What a text from the command line means. A text that cannot be right is returned as it is, for `check` to name. */
  parse(text: string): unknown;
  /** For a path in a config file: it is relative to that file. */
  resolve?(value: unknown, folder: string): unknown;
  /** @throws an error that begins with `name` and says what the value has to be. */
  check(name: string, value: unknown, machine: Machine): Checked;
  /** The value as one would type it. */
  show(value: In): string;
}

/** A value as an error message quotes it. */
export function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
