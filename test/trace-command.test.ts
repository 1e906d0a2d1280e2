/** `truefork trace`: what it says and draws of real programs in several languages, and how it ends. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { buildModel, type Model } from '../dist/trace/model.js';
import { runSession } from '../dist/trace/session.js';
import { drawSvg } from '../dist/trace/svg.js';
import { script, scriptFolder } from './harness/scripts.ts';
import { cli, node, run } from './harness/subject.ts';
import { compiled } from './trace/compile.ts';

const trace = (...args: string[]) => run(node, [cli, 'trace', ...args]);

const tried = (command: string, ...args: string[]) => spawnSync(command, args).status === 0;

/** The words without times and process IDs, with a single space between columns. */
function said(stderr: string): string[] {
  const lines = stderr.trimEnd().split('\n');
  return lines.map(line => line.replace(/^ *[\d.]+ +(\S+) \d+ +/, '$1: ').replaceAll(/ {2,}/g, ' '));
}

function hasInOrder(lines: readonly string[], ...wanted: RegExp[]): void {
  let at = 0;
  for (const pattern of wanted) {
    const found = lines.findIndex((line, i) => i >= at && pattern.test(line));
    expect(found, `${pattern} in\n${lines.slice(at).join('\n')}`).toBeGreaterThanOrEqual(0);
    at = found + 1;
  }
}

describe('in words', () => {
  test('a server in C, with the lines of its source', async () => {
    const { code, stderr } = await trace('--clients', '1', '--', compiled('forking'));
    expect(code).toBe(0);
    const source = fs
      .readFileSync(new URL('./trace/programs/forking.c', import.meta.url), 'utf8')
      .split('\n');
    const lineOf = (text: string) => source.findIndex(line => line.includes(text)) + 1;
    hasInOrder(
      said(stderr),
      /^server: listen\(3, 16\): listens on 127\.0\.0\.1:\d+ forking\.c:\d+$/,
      new RegExp(`^server: accept\\(3\\) = 4: client 1, .* forking\\.c:${lineOf('accept(listenfd')}$`),
      new RegExp(`^server: fork\\(\\) = \\d+ forking\\.c:${lineOf('= fork()')}$`),
    );
    hasInOrder(
      said(stderr),
      /^child: close\(3\): the listening socket/,
      new RegExp(`^child: read\\(4\\) = 17 "client 1, line 1\\\\n".* forking\\.c:${lineOf('= read(')}$`),
      /^child: read\(4\) = 0: the client has finished/,
      new RegExp(`^child: exit\\(0\\) forking\\.c:${lineOf('exit(0)')}$`),
      /^server: SIGCHLD: \d+ has ended; its handler runs; accept\(\) goes on afterwards \(SA_RESTART\)$/,
      new RegExp(
        `^server: waitpid\\(-1, WNOHANG\\) = \\d+: exit status 0 forking\\.c:${lineOf('waitpid(-1')}$`,
      ),
      /^server: the handler of SIGCHLD returns$/,
    );
  });

  test('a script of truefork/posix, with its own lines', async () => {
    const file = fileURLToPath(new URL('../examples/lecture/03-forking-server.ts', import.meta.url));
    const { code, stderr } = await trace('--clients', '1', '--', node, cli, 'run', file, '0');
    expect(code).toBe(0);
    const lines = fs.readFileSync(file, 'utf8').split('\n');
    const lineOf = (text: string) => lines.findIndex(line => line.includes(text)) + 1;
    hasInOrder(
      said(stderr),
      new RegExp(`^server: accept.*: client 1.* 03-forking-server\\.ts:${lineOf('= accept(')}$`),
      new RegExp(`^server: fork\\(\\) = \\d+ 03-forking-server\\.ts:${lineOf('fork() ===')}$`),
    );
    hasInOrder(said(stderr), new RegExp(`^server: waitpid.*exit status 0 .*ts:${lineOf('waitpid(-1')}$`));
  });

  test('a shell, its commands, and its exit code', async () => {
    const { code, stdout, stderr } = await trace('--', 'sh', '-c', '/bin/true; (exit 3); echo said; exit 7');
    expect({ code, stdout }).toEqual({ code: 7, stdout: 'said\n' });
    hasInOrder(
      said(stderr),
      /^true: executes \/bin\/true$/,
      /^true: has ended, exit status 0/,
      /: exit status 3/,
      /^sh: exit\(7\)$/,
    );
  });

  test.runIf(tried('python3', '--version'))('a server in Python, which leaves zombies', async () => {
    const server = script(
      [
        'import socketserver',
        'class Echo(socketserver.StreamRequestHandler):',
        '    def handle(self):',
        '        for line in self.rfile: self.wfile.write(line)',
        "socketserver.ForkingTCPServer(('127.0.0.1', 0), Echo).serve_forever()",
      ].join('\n'),
      '.py',
    );
    const json = path.join(scriptFolder, 'python.json');
    const { code, stderr } = await trace('--clients', '2', '--json', json, '--', 'python3', server);
    expect(code).toBe(0);
    hasInOrder(said(stderr), /^server: listen/, /^server: accept.*: client 1/, /^server: fork\(\) = /);
    const document = JSON.parse(fs.readFileSync(json, 'utf8'));
    expect(document).toMatchObject({ format: 'truefork-trace', version: 1, command: ['python3', server] });
    expect(
      document.events.filter((event: { kind: string; by?: string }) => event.by === 'fork').length,
    ).toBeGreaterThan(1);
  });

  test('a server of node:net: one process', async () => {
    const server = script("require('net').createServer(s => s.pipe(s)).listen(0, '127.0.0.1')", '.cjs');
    const { code, stderr } = await trace('--clients', '2', '--', node, server);
    expect(code).toBe(0);
    const lines = said(stderr);
    hasInOrder(lines, /^server: listen/, /^server: accept.*: client 1/, /^server: accept.*: client 2/);
    expect(lines.some(line => line.includes('fork('))).toBe(false);
  });
});

