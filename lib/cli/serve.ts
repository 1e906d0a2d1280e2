/** `truefork serve`: a handler script on a port, without any code of one's own. */
import os from 'node:os';
import { ForkingServer } from '../server/forking-server.js';
import { IterativeServer } from '../server/iterative-server.js';
import type { ServerOptions } from '../server/options.js';
import { SelectServer } from '../server/select-server.js';
import type { Server } from '../server/server.js';
import { reapAsInit } from './init.js';
import { asUsage, type GivenOptions, readOptions } from './options.js';
import { describeOptions } from './options-help.js';
import { includes, jsonReporter, textReporter } from './report.js';
import { UsageError } from './usage.js';

export const serveHelp = `Usage
  truefork serve [<handler>] [options]

Serves <handler>, a JavaScript or TypeScript file: each connection runs it in a forked process of its own, which
begins with all that the script had in memory. Its default export is one of

  export default { data(conn, chunk) { conn.write(chunk); } }     callbacks: open, data, error, close
  export default (socket) => socket.pipe(socket)                  as in net.createServer
  export default http.createServer(app)                           a net, http, https or tls server

and it may export beforeServe(), run once before the first client, and afterFork(), run first in each process that
serves: in every child, or once.

${describeOptions()}
A time has its unit: 500ms, 5s, 2m, 1h. --no-<flag> takes back a flag of the config file: truefork.config.js,
.ts or .json in the working directory, whose default export has the same options by their names in the API, as in
export default { maxChildren: 50, gracePeriod: '30s' }. The command line wins over it.

Ctrl-C or SIGTERM stops the server: no new client, and those being served may finish within the grace period. A
second one ends all at once. Exit code: 130 after Ctrl-C, 143 after SIGTERM, 1 when the server could not start or
failed, 2 when the command line was wrong.
`;

/** Resolves with the exit code, once the server has ended. */
export async function serve(args: string[]): Promise<number> {
  const { help, given } = await readOptions(args);
  if (help) {
    process.stdout.write(serveHelp);
    return 0;
  }
  const json = given.value('json') ?? false;
  const server = makeServer(given, json ? { stdout: 'stderr' } : {});
  const level = given.value('logLevel') ?? 'info';
  const report = (json ? jsonReporter : textReporter)(process.stdout, level);
  reapAsInit(server);

  let exitCode = 0;
  server.on('connection', report.connection);
  server.on('exit', report.exit);
  server.on('end', report.end);
  server.on('refused', report.refused);
  server.on('warning', warning => {
    if (includes(level, 'warn')) console.error(`truefork: ${warning.message}`);
  });
  server.on('error', error => {
    console.error(`truefork: ${error.message}`);
    exitCode = 1;
  });
  const closed = new Promise<void>(resolve => server.once('close', resolve));
  stopOnSignal(server, code => {
    exitCode = code;
  });
  try {
    await server.listen(given.valuesFor('listen'));
  } catch (error) {
    if (exitCode !== 0) return exitCode; // stopped by a signal before it had begun
    throw error;
  }
  report.listening(server.address()!);
  await closed;
  return exitCode;
}

function makeServer(given: GivenOptions, ofCommand: Partial<ServerOptions>): Server {
  const mode = given.value('mode') ?? 'fork';
  const kind = mode === 'poll' ? 'select' : mode;
  given.assertFitFor([kind, 'listen', 'command']);
  const { handler, ...others } = given.valuesFor(kind);
  if (handler === undefined) throw new UsageError('which handler? truefork serve <handler> [options]');
  const options = { ...ofCommand, handler: handler as URL, ...others };
  return asUsage(() => {
    switch (mode) {
      case 'fork':
        return new ForkingServer(options);
      case 'iterative':
        return new IterativeServer(options);
      case 'select':
        return new SelectServer(options);
      case 'poll':
        return new SelectServer({ ...options, multiplexer: mode });
    }
  });
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
