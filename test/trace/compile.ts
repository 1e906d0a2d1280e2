/** Programs in C, compiled once for a test run. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { scriptFolder } from '../harness/scripts.ts';

const made = new Map<string, string>();

/** The path of a program of test/trace/programs, with debug information. */
export function compiled(name: string, ...flags: string[]): string {
  const key = [name, ...flags].join(' ');
  const known = made.get(key);
  if (known !== undefined) return known;
  const program = path.join(scriptFolder, `${name}-${process.pid}-${made.size}`);
  const source = fileURLToPath(new URL(`./programs/${name}.c`, import.meta.url));
  execFileSync('gcc', ['-g', '-O1', '-Wall', '-Wextra', '-pthread', ...flags, '-o', program, source]);
  made.set(key, program);
  return program;
}