describe('how it ends', () => {
  test('as the program does', async () => {
    expect((await trace('-q', '--', 'sh', '-c', 'exit 3')).code).toBe(3);
    expect((await trace('-q', '--', 'sh', '-c', 'kill -9 $$')).code).toBe(137);
  });

  test('2, with one line, where it could not be started or the command line was wrong', async () => {
    for (const [args, message] of [
      [[], 'which program?'],
      [['--', '/nowhere/server'], 'cannot be executed'],
      [['--clients', 'two', '--', 'true'], '--clients takes a whole number'],
      [['--svg', '/nowhere/picture.svg', '--', 'true'], 'cannot be written'],
      [['--nonsense', '--', 'true'], 'truefork trace --help'],
    ] as const) {
      const { code, stderr } = await trace(...args);
      expect(code, stderr).toBe(2);
      expect(stderr).toContain(message);
      expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    }
  });

  test('a program that never listens is told of, and keeps its exit code', async () => {
    const { code, stderr } = await trace('-q', '--clients', '1', '--', 'sh', '-c', 'exit 5');
    expect(code).toBe(5);
    expect(stderr).toContain('has not listened');
  });

  test('SIGTERM goes to the program', async () => {
    const trap = "trap 'echo heard; exit 4' TERM; kill -TERM $PPID; while :; do sleep 0.01; done";
    // The parent of the program is the tracer, whose own end takes all with it; the command passes its signals on.
    const killer = `kill -TERM $(ps -o ppid= -p $PPID | tr -d ' ')`;
    const { code, stdout } = await trace('-q', '--', 'sh', '-c', trap.replace('kill -TERM $PPID', killer));
    expect({ code, stdout }).toEqual({ code: 4, stdout: 'heard\n' });
  });
});

/** Five clients end while the server is stopped. */
async function fiveEndAtOnce(...flags: string[]): Promise<Model> {
  let leave = () => undefined as unknown;
  const stay = new Promise<void>(resolve => {
    leave = resolve;
  });
  let served = 0;
  let go = () => undefined as unknown;
  const session = runSession({
    command: [compiled('forking', ...flags)],
    stdio: 'ignore',
    rest: 100,
    clients: { count: 5, apart: 5, lines: 1, stay, onServed: () => ++served === 5 && go() },
    onStart: tracer => {
      go = async () => {
        const { pid } = await tracer.started;
        tracer.kill(pid, 'SIGSTOP');
        await tracer.waitFor(event => event.kind === 'stopped', 10_000);
        leave();
        await tracer.waitFor(() => tracer.events.filter(({ kind }) => kind === 'exit').length === 5, 10_000);
        tracer.kill(pid, 'SIGCONT');
        await tracer.waitFor(event => event.kind === 'leave' && event.call === 'wait4', 10_000);
      };
    },
  });
  return (await session).model;
}

