/** `truefork serve`: a handler script on a port, without any code of one's own. */
import os from 'node:os';
import { parseArgs } from 'node:util';
import type { TrueforkError } from '../errors.js';
import { ForkingServer } from '../server/forking-server.js';
import { IterativeServer } from '../server/iterative-server.js';
import type { ServerOptions } from '../server/options.js';
import { SelectServer } from '../server/select-server.js';
import type { Server } from '../server/server.js';
import { reapAsInit } from './init.js';
import { jsonReporter, textReporter } from './report.js';
import { UsageError } from './usage.js';

export const serveHelp = `Usage
  truefork serve <handler> [options]

Serves <handler>, a JavaScript or TypeScript file: each connection runs it in a forked process of its own, which
begins with all that the script had in memory. Its default export is one of

  export default { data(conn, chunk) { conn.write(chunk); } }     callbacks: open, data, error, close
  export default (socket) => socket.pipe(socket)                  as in net.createServer
  export default http.createServer(app)                           a net, http, https or tls server

and it may export beforeServe(), run once before the first client, and afterFork(), run first in each process that
serves: in every child, or once.

Options
  -p, --port <n>           port to listen on; 0: any free one                   (7777)
  -H, --host <address>     local address or name to listen on                   (127.0.0.1)
  -m, --mode <mode>        fork: each connection in a process of its own;
                           iterative: one after the other, in one process;
                           select, poll: all at once, in one process            (fork)
      --max-children <n>   in mode fork, most connections at once; more wait    (256)
      --backlog <n>        how many clients may wait in line                    (511)
      --grace <seconds>    how long children may finish when the server stops   (5)
      --inspect-child      in mode fork, each child tells the URL of a debugger and waits for it
      --json               one JSON object a line instead of text; what the handler prints goes to stderr
  -h, --help               this text

Ctrl-C or SIGTERM stops the server: no new client, and those being served may finish within the grace period. A
second one ends all at once. Exit code: 130 after Ctrl-C, 143 after SIGTERM, 1 when the server could not start or
failed, 2 when the command line was wrong.
`;

const modes = ['fork', 'iterative', 'select', 'poll'] as const;
type Mode = (typeof modes)[number];

interface Arguments {
  mode: Mode;
  maxChildren: number | undefined;
  inspectChild: boolean;
  server: ServerOptions;
  port: number;
  host: string;
  backlog: number;
  json: boolean;
}

function parse(args: string[]): Arguments | 'help' {
  let parsed: ReturnType<typeof parseServeArgs>;
  try {
    parsed = parseServeArgs(args);
  } catch (error) {
    throw new UsageError(`${(error as Error).message.split(/\.\s/)[0]} (truefork serve --help)`);
  }
  const { values, positionals } = parsed;
  if (values.help) return 'help';
  const [handler, extra] = positionals;
  if (handler === undefined) throw new UsageError('which handler? truefork serve <handler> [options]');
  if (extra !== undefined) throw new UsageError(`one handler only, but there is also "${extra}"`);
  const json = values.json ?? false;
  const server: ServerOptions = { handler, stdout: json ? 'stderr' : 'inherit' };
  const mode = modes.find(name => name === (values.mode ?? 'fork'));
  if (mode === undefined) throw new UsageError(`--mode is one of ${modes.join(', ')}, not "${values.mode}"`);
  const maxChildren = values['max-children'];
  if (maxChildren !== undefined && mode !== 'fork')
    throw new UsageError(`--max-children is for mode fork: in mode ${mode} there are no children`);
  const inspectChild = values['inspect-child'] ?? false;
  if (inspectChild && mode !== 'fork')
    throw new UsageError(`--inspect-child is for mode fork: in mode ${mode} there are no children`);
  if (values.grace !== undefined) server.gracePeriod = 1000 * number('--grace', values.grace, 0, 86_400);
  return {
    mode,
    inspectChild,
    maxChildren: maxChildren === undefined ? undefined : number('--max-children', maxChildren, 1, 1_000_000),
    server,
    port: number('--port', values.port ?? '7777', 0, 65535),
    host: values.host ?? '127.0.0.1',
    backlog: number('--backlog', values.backlog ?? '511', 1, 2 ** 31 - 1),
    json,
  };
}

function parseServeArgs(args: string[]) {
  return parseArgs({
    args,
    allowPositionals: true,
    options: {
      port: { type: 'string', short: 'p' },
      host: { type: 'string', short: 'H' },
      mode: { type: 'string', short: 'm' },
      'max-children': { type: 'string' },
      backlog: { type: 'string' },
      grace: { type: 'string' },
      'inspect-child': { type: 'boolean' },
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
}

function number(option: string, text: string, least: number, most: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most))
    throw new UsageError(`${option} takes a whole number from ${least} to ${most}, not "${text}"`);
  return value;
}

/** Resolves with the exit code, once the server has ended. */
export async function serve(args: string[]): Promise<number> {
  const parsed = parse(args);
  if (parsed === 'help') {
    process.stdout.write(serveHelp);
    return 0;
  }
  const server = makeServer(parsed);
  const report = parsed.json ? jsonReporter(process.stdout) : textReporter(process.stdout);
  reapAsInit(server);

  let exitCode = 0;
  server.on('connection', report.connection);
  server.on('exit', report.exit);
  server.on('end', report.end);
  server.on('warning', warning => console.error(`truefork: ${warning.message}`));
  server.on('error', error => {
    console.error(`truefork: ${error.message}`);
    exitCode = 1;
  });
  const closed = new Promise<void>(resolve => server.once('close', resolve));
  stopOnSignal(server, code => {
    exitCode = code;
  });
  try {
    await server.listen(parsed.port, parsed.host, parsed.backlog);
  } catch (error) {
    if (exitCode !== 0) return exitCode; // stopped by a signal before it had begun
    throw error;
  }
  report.listening(server.address()!);
  await closed;
  return exitCode;
}

function makeServer({ mode, maxChildren, inspectChild, server }: Arguments): Server {
  try {
    switch (mode) {
      case 'fork':
        return new ForkingServer({ ...server, inspectChild, ...(maxChildren && { maxChildren }) });
      case 'iterative':
        return new IterativeServer(server);
      default:
        return new SelectServer({ ...server, multiplexer: mode });
    }
  } catch (error) {
    throw (error as TrueforkError).code?.startsWith('ERR_TRUEFORK_')
      ? new UsageError((error as Error).message)
      : error;
  }
}

/** The first signal stops with grace, the second at once. */
function stopOnSignal(server: Server, onStop: (exitCode: number) => void): void {
  let stopping = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      onStop(128 + os.constants.signals[signal]);
      if (stopping || !server.listening) server.kill();
      else server.close();
      stopping = true;
    });
  }
}
