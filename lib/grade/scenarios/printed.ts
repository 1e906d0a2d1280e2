/**
 * What the server prints while three clients come and go, on a terminal and on a pipe. On a pipe stdio keeps text back, and fork()
 * copies what it keeps; exit() in a child prints it, and runs the exit handlers of the server.
 */
import fs from 'node:fs';
import os from 'node:os';
import type { Grading } from '../grading.js';
import { patiently, settled } from '../patience.js';
import type { Server } from '../server.js';
import { isRunning } from '../system/proc.js';

interface Printed {
  /** The lines that came when each client had gone. */
  readonly atEnds: readonly (readonly string[])[];
  readonly all: readonly string[];
  /** The lines that the server printed when it was told to end. */
  readonly atStop: readonly string[];
  /** It ended by itself when it was told to: its exit handlers, if any, have run. */
  readonly stoppedItself: boolean;
  /** Files with the number of the server in them that vanished with a client. */
  readonly removed: readonly string[];
}

const clients = 3;

export async function printedLines(grading: Grading): Promise<void> {
  if (!grading.forksForClients) {
    grading.pass('stdio-twice', 'exit-in-child');
    return;
  }
  const onPipe = await printedOn(grading, 'pipe');
  const onTerminal = await printedOn(grading, 'terminal');
  judgeHandlers(grading, onPipe, onTerminal);
  judgeBuffers(grading, onPipe, onTerminal);
}

async function printedOn(grading: Grading, output: 'pipe' | 'terminal'): Promise<Printed> {
  const before = namedFiles();
  return grading.withServer({ output }, async server => {
    const files = filesWithNumberOf(server, before);
    const atEnds: string[][] = [];
    let from = 0;
    const since = () => {
      const text = server.watch.output.slice(from);
      from = server.watch.output.length;
      return linesOf(text, server);
    };
    for (let n = 0; n < clients; n++) {
      since();
      await serveOne(grading, server, n, since);
      atEnds.push(since());
    }
    const removed = files.filter(file => !fs.existsSync(file));
    const stoppedItself = await stop(grading, server);
    return { atEnds, atStop: since(), all: linesOf(server.watch.output, server), removed, stoppedItself };
  });
}

async function serveOne(grading: Grading, server: Server, n: number, since: () => void): Promise<void> {
  const client = grading.connect(server);
  try {
    await grading.asks(server, client, n);
    await settled(server.processes, grading.budget);
    const children = server.younger().map(({ pid }) => pid);
    if (!client.isOver) since();
    client.finish();
    await patiently(() => !children.some(isRunning), server.processes, grading.budget);
    await settled(server.processes, grading.budget);
  } finally {
    client.close();
  }
}

async function stop(grading: Grading, server: Server): Promise<boolean> {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    for (const pid of server.acceptors) server.signal(pid, signal);
    const ended = () => !server.acceptors.some(isRunning);
    if (await patiently(ended, server.processes, grading.budget, { ms: 500 })) break;
  }
  // What it printed last may still be on its way.
  await new Promise(resolve => setTimeout(resolve, 50));
  return !server.acceptors.some(isRunning);
}

/** Lines without what differs from start to start: the port, and process IDs. */
function linesOf(text: string, server: Server): string[] {
  const lines = text.replaceAll(String(server.port), '{port}').split(/[\r\n]+/);
  return lines.map(line => line.replaceAll(/\d{2,}/g, '#').trim()).filter(line => line !== '');
}

function judgeHandlers(grading: Grading, onPipe: Printed, onTerminal: Printed): void {
  const line = onPipe.atStop.find(
    each =>
      onPipe.atEnds.every(lines => lines.includes(each)) &&
      onTerminal.atEnds.every(lines => lines.includes(each)),
  );
  const [file] = onPipe.removed;
  if (line !== undefined)
    grading.observe({
      id: 'exit-in-child',
      evidence: `"${line}" is printed when the server ends, and at the end of each of ${clients} children as well`,
    });
  else if (file !== undefined && onTerminal.removed.length > 0)
    grading.observe({
      id: 'exit-in-child',
      evidence: `${file}, with the process ID of the server in it, was removed when a child ended`,
    });
  else grading.pass('exit-in-child');
}

function judgeBuffers(grading: Grading, onPipe: Printed, onTerminal: Printed): void {
  const count = (printed: Printed, line: string) => printed.all.filter(each => each.includes(line)).length;
  const [first = []] = onPipe.atEnds;
  const again = first.find(
    line =>
      onPipe.atEnds.every(lines => lines.some(each => each.includes(line))) &&
      count(onPipe, line) >= count(onTerminal, line) + clients - 1,
  );
  if (again === undefined) grading.pass('stdio-twice');
  else
    grading.observe({
      id: 'stdio-twice',
      evidence: `"${again}" is printed ${count(onTerminal, again)} time${count(onTerminal, again) === 1 ? '' : 's'} on a terminal, and ${count(onPipe, again)} times on a pipe: by each of ${clients} children when it ends`,
    });
}

/** Small files where servers keep their process ID. */
function namedFiles(): Set<string> {
  const folders = new Set([process.cwd(), os.tmpdir(), '/run', '/var/run']);
  return new Set(
    [...folders].flatMap(folder => {
      try {
        return fs.readdirSync(folder).map(name => `${folder}/${name}`);
      } catch {
        return [];
      }
    }),
  );
}

function filesWithNumberOf(server: Server, before: ReadonlySet<string>): string[] {
  const numbers = new Set(server.acceptors.map(String));
  return [...namedFiles()].filter(file => {
    if (before.has(file)) return false;
    try {
      const { size } = fs.statSync(file);
      return (
        size < 4096 && (fs.readFileSync(file, 'latin1').match(/\d+/g) ?? []).some(each => numbers.has(each))
      );
    } catch {
      return false;
    }
  });
}
