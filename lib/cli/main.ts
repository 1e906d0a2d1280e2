#!/usr/bin/env node
/** The `truefork` command: finds the subcommand, and turns an error into one clear line and an exit code. */
import { UsageError } from './usage.js';
import { version } from './version.js';

const help = `truefork: a forked JavaScript process for every connection

Usage
  truefork serve <handler> [options]   serve a handler script over TCP
  truefork run <script> [arguments]    run a script that calls fork() itself
  truefork grade -- <server> {port}    tell which mistakes a TCP server makes, in any language
  truefork trace -- <program> [args]   say and draw what the processes of any program do
  truefork doctor                      check whether this machine can run it, and what to do
  truefork build                       build the C++ addon for this machine
  truefork --version | --help

truefork <command> --help says more.
`;

/** Each loads its own modules when it is asked for. */
const commands: Record<string, (args: string[]) => Promise<number>> = {
  serve: async args => {
    const { withPrespawnedZygote } = await import('./prespawn.js');
    return withPrespawnedZygote(args, async () => (await import('./serve.js')).serve(args));
  },
  run: async args => (await import('./run.js')).run(args),
  grade: async args => (await import('./grade.js')).gradeCommand(args),
  trace: async args => (await import('./trace.js')).trace(args),
  doctor: async args => (await import('./doctor.js')).doctor(args),
  build: async args => (await import('./build.js')).build(args),
};

async function main([command, ...rest]: string[]): Promise<number> {
  switch (command) {
    case 'help':
      return main([rest[0] ?? '--help', '--help']);
    case '--help':
    case '-h':
      process.stdout.write(help);
      return 0;
    case '--version':
    case '-v':
      console.log(version());
      return 0;
    case undefined:
      throw new UsageError('a command is missing: truefork serve <handler> or truefork run <script>');
    default:
      if (Object.hasOwn(commands, command)) return commands[command]!(rest);
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

/** An error of the handler script is shown with its stack; an error of the system or of truefork needs none. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, syscall } = error as NodeJS.ErrnoException;
  const isOurs = error instanceof UsageError || syscall !== undefined || code?.startsWith('ERR_TRUEFORK_');
  return isOurs ? error.message : (error.stack ?? error.message);
}
