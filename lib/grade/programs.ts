/** How a server in a file is run, by its kind; one in C is compiled first. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gradeMisuse } from './misuse.js';

const cli = fileURLToPath(new URL('../cli/main.js', import.meta.url));

const interpreters: Record<string, readonly string[]> = {
  '.py': ['python3'],
  '.pl': ['perl'],
  '.sh': ['sh'],
  '.js': [process.execPath],
  '.mjs': [process.execPath],
  '.cjs': [process.execPath],
  '.ts': [process.execPath],
};

export function isServerFile(file: string): boolean {
  const { ext } = path.parse(file);
  return ext === '.c' || Object.hasOwn(interpreters, ext) || (ext === '' && isExecutable(file));
}

/**
 * The command that runs the file; `folder` is for what is compiled.
 * @throws `ERR_TRUEFORK_GRADE` when it does not compile, or is of no known kind
 */
export function commandFor(file: string, folder: string): string[] {
  const { ext, name } = path.parse(file);
  if (ext === '.c')
    return [compiled(file, path.join(folder, `${path.basename(path.dirname(file))}-${name}`)), '{port}'];
  // A script with true fork() needs a Node without threads.
  if (/['"]truefork\/posix['"]/.test(sourceOf(file))) return [process.execPath, cli, 'run', file, '{port}'];
  const interpreter = interpreters[ext];
  if (interpreter !== undefined) return [...interpreter, file, '{port}'];
  if (isExecutable(file)) return [path.resolve(file), '{port}'];
  throw gradeMisuse(`${file}: neither a program nor a script of a known kind (.c .py .js .ts .pl .sh)`);
}

function compiled(file: string, program: string): string {
  try {
    execFileSync('cc', ['-g', '-O1', '-w', '-o', program, file, '-pthread'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    return program;
  } catch (error) {
    const { stderr } = error as { stderr?: Buffer };
    throw gradeMisuse(`${file} does not compile: ${stderr?.toString().trim() || (error as Error).message}`);
  }
}

const sourceOf = (file: string) => (/\.[cm]?[jt]s$/.test(file) ? fs.readFileSync(file, 'utf8') : '');

function isExecutable(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}
