/** A log that fails, stalls or is written by clients: the server serves on, and what was lost is counted and told. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { ask, refusesConnections } from './harness/client.ts';
import { listeningPort } from './harness/proc.ts';
import { script, scriptFolder } from './harness/scripts.ts';
import { serveAs } from './harness/served.ts';
import { cli, node, run, Subject } from './harness/subject.ts';
import { eventually } from './harness/wait.ts';

const echo = script('export default { data(conn, chunk) { conn.write(chunk); } };');

let count = 0;
const newPath = (suffix: string) => path.join(scriptFolder, `${process.pid}-log-${++count}${suffix}`);

/** `truefork serve`, started by a shell that redirects its output first, and its port. */
async function serveTo(redirect: string, ...args: string[]): Promise<{ server: Subject; port: number }> {
  const command = `${redirect.replace(/^([^>]*)/, '$1 exec "$@" ')}`;
  const server = new Subject('/bin/sh', [
    '-c',
    command,
    'sh',
    node,
    cli,
    'serve',
    echo,
    '--port',
    '0',
    ...args,
  ]);
  return { server, port: await listeningPort(server.pid) };
}

async function stop(server: Subject): Promise<void> {
  server.signal('SIGTERM');
  expect(await server.ended).toEqual({ code: 0, signal: null });
}

test('a disk that is full ends no server', async () => {
  const { server, port } = await serveTo('> /dev/full');
  for (let n = 0; n < 5; n++) expect(await ask(port, 'hello')).toBe('hello');
  await stop(server);
});

test.each(['text', 'json'])(
  'a file at its limit: lines are dropped, and told when there is room again (%s)',
  async format => {
    const file = newPath('.log');
    const args = format === 'json' ? ['--json'] : [];
    const { server, port } = await serveTo(`ulimit -f 1; >> ${file}`, ...args); // of 512 bytes
    const size = () => fs.statSync(file).size;
    while (size() < 512) expect(await ask(port, 'hello')).toBe('hello');
    for (let n = 0; n < 5; n++) expect(await ask(port, 'hello')).toBe('hello');
    expect(size()).toBe(512);
    fs.truncateSync(file);
    expect(await ask(port, 'again')).toBe('again');
    const told =
      format === 'json'
        ? /^\{"event":"dropped","level":"warn",.*"lines":\d+,.*\}$/m
        : /^\d+ lines of the log were dropped: .*EFBIG/m;
    await eventually('the count of dropped lines', () => told.test(fs.readFileSync(file, 'utf8')));
    await stop(server);
  },
);

test('a reader that is gone ends no server', async () => {
  const server = new Subject(node, [cli, 'serve', echo, '--port', '0']);
  const port = await listeningPort(server.pid);
  server.process.stdout!.destroy();
  for (let n = 0; n < 5; n++) expect(await ask(port, 'hello')).toBe('hello');
  await stop(server);
});

describe('a reader that stalls', () => {
  test('costs a bounded queue: what does not fit is dropped, and told when it reads again', async () => {
    const server = new Subject(node, [cli, 'serve', echo, '--port', '0', '--json'], { deadline: 590_000 });
    const port = await listeningPort(server.pid);
    server.process.stdout!.pause();
    let connections = 0;
    const clients = Array.from({ length: 8 }, async () => {
      while (connections++ < 3000) expect(await ask(port, 'x')).toBe('x'); // two lines each: 2 MiB in all
    });
    await Promise.all(clients);
    connections = 3000;
    server.process.stdout!.resume();
    await eventually('the reader to catch up', async () => {
      connections++;
      expect(await ask(port, 'x')).toBe('x');
      return /^\{"event":"dropped",/m.test(server.stdout);
    });
    await stop(server);
    const lines = server.stdout
      .split('\n')
      .filter(Boolean)
      .map(line => JSON.parse(line));
    const told = lines.filter(({ event }) => event !== 'dropped').length;
    const dropped = lines.reduce((sum, { event, lines }) => sum + (event === 'dropped' ? lines : 0), 0);
    expect(dropped).toBeGreaterThan(1000);
    expect(told + dropped).toBe(1 + 2 * connections);
  }, 600_000);

  test('does not keep it from its end', async () => {
    const server = new Subject(node, [cli, 'serve', echo, '--port', '0', '--json']);
    const port = await listeningPort(server.pid);
    server.process.stdout!.pause();
    for (let n = 0; n < 400; n++) await ask(port, 'x');
    server.signal('SIGTERM');
    await refusesConnections(port);
    // The end of its output is not read, so that it is its end as the kernel has it.
    await eventually('its end', () => server.process.exitCode !== null);
    expect(server.process.exitCode).toBe(0);
    server.process.stdout!.resume();
    expect(await server.ended).toEqual({ code: 0, signal: null });
  });
});

test('a client cannot forge a line: control characters in its name are escaped', async () => {
  const file = newPath('.sock');
  const server = new Subject(node, [cli, 'serve', echo, '--path', file], { env: { NO_COLOR: '1' } });
  await server.says(/^listening on /);
  const client = `
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(chr(0) + sys.argv[2])
s.connect(sys.argv[1])
s.shutdown(socket.SHUT_WR)
s.recv(1)`;
  const name = `x\n#99 10.0.0.1:1 connected: process 1\r\x1b[2J\x7f\u009b ${process.pid}`;
  expect(await run('python3', ['-c', client, file, name])).toMatchObject({ code: 0, stderr: '' });
  await server.says(/exited with 0/);
  expect(server.stdout).toContain(
    `@x\\n#99 10.0.0.1:1 connected: process 1\\r\\x1b[2J\\x7f\\x9b ${process.pid}`,
  );
  expect(server.stdout.trim().split('\n').length).toBe(3);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  expect(server.stdout.replaceAll('\n', '')).not.toMatch(/[\x00-\x1f\x7f-\x9f]/);
  await stop(server);
});

test('with --json each event is one line, whatever is in it', async () => {
  const file = newPath('.sock');
  const server = await serveAs([echo, '--path', file]);
  await ask(file, 'x');
  await server.exitOf(1);
  for (const line of server.stdout.trim().split('\n')) expect(() => JSON.parse(line)).not.toThrow();
  await server.stop();
});
