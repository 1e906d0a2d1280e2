/** Scripts that a test writes, inside the repository so that they find its packages, `truefork` itself among them. */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const scriptFolder = fileURLToPath(new URL('../.tmp/', import.meta.url));

let count = 0;

/** Writes a script and returns its path. */
export function script(source: string, extension = '.mjs'): string {
  const file = path.join(scriptFolder, `script-${process.pid}-${++count}${extension}`);
  fs.writeFileSync(file, source);
  return file;
}
