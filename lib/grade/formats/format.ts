/** What every form of a report is: a function to text. */
import type { Report } from '../grade.js';

export interface Setting {
  readonly command: readonly string[];
  readonly isTerminal: boolean;
}

export type Format = (report: Report, setting: Setting) => string;
