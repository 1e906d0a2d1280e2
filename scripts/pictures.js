#!/usr/bin/env node
/** Makes docs/pictures/ from real runs: the lecture's pairs, each server traced with real clients. Needs gcc. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runSession } from '../dist/trace/session.js';
import { drawSvg } from '../dist/trace/svg.js';

const source = fileURLToPath(new URL('../test/trace/programs/forking.c', import.meta.url));
const folder = new URL('../docs/pictures/', import.meta.url);
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'truefork-pictures-'));

const three = () => ({ clients: { count: 3, apart: 60, lines: 3, pause: 80 }, rest: 60 });

/** Five clients end while the server is stopped: their SIGCHLD come while one is pending. */
function fiveEndAtOnce() {
  let leave;
  let served = 0;
  let tracer;
  const stay = new Promise(resolve => {
    leave = resolve;
  });
  const server = () => tracer.events.find(event => event.kind === 'born' && event.by === 'root').pid;
  const exits = () => tracer.events.filter(event => event.kind === 'exit').length;
  const onServed = async () => {
    if (++served < 5) return;
    tracer.kill(server(), 'SIGSTOP');
    await tracer.waitFor(event => event.kind === 'stopped', 10_000);
    leave();
    await tracer.waitFor(() => exits() === 5, 10_000);
    tracer.kill(server(), 'SIGCONT');
  };
  return {
    clients: { count: 5, apart: 25, lines: 1, stay, onServed },
    rest: 400,
    onStart: started => {
      tracer = started;
    },
  };
}

const pictures = [
  {
    file: 'iterative',
    flags: ['-DITERATIVE'],
    title: 'Iterative server: one client after the other',
    subtitle:
      'Each client is served to its end before the next is accepted: the others wait, though they are connected.',
    plan: three,
  },
  {
    file: 'forking',
    flags: [],
    title: 'Forking server: a process for each client',
    subtitle:
      'The same three clients: each accept is followed by a fork, and the server accepts again at once.',
    plan: three,
  },
  {
    file: 'blocking-wait',
    flags: ['-DBLOCKING'],
    title: 'A wait that blocks: processes, and yet one after the other',
    subtitle:
      'The server waits for its child before it accepts again. The clients wait as with the iterative server.',
    plan: three,
  },
  {
    file: 'wait',
    flags: ['-DWAIT'],
    title: 'One wait() for each SIGCHLD: five ends at once leave four zombies',
    subtitle:
      'Five clients end while the server cannot run. Signals of one kind do not queue: the handler runs once, and ' +
      'wait() takes one child. Long gaps of time are shortened.',
    plan: fiveEndAtOnce,
  },
  {
    file: 'waitpid',
    flags: [],
    title: 'waitpid() in a loop: five ends at once, and no zombie is left',
    subtitle:
      'The same five clients. The handler runs once here, too, but calls waitpid(-1, &stat, WNOHANG) until no child is ' +
      'left that has ended.',
    plan: fiveEndAtOnce,
  },
];

fs.mkdirSync(folder, { recursive: true });
try {
  for (const { file, flags, title, subtitle, plan } of pictures) {
    const program = path.join(scratch, file);
    execFileSync('gcc', ['-g', '-O1', ...flags, '-o', program, source]);
    const { model } = await runSession({ command: [program], stdio: 'ignore', ...plan() });
    const svg = drawSvg(model, { title, subtitle });
    fs.writeFileSync(new URL(`${file}.svg`, folder), svg);
    console.log(`docs/pictures/${file}.svg: ${svg.length} bytes`);
  }
} finally {
  fs.rmSync(scratch, { recursive: true });
}
