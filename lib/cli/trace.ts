/** `truefork trace`: any program, with what its processes do in words and in a picture. */
import fs from 'node:fs';
import { constants } from 'node:os';
import { parseArgs } from 'node:util';
import { toHtml } from '../trace/html.js';
import { toJson } from '../trace/json.js';
import { toPerfetto } from '../trace/perfetto.js';
import { runSession, type SessionResult } from '../trace/session.js';
import { drawSvg } from '../trace/svg.js';
import type { TraceResult, Tracer } from '../trace/tracer.js';
import { baseName, count } from '../trace/words.js';
import { UsageError } from './usage.js';

const usage = `Usage
  truefork trace [options] -- <program> [arguments]

Runs a program in any language, and says what its processes do: accept, fork, wait, exit, signals, what they wait in.
The program is unmodified and behaves as it does without. The words go to standard error.

Options
      --svg <file>        a picture: a lane for each process, with arrows for fork, SIGCHLD and wait
      --html <file>       a page to look closer: zoom, and details under the pointer. One file, no network
      --perfetto <file>   trace events for ui.perfetto.dev
      --json <file>       all events
      --clients <n>       when the program listens, n clients connect, send lines and read the answers; then it is ended
      --title <text>      above the picture
  -q, --quiet             no words, only the files
  -h, --help              this text

Exit code: the program's; 128 + n when signal n ended it; 0 when it was ended because its clients had ended; 2 when the
command line was wrong, or the program could not be traced or started.
`;

const options = {
  svg: { type: 'string' },
  html: { type: 'string' },
  perfetto: { type: 'string' },
  json: { type: 'string' },
  clients: { type: 'string' },
  title: { type: 'string' },
  quiet: { type: 'boolean', short: 'q' },
  help: { type: 'boolean', short: 'h' },
} as const;

const mostClients = 1000;

function parse(args: string[]) {
  const start = commandStart(args);
  let values: ReturnType<typeof parseOwn>;
  try {
    values = parseOwn(args.slice(0, start));
  } catch (error) {
    throw new UsageError(`${(error as Error).message.replace(/\. .*/s, '')} (truefork trace --help)`);
  }
  const command = args.slice(args[start] === '--' ? start + 1 : start);
  const clients = values.clients === undefined ? undefined : Number(values.clients);
  if (clients !== undefined && !(Number.isInteger(clients) && clients >= 1 && clients <= mostClients)) {
    throw new UsageError(`--clients takes a whole number from 1 to ${mostClients}, not "${values.clients}"`);
  }
  return { values, command, clients };
}

const parseOwn = (args: string[]) => parseArgs({ args, options }).values;

/** Where the program begins: at --, or at the first argument that is neither an option nor an option's value. */
function commandStart(args: string[]): number {
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === '--' || !arg.startsWith('-')) return i;
    const option = options[arg.slice(2) as keyof typeof options];
    if (arg.startsWith('--') && option?.type === 'string') i++;
  }
  return args.length;
}

export async function trace(args: string[]): Promise<number> {
  const { values, command, clients } = parse(args);
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  if (command.length === 0)
    throw new UsageError('which program? truefork trace [options] -- <program> [arguments]');
  const files = openFiles(values);
  const lines: string[] = [];
  const session = await run(command as [string, ...string[]], clients, line => {
    if (values.html !== undefined) lines.push(line);
    if (!values.quiet) process.stderr.write(`${line}\n`);
  });
  if (session === undefined) return 2;
  const picture = { title: values.title ?? command.map(baseName).join(' '), subtitle: subtitle(session) };
  const { model, result, events } = session;
  files.svg?.(drawSvg(model, picture));
  files.html?.(toHtml(model, lines, picture));
  files.perfetto?.(toPerfetto(model));
  files.json?.(toJson({ command, result, clients: session.clients, events }));
  if (session.neverListened) console.error('truefork: the program has not listened, so no client came');
  return session.endedHere && !session.neverListened ? 0 : exitCode(result);
}

/** Files that cannot be written are found before the program runs, not after. */
function openFiles(values: ReturnType<typeof parseOwn>) {
  const open = (name: string | undefined) => {
    if (name === undefined) return undefined;
    let fd: number;
    try {
      fd = fs.openSync(name, 'w');
    } catch (error) {
      throw new UsageError(`${name} cannot be written: ${(error as Error).message}`);
    }
    return (content: string) => {
      fs.writeFileSync(fd, content);
      fs.closeSync(fd);
    };
  };
  const { svg, html, perfetto, json } = values;
  return { svg: open(svg), html: open(html), perfetto: open(perfetto), json: open(json) };
}

async function run(
  command: readonly [string, ...string[]],
  clients: number | undefined,
  onLine: (line: string) => void,
): Promise<SessionResult | undefined> {
  try {
    return await runSession({
      command,
      stdio: 'inherit',
      // Ctrl-C and Ctrl-Z are for the program, as they are without a tracer.
      newSession: false,
      confineSignals: false,
      onLine,
      onStart: passSignals,
      ...(clients === undefined ? {} : { clients: { count: clients } }),
    });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'ERR_TRUEFORK_TRACE') throw error;
    console.error(`truefork: ${message}`);
    return undefined;
  }
}

/** The terminal sends SIGINT and SIGQUIT to the program as well: what it makes of them decides. SIGTERM is passed on. */
function passSignals(tracer: Tracer): void {
  process.on('SIGINT', () => undefined);
  process.on('SIGQUIT', () => undefined);
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, async () => tracer.kill((await tracer.started).pid, signal));
  }
}

function subtitle({ model }: SessionResult): string {
  const { processes, clients, signals } = model;
  const zombies = processes.filter(({ exit, zombieUntil }) => exit && zombieUntil === undefined).length;
  const lost = signals.filter(({ merged }) => merged).length;
  return [
    count(processes.length, 'process', 'processes'),
    ...(clients.length > 0 ? [count(clients.length, 'client')] : []),
    ...(lost > 0 ? [`${lost} SIGCHLD lost`] : []),
    ...(zombies > 0 ? [`${count(zombies, 'zombie')} at the end`] : []),
  ].join(', ');
}

function exitCode({ code, signal }: TraceResult): number {
  return signal === undefined ? (code ?? 0) : 128 + constants.signals[signal];
}
