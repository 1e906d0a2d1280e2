/** The program that serves in the place of a handler script. */
import fs from 'node:fs';
import path from 'node:path';
import { badArgument, misuse } from '../errors.js';
import type { Kind } from '../options/kinds.js';

export interface Program {
  /** The file, found. */
  path: string;
  /** From argv[0] on. */
  arguments: string[];
}

/** A program and its arguments. */
export function programWords(): Kind<readonly string[]> {
  return {
    placeholder: 'command',
    parse: commandWords,
    check(name, value) {
      const isCommand =
        Array.isArray(value) &&
        value.length > 0 &&
        value.every(word => typeof word === 'string' && !word.includes('\0')) &&
        value[0] !== '';
      if (isCommand) return value;
      throw badArgument(
        `${name} has to be a program and its arguments, as in ["grep", "-i", "linux"], not ${JSON.stringify(value)}`,
      );
    },
    show: words => words.join(' '),
  };
}

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

/**
 * A command line as words. Where it has something that a shell would make more of (quotes, variables, pipes, …), a
 * shell is what runs it: as in Perl's exec() and make(1).
 */
function commandWords(line: string): string[] {
  const needsShell = /[^\s\w@%+=:,./-]|^\s*\w+=/.test(line);
  return needsShell ? ['/bin/sh', '-c', line] : line.trim().split(/\s+/);
}
