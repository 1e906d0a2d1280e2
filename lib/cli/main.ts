#!/usr/bin/env node
/** The `truefork` command: finds the subcommand, and turns what went wrong into one clear line and an exit code. */
import { run, runHelp } from './run.js';
import { serve, serveHelp } from './serve.js';
import { UsageError } from './usage.js';
import { version } from './version.js';

const help = `truefork: a forked JavaScript process for every connection

Usage
  truefork serve <handler> [options]   serve a handler script over TCP
  truefork run <script> [arguments]    run a script that calls fork() itself
  truefork --version | --help

truefork serve --help and truefork run --help tell more.
`;

async function main(args: string[]): Promise<number> {
  const [command, ...rest] = args;
  switch (command) {
    case 'serve':
      return serve(rest);
    case 'run':
      return run(rest);
    case 'help':
    case '--help':
    case '-h':
      process.stdout.write(rest[0] === 'serve' ? serveHelp : rest[0] === 'run' ? runHelp : help);
      return 0;
    case '--version':
    case '-v':
      console.log(version());
      return 0;
    case undefined:
      throw new UsageError('a command is missing: truefork serve <handler> or truefork run <script>');
    default:
      throw new UsageError(
        `there is no command "${command}": truefork serve <handler> or truefork run <script>`,
      );
  }
}

main(process.argv.slice(2)).then(
  code => {
    process.exitCode = code;
  },
  error => {
    console.error(`truefork: ${describe(error)}`);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  },
);

/** What a handler script itself threw is shown with its stack; what the system or we say needs none. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, syscall } = error as NodeJS.ErrnoException;
  const isOurs = error instanceof UsageError || syscall !== undefined || code?.startsWith('ERR_TRUEFORK_');
  return isOurs ? error.message : (error.stack ?? error.message);
}
