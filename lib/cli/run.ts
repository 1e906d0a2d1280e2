/** `truefork run`: a script that calls fork() itself, in a process that was started for it. */
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { native } from '../binding/native.js';
import { requiredFlags } from '../fork/preflight.js';
import { execve } from '../posix/process.js';
import { isTypeScript, nodeStripsTypes } from '../script/typescript.js';
import { parseFlags } from './flags.js';
import { UsageError } from './usage.js';

const usage = `Usage
  truefork run [options] <script> [arguments]

Runs <script>, a JavaScript or TypeScript file, with Node started so that fork() from 'truefork/posix' works. It takes
the place of this command: same process ID, same standard input and output, and its exit code is the command's.

Options, before the script
      --max-descendants <n>    most live processes that the script may have forked   (512)
      --max-generations <n>    how deep they may be: children, their children, …     (8)
  -h, --help                   this text

Both limits are a fuse against a mistake; TRUEFORK_MAX_DESCENDANTS and TRUEFORK_MAX_GENERATIONS set them as well.
`;

const limits = {
  'max-descendants': 'TRUEFORK_MAX_DESCENDANTS',
  'max-generations': 'TRUEFORK_MAX_GENERATIONS',
} as const;

interface Arguments {
  /** The script and what it is given. */
  command: string[];
  environment: Record<string, string>;
}

function parse(args: string[]): Arguments | 'help' {
  const scriptAt = args.findIndex((arg, i) => !arg.startsWith('-') && !takesValue(args[i - 1]));
  const own = scriptAt < 0 ? args : args.slice(0, scriptAt);
  const { values } = parseFlags('run', {
    args: own,
    options: {
      'max-descendants': { type: 'string' },
      'max-generations': { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return 'help';
  if (scriptAt < 0) throw new UsageError('which script? truefork run <script> [arguments]');
  const environment: Record<string, string> = {};
  for (const [option, variable] of Object.entries(limits)) {
    const value = values[option as keyof typeof limits];
    if (value === undefined) continue;
    if (!/^[1-9]\d*$/.test(value))
      throw new UsageError(`--${option} takes a whole number from 1, not "${value}"`);
    environment[variable] = value;
  }
  return { command: args.slice(scriptAt), environment };
}

function takesValue(option: string | undefined): boolean {
  return option !== undefined && Object.keys(limits).some(name => option === `--${name}`);
}

/** Returns only to print the help, or by an exception. */
export function run(args: string[]): number {
  const parsed = parse(args);
  if (parsed === 'help') {
    process.stdout.write(usage);
    return 0;
  }
  const auto = new URL('../auto.js', import.meta.url).href;
  const [script, ...rest] = parsed.command;
  const url = pathToFileURL(path.resolve(script!)).href;
  const start =
    isTypeScript(url) && !nodeStripsTypes
      ? [fileURLToPath(new URL('./typescript.js', import.meta.url)), url]
      : [script!];
  native.passOnDescriptors();
  execve(process.execPath, [process.argv0, ...requiredFlags(), '--import', auto, ...start, ...rest], {
    ...process.env,
    ...parsed.environment,
  });
}
