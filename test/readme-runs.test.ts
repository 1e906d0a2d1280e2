/** Every block of code in the README is run, and does what stands beside it. */
import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { ask, Client } from './harness/client.ts';
import { alike, blocksOf } from './harness/docs.ts';
import { get } from './harness/http.ts';
import { listeningPort } from './harness/proc.ts';
import { repository, scriptFolder } from './harness/scripts.ts';
import { serve } from './harness/served.ts';
import { cli, node, Subject } from './harness/subject.ts';

const folder = path.join(scriptFolder, 'readme');
const blocks = blocksOf(new URL('../README.md', import.meta.url)).filter(({ kind }) => kind !== undefined);
const file = (name: string) => path.join(folder, name);

beforeAll(() => {
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(file('package.json'), '{"type":"module"}');
  // Package names resolve from the repository's folder above; "truefork" has to be found there too.
  fs.mkdirSync(file('node_modules'), { recursive: true });
  fs.symlinkSync(repository, file('node_modules/truefork'));
  for (const { kind, name, code } of blocks) if (kind === 'file') fs.writeFileSync(file(name!), code);
});

test('every marked block was found', () => {
  expect(blocks.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
    'file upper.js',
    'run upper.js',
    'file callbacks.js',
    'file stream.js',
    'file app.js',
    'file pool.js',
    'file program.js',
    'file posix.ts',
    'fault upper.js',
  ]);
});

test.each(blocks.filter(({ kind }) => kind === 'run' || kind === 'fault'))(
  '$kind: its output',
  async ({ name, code }) => {
    const [command, ...output] = code.trim().split('\n');
    const faults = /TRUEFORK_FAULTS=(\S+)/.exec(command!)?.[1];
    const server = new Subject(node, [cli, 'serve', file(name!), '--port', '0'], {
      env: faults === undefined ? {} : { TRUEFORK_FAULTS: faults },
    });
    const [, port] = await server.says(/listening on 127\.0\.0\.1:(\d+)/);
    const answer = await ask(Number(port), 'hello\n');
    const [, pid] = await server.says(/connected: process (\d+)\n/);
    expect(answer).toMatch(new RegExp(`^${pid}, line 1, warm since \\d{4}-\\d\\d-\\d\\d: HELLO\\n$`));
    await server.says(/exited with 0.*\n/);
    for (const line of output) expect(alike(server.stdout + server.stderr)).toContain(`${alike(line)}\n`);
    server.signal('SIGINT');
    expect((await server.ended).code).toBe(130);
  },
);

test('the three forms', async () => {
  const callbacks = await serve(file('callbacks.js'));
  expect(await ask(callbacks.port, 'echo')).toBe('hello 127.0.0.1\necho');
  await callbacks.stop();
  const stream = await serve(file('stream.js'));
  expect(await ask(stream.port, 'echo')).toBe('echo');
  await stream.stop();
  const app = await serve(file('app.js'));
  const { body } = await get(`http://127.0.0.1:${app.port}/`, { agent: false });
  expect(body).toBe(`hello from process ${(await app.connectionOf(1)).pid}\n`);
  await app.stop();
});

test('registerAtFork', async () => {
  const server = await serve(file('pool.js'));
  expect(await ask(server.port)).toBe('0 ids left over from the parent\n');
  await server.stop();
});

test('the program, which serves on port 7777 until Ctrl-C', async () => {
  const source = fs.readFileSync(file('program.js'), 'utf8').replace('7777', '0');
  fs.writeFileSync(file('program-here.js'), `${source}console.log('ready at ' + server.address().port);\n`);
  const program = new Subject(node, ['program-here.js'], { cwd: folder });
  const [, port] = await program.says(/ready at (\d+)\n/);
  expect(await ask(Number(port), 'hi')).toMatch(/HI$/);
  await program.says(/1 from 127\.0\.0\.1: 0 after [\d.]+ ms, \d+ us of CPU\n/);
  program.signal('SIGINT');
  expect(await program.ended).toEqual({ code: 0, signal: null });
});

test('the lecture, typed in', async () => {
  const server = new Subject(node, [cli, 'run', file('posix.ts'), '0'], { cwd: folder });
  const port = await listeningPort(server.pid);
  const first = await Client.connect(port);
  expect(await first.exchange('first')).toBe('first');
  expect(await ask(port, 'second')).toBe('second');
  await server.says(/^child \d+ terminated\n$/);
  expect(await first.exchange('still')).toBe('still');
  await first.end();
  await server.says(/^child \d+ terminated\nchild \d+ terminated\n$/);
  server.signal('SIGTERM');
  expect(await server.ended).toEqual({ code: null, signal: 'SIGTERM' });
});

test('npm start: three clients are served at once by three processes', async () => {
  const demo = new Subject(node, [path.join(repository, 'examples/echo/demo.js')], {
    env: { PORT: '0' },
  });
  await demo.says(/Three clients, three processes, all at once/);
  const pids = [...demo.stdout.matchAll(/served by process (\d+)/g)].map(([, pid]) => pid);
  expect(new Set(pids).size).toBe(3);
  expect(demo.stdout.match(/(\w+) -> \1\n/g)?.length).toBe(12);
  expect(demo.stdout.match(/process \d+ exited with 0/g)?.length).toBe(3);
  // All three were being served before the first one ended.
  expect(demo.stdout.lastIndexOf('served by')).toBeLessThan(demo.stdout.indexOf('exited with'));
  demo.signal('SIGINT');
  expect(await demo.ended).toEqual({ code: 0, signal: null });
});
