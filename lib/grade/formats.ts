/** The forms that a report can be written in. */

import { check50 } from './formats/check50.js';
import { classroom50 } from './formats/classroom50.js';
import type { Format } from './formats/format.js';
import { gradescope } from './formats/gradescope.js';
import { html } from './formats/html.js';
import { json } from './formats/json.js';
import { junit } from './formats/junit.js';
import { tap } from './formats/tap.js';
import { terminal } from './formats/terminal.js';
import { gradeMisuse } from './misuse.js';

const formats: Record<string, Format> = {
  terminal,
  json,
  junit,
  tap,
  gradescope,
  classroom50,
  check50,
  html,
};

export const formatNames = Object.keys(formats);

/** @throws `ERR_TRUEFORK_GRADE` */
export function formatNamed(name: string): Format {
  if (!Object.hasOwn(formats, name))
    throw gradeMisuse(`--format is ${formatNames.join(', ')}; not "${name}"`);
  return formats[name]!;
}
