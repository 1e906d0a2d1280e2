/** Scripts that a test writes, inside the repository so that they find its packages, `truefork` itself among them. */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';

/** This run's own: another run in the same clone has another. */
export const scriptFolder = inject('scriptFolder');

/** The root of the clone. */
export const repository = fileURLToPath(new URL('../../', import.meta.url));

let count = 0;

/** Writes a script and returns its path. */
export function script(source: string, extension = '.mjs'): string {
  const file = path.join(scriptFolder, `script-${process.pid}-${++count}${extension}`);
  fs.writeFileSync(file, source);
  return file;
}
