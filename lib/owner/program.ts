/** Finds the program that serves instead of a handler script. */
import fs from 'node:fs';
import path from 'node:path';
import { misuse } from '../errors.js';
import type { Program } from '../wire/config.js';

/** @throws `ERR_TRUEFORK_EXEC` where there is no such program, or it may not be executed. */
export function findProgram(words: readonly string[]): Program {
  return { path: find(words[0]!), arguments: [...words] };
}

/** As the shell: a name without a slash is looked for in PATH. */
function find(program: string): string {
  const folders = program.includes('/')
    ? ['']
    : (process.env.PATH ?? '/usr/local/bin:/usr/bin:/bin').split(':');
  const candidates = folders.map(folder => path.resolve(folder, program));
  const problems = candidates.map(problemWith);
  const found = problems.indexOf(undefined);
  if (found >= 0) return candidates[found]!;
  const forbidden = problems.find(problem => problem !== missing);
  const why = forbidden ?? (program.includes('/') ? missing : 'it is not in PATH');
  throw misuse('ERR_TRUEFORK_EXEC', `exec: ${program} cannot be executed: ${why}`);
}

const missing = 'there is no such file';

function problemWith(file: string): string | undefined {
  const found = fs.statSync(file, { throwIfNoEntry: false });
  if (found === undefined) return missing;
  if (!found.isFile()) return 'it is not a file';
  try {
    fs.accessSync(file, fs.constants.X_OK);
  } catch {
    return 'it may not be executed (chmod +x)';
  }
  return undefined;
}
