/** `truefork serve`: serves a handler script without any other code. */

import type { ForkingServerOptions, ServerOptions } from '../options/interfaces.js';
import { limitNames } from '../options/table.js';
import { ForkingServer } from '../owner/forking-server.js';
import { IterativeServer } from '../owner/iterative-server.js';
import { checkOption } from '../owner/machine.js';
import { SelectServer } from '../owner/select-server.js';
import { notReloaded, type Server } from '../owner/server.js';
import { reapAsInit } from './init.js';
import { LogOutput } from './log-output.js';
import { type GivenOptions, readOptions } from './options.js';
import { describeOptions } from './options-help.js';
import { placesToListen } from './places.js';
import { describeLoss, includes, jsonReporter, textReporter } from './report.js';
import { obeySignals } from './signals.js';
import { asUsage, UsageError } from './usage.js';

const usage = `Usage
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

Signals
  SIGINT (Ctrl-C), SIGTERM      stop: no new client; those being served may finish within the grace period. A second
                                one ends all at once
  SIGHUP                        read the handler and the limits in the config file again: new clients get the new code.
                                When the terminal is lost, it stops the server
  SIGUSR1                       print what is being served now

Exit code: 0 after the first SIGTERM, or SIGHUP that stops; 143 after a second SIGTERM; 130 after Ctrl-C; 1 when the
server could not start or failed; 2 when the command line was wrong. How children end changes none of them.
`;

/** Resolves with the exit code, once the server has ended. */
export async function serve(args: string[]): Promise<number> {
  const { help, given } = await readOptions(args);
  if (help) {
    process.stdout.write(usage);
    return 0;
  }
  const json = given.value('json') ?? false;
  const places = placesToListen(given);
  const server = makeServer(given, json ? { stdout: 'stderr' } : {});
  const level = given.value('logLevel') ?? 'info';
  const [log, errors] = [process.stdout, process.stderr].map(
    (stream, n) => new LogOutput(stream, (lines, why) => describeLoss(json && n === 0, lines, why)),
  ) as [LogOutput, LogOutput];
  const report = (json ? jsonReporter : textReporter)(log, level);
  reapAsInit(server);

  let exitCode = 0;
  let stopped = false;
  server.on('listening', () => {
    for (const address of server.addresses()) report.listening(address);
  });
  server.on('connection', report.connection);
  server.on('exit', report.exit);
  server.on('end', report.end);
  server.on('refused', report.refused);
  server.on('warning', warning => {
    if (includes(level, 'warn')) errors.write(`truefork: ${warning.message}\n`);
  });
  server.on('error', error => {
    errors.write(`truefork: ${error.message}\n`);
    exitCode = 1;
  });
  const closed = new Promise<void>(resolve => server.once('close', resolve));
  server.on('reload', () => report.reload(server.state()));
  obeySignals(server, {
    stopping(code) {
      stopped = true;
      exitCode = code;
    },
    reload: () => void reloadAll(server, args),
    showState: () => report.state(server.state()),
  });
  try {
    await server.listen(places);
  } catch (error) {
    if (stopped) return exitCode; // by a signal, before it had begun
    throw error;
  }
  await closed;
  const written = await Promise.all([log.finish(), errors.finish()]);
  if (written.includes(false)) process.exit(exitCode); // or it would wait for a reader that has stalled
  return exitCode;
}

function makeServer(given: GivenOptions, ofCommand: Partial<ServerOptions>): Server {
  const mode = given.value('mode') ?? 'fork';
  given.assertFitFor([mode, 'listen', 'command']);
  const values = given.valuesFor(mode);
  if (values.handler === undefined && !given.has('exec'))
    throw new UsageError(
      'which handler? truefork serve <handler> [options], or truefork serve --exec <command>',
    );
  const options = { ...ofCommand, ...values } as ServerOptions & ForkingServerOptions;
  return asUsage(() => {
    switch (mode) {
      case 'fork':
        return new ForkingServer(options);
      case 'iterative':
        return new IterativeServer(options);
      case 'select':
        return new SelectServer(options);
    }
  });
}

/** Applies what may have changed: the limits in the config file, and the handler. */
async function reloadAll(server: Server, args: string[]): Promise<void> {
  try {
    const { given } = await readOptions(args);
    if (server instanceof ForkingServer)
      server.setLimits(Object.fromEntries(limitNames.map(name => [name, given.value(name) ?? null])));
    else if (server instanceof SelectServer)
      server.maxConnections = checkOption('maxConnections', given.value('maxConnections'));
    await server.reload();
  } catch (error) {
    server.emit('warning', notReloaded(error));
  }
}