describe('the picture', () => {
  const unescaped = (text: string) =>
    text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&');
  const texts = (svg: string) =>
    Array.from(svg.matchAll(/<text [^>]*>([^<]*)<\/text>/g), ([, text]) => unescaped(text!));

  test('merged SIGCHLD, and the zombies of a single wait()', async () => {
    const model = await fiveEndAtOnce('-DWAIT');
    expect(model.signals.filter(({ merged }) => merged)).toHaveLength(4);
    const children = model.processes.filter(({ name }) => name.startsWith('child of client'));
    expect(children.map(({ client }) => client)).toEqual([1, 2, 3, 4, 5]);
    expect(children.filter(({ zombieUntil }) => zombieUntil === undefined)).toHaveLength(4);
    const shown = texts(drawSvg(model, { title: 'Five <at> once' }));
    expect(shown).toContain('Five <at> once');
    expect(shown).toContain('5 children have ended: 1 SIGCHLD, 1 run of the handler');
    expect(shown.filter(text => text.startsWith('zombie')).length).toBeGreaterThanOrEqual(4);
  });

  test('waitpid() in a loop leaves none', async () => {
    const model = await fiveEndAtOnce();
    expect(model.signals.filter(({ merged }) => merged)).toHaveLength(4);
    expect(model.processes.filter(({ exit, zombieUntil }) => exit && zombieUntil === undefined)).toEqual([]);
  });

  test('clients wait for an iterative server, and not for a forking one', async () => {
    const waits = async (...flags: string[]) => {
      const clients = { count: 3, apart: 10, lines: 2, pause: 150 };
      const { model } = await runSession({
        command: [compiled('forking', ...flags)],
        stdio: 'ignore',
        clients,
      });
      return model.clients.map(({ connectedAt, servedAt }) => servedAt! - connectedAt);
    };
    const iterative = await waits('-DITERATIVE');
    expect(iterative[2]!).toBeGreaterThan(iterative[1]!);
    expect(iterative[1]!).toBeGreaterThan(100);
    expect((await waits('-DBLOCKING'))[2]!).toBeGreaterThan(200);
  });

  test('all files of one run', async () => {
    const file = (name: string) => path.join(scriptFolder, name);
    const files = ['--svg', file('t.svg'), '--html', file('t.html'), '--perfetto', file('t.perfetto.json')];
    const server = compiled('forking');
    const { code } = await trace('-q', ...files, '--title', 'A "title"', '--clients', '2', '--', server);
    expect(code).toBe(0);
    const svg = fs.readFileSync(file('t.svg'), 'utf8');
    expect(texts(svg)).toEqual(
      expect.arrayContaining(['A "title"', 'client 1', 'client 2', 'server', 'waits in accept']),
    );
    expect(/NaN|undefined|Infinity/.exec(svg)).toBeNull();
    const html = fs.readFileSync(file('t.html'), 'utf8');
    expect(html.match(/<svg /g)).toHaveLength(5);
    expect(/ (src|href)=|NaN/.exec(html)).toBeNull();
    expect(html.includes('listens on 127.0.0.1')).toBe(true);
    const { traceEvents } = JSON.parse(fs.readFileSync(file('t.perfetto.json'), 'utf8'));
    expect(traceEvents.filter(({ ph }: { ph: string }) => ph === 's')).toHaveLength(4);
    expect(traceEvents.every(({ ts = 0, dur = 0 }) => Number.isInteger(ts) && dur >= 0)).toBe(true);
  });

  test('of nothing', () => {
    expect(drawSvg(buildModel([]))).toContain('</svg>');
  });
});

test('the pictures of the documentation are those of npm run pictures', () => {
  const folder = fileURLToPath(new URL('../docs/pictures/', import.meta.url));
  const made = fs.readFileSync(new URL('../scripts/pictures.js', import.meta.url), 'utf8');
  const names = Array.from(made.matchAll(/file: '([\w-]+)'/g), ([, name]) => `${name}.svg`);
  expect(fs.readdirSync(folder).sort()).toEqual(names.sort());
  const page = fs.readFileSync(new URL('../docs/lecture.md', import.meta.url), 'utf8');
  for (const name of names) expect(page).toContain(`pictures/${name}`);
});
