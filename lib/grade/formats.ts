/** The forms that a report can be written in. */
import { UsageError } from '../cli/usage.js';
import { json } from './formats/json.js';
import type { Report } from './grade.js';

export interface Setting {
  readonly command: readonly string[];
  readonly isTerminal: boolean;
}

export type Format = (report: Report, setting: Setting) => string;

const formats: Record<string, Format> = { json, terminal: json };

export const formatNames = Object.keys(formats);

export function formatNamed(name: string): Format {
  if (!Object.hasOwn(formats, name)) throw new UsageError(`--format is ${formatNames.join(', ')}; not "${name}"`);
  return formats[name]!;
}
