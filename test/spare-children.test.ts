/** Children forked ahead of their connections, and children that serve more than one. */
import http from 'node:http';
import { describe, expect, test } from 'vitest';
import { ask } from './harness/client.ts';
import { children, descriptors, isAlive, title } from './harness/proc.ts';
import { type Served, serve } from './harness/served.ts';
import { eventually } from './harness/wait.ts';

const echo = 'export default { data(conn, chunk) { conn.write(chunk); } };';

/** The children that wait, by their titles in ps. */
function idle(server: Served): number[] {
  const live = children(server.zygotePid).filter(({ state }) => state !== 'Z');
  return live.map(({ pid }) => pid).filter(pid => title(pid) === 'truefork: idle');
}

const waiting = (server: Served, count: number) =>
  eventually(`${count} idle children`, () => {
    const found = idle(server);
    return found.length === count ? found : undefined;
  });

describe('spare children', () => {
  test('serves from children that were there before, each once, and is filled up again', async () => {
    const server = await serve(echo, ['--spare', '3']);
    const ahead = await waiting(server, 3);
    expect(server.connections).toEqual([]);
    const { client, info } = await server.connectAndFind();
    expect(await client.exchange('hello')).toBe('hello');
    expect(ahead).toContain(info.pid);
    expect(title(info.pid)).toBe(`truefork: 127.0.0.1:${info.remotePort}`);
    await client.end();
    expect(await server.exitOf(1)).toMatchObject({ pid: info.pid, code: 0, bytesRead: 5, bytesWritten: 5 });
    expect(await waiting(server, 3)).not.toContain(info.pid);
    await server.stop();
    expect(server.events.map(({ event }) => event)).toEqual(['listening', 'connection', 'exit']);
  });

  test('a burst beyond it is served as well', async () => {
    const server = await serve(echo, ['--spare', '1-4']);
    await waiting(server, 1);
    const said = Array.from({ length: 40 }, (_, n) => `client ${n}`);
    expect(await Promise.all(said.map(text => ask(server.port, text)))).toEqual(said);
    await eventually('all exits', () => server.exits.length === 40);
    expect(new Set(server.exits.map(({ pid }) => pid)).size).toBe(40);
    expect(server.exits.every(({ code }) => code === 0)).toBe(true);
    await eventually('it to have grown', () => idle(server).length === 4);
    await server.stop();
  });

  test('its children hold neither the listener nor one another’s lines', async () => {
    const server = await serve(echo, ['--spare', '4']);
    const ahead = await waiting(server, 4);
    const sockets = (pid: number) =>
      [...descriptors(pid)]
        .filter(([fd, name]) => fd > 2 && name.startsWith('socket:'))
        .map(([, name]) => name);
    const ofZygote = sockets(server.zygotePid);
    for (const pid of ahead) expect(sockets(pid).filter(name => ofZygote.includes(name))).toEqual([]);
    await server.stop();
  });

  test('counts among maxChildren', async () => {
    const server = await serve(echo, ['--spare', '5', '--max-children', '2']);
    await waiting(server, 2);
    const clients = [await server.connect(), await server.connect(), await server.connect()];
    expect(await clients[0]!.exchange('one')).toBe('one');
    expect(await clients[1]!.exchange('two')).toBe('two');
    expect(children(server.zygotePid).length).toBe(2);
    clients[2]!.send('three');
    await clients[0]!.end();
    expect(String(await clients[2]!.receive(5))).toBe('three');
    await clients[1]!.end();
    await clients[2]!.end();
    await waiting(server, 2);
    await server.stop();
  });

  test('ends with the zygote, even with one that was killed', async () => {
    const server = await serve(echo, ['--spare', '3']);
    const ahead = await waiting(server, 3);
    process.kill(server.zygotePid, 'SIGKILL');
    await eventually('the idle to be gone', () => !ahead.some(isAlive));
    await eventually('a new zygote with new spares', () => {
      try {
        return idle(server).length === 3;
      } catch {
        return false; // there is no zygote yet
      }
    });
    expect(await ask(server.port, 'still here')).toBe('still here');
    await server.stop();
  });

  test('a child that cannot begin is no reason to fork without end, and clients hear of it', async () => {
    const server = await serve(
      `import fs from 'node:fs';
       export function afterFork() { fs.appendFileSync(2, process.hrtime.bigint() / 1000000n + '\\n'); process.exit(3); }
       ${echo}`,
      ['--spare', '2'],
    );
    const failures = () => server.stderr.trim().split('\n').map(Number);
    await eventually('ten to have failed', () => failures().length >= 10);
    // Each failure doubles the pause, from 10 ms on; two may have been forked before the first of them failed.
    expect(failures()[9]! - failures()[7]!).toBeGreaterThan(100);
    await ask(server.port, 'hello').catch(() => {});
    expect(await server.exitOf(1)).toMatchObject({ code: 3 });
    await server.stop();
  });

  test('what goes on in a child that waits goes on', async () => {
    const server = await serve(
      `let ticks = 0;
       export function afterFork() { setInterval(() => ticks++, 5).unref(); }
       export default { data(conn) { conn.end(String(ticks)); } };`,
      ['--spare', '1'],
    );
    await waiting(server, 1);
    await eventually('ticks', async () => Number(await ask(server.port, 'x')) > 0);
    await server.stop();
  });

  test('siblings draw different random numbers, and serve streams and http', async () => {
    const server = await serve(
      `import http from 'node:http';
       export default http.createServer((request, response) => response.end(String(Math.random())));`,
      ['--spare', '4'],
    );
    await waiting(server, 4);
    const get = () =>
      new Promise<string>((resolve, reject) => {
        http
          .get({ port: server.port, host: '127.0.0.1', agent: false }, response => {
            response.setEncoding('utf8').on('data', resolve);
          })
          .on('error', reject);
      });
    const drawn = await Promise.all(Array.from({ length: 8 }, get));
    expect(new Set(drawn).size).toBe(8);
    await server.stop();
    const streams = await serve('export default async socket => void socket.pipe(socket);', ['--spare', '2']);
    await waiting(streams, 2);
    expect(await ask(streams.port, 'streamed')).toBe('streamed');
    await streams.stop();
  });
});

describe('connectionsPerChild', () => {
  const handlers = {
    callbacks: `let count = 0; export default { data(conn) { conn.end(process.pid + ' ' + ++count + ' ' + conn.id); } };`,
    stream: `let count = 0; export default socket => { const id = ++count; socket.once('data', () => socket.end(process.pid + ' ' + id + ' ' + id)); };`,
  };

  test.each(Object.entries(handlers))('%s: a child serves so many, and leaves', async (_, handler) => {
    const server = await serve(handler, ['--connections-per-child', '3']);
    const answers: string[][] = [];
    for (let n = 1; n <= 4; n++) {
      answers.push((await ask(server.port, 'x')).split(' '));
      // The next must find it free.
      await eventually(
        'its end',
        () => server.events.filter(({ event }) => /end|exit/.test(event)).length === n,
      );
    }
    const pids = answers.map(([pid]) => pid);
    expect(pids.slice(0, 3)).toEqual(Array(3).fill(pids[0]));
    expect(pids[3]).not.toBe(pids[0]);
    expect(answers.map(([, count]) => count)).toEqual(['1', '2', '3', '1']);
    await server.stop();
    expect(server.events.map(({ event }) => event)).toEqual([
      'listening',
      'connection',
      'end',
      'connection',
      'end',
      'connection',
      'exit',
      'connection',
      'end',
    ]);
    expect(server.exits).toMatchObject([{ id: 3, code: 0, pid: Number(pids[0]) }]);
  });

  test.each([
    ['by blocking calls', 'data(conn, chunk) { conn.write(chunk); }'],
    ['by events', 'async data(conn, chunk) { await new Promise(setImmediate); conn.write(chunk); }'],
  ])('a half-closed connection is closed when its callbacks are done, %s', async (_how, data) => {
    const server = await serve(
      `const { readdirSync } = process.getBuiltinModule('node:fs');
       export default { ${data}, close(conn) { conn.write(' of ' + readdirSync('/proc/self/fd').length); } };`,
      ['--connections-per-child', '100'],
    );
    const answers: string[] = [];
    for (let n = 1; n <= 8; n++) {
      answers.push(await ask(server.port, 'x'));
      await eventually('its end', () => server.events.filter(({ event }) => event === 'end').length === n);
    }
    expect(answers[0]).toMatch(/^x of \d+$/);
    expect(new Set(answers.slice(1)).size).toBe(1);
    await server.stop();
  });

  test('a connection that is over is inert, and keeps its own description', async () => {
    const server = await serve(
      `let first;
       export default {
         open(conn) { first ??= conn; },
         data(conn) { conn.write(first.id + ' ' + conn.id + ' ' + (first === conn || first.write('stray'))); },
       };`,
      ['--connections-per-child', '100'],
    );
    const answers: string[] = [];
    for (let n = 1; n <= 2; n++) {
      answers.push(await ask(server.port, 'x'));
      await eventually('its end', () => server.events.filter(({ event }) => event === 'end').length === n);
    }
    expect(answers).toEqual(['1 1 true', '1 2 false']);
    await server.stop();
  });

  test('a child that crashes ends its own connection alone, and is replaced', async () => {
    const server = await serve(
      `export default { data(conn, chunk) { if (String(chunk) === 'crash') process.abort(); conn.end(chunk); } };`,
      ['--connections-per-child', '100', '--spare', '2'],
    );
    await waiting(server, 2);
    for (const text of ['one', 'crash', 'two', 'crash', 'three'])
      expect(await ask(server.port, text).catch(() => 'failed')).toBe(text === 'crash' ? '' : text);
    await eventually('two exits', () => server.exits.length === 2);
    expect(server.exits.map(({ signal }) => signal)).toEqual(['SIGABRT', 'SIGABRT']);
    await server.stop();
  });

  test('a stop waits for who is being served, and lets the idle go at once', async () => {
    const server = await serve(echo, [
      '--connections-per-child',
      '100',
      '--spare',
      '3',
      '--grace-period',
      '20s',
    ]);
    await waiting(server, 3);
    const { client, info } = await server.connectAndFind();
    await client.exchange('busy');
    server.signal('SIGTERM');
    await eventually('the idle to leave', () => children(server.zygotePid).length === 1);
    expect(isAlive(info.pid)).toBe(true);
    expect(await client.exchange('still')).toBe('still');
    await client.end();
    expect(await server.ended).toEqual({ code: 0, signal: null });
  });
});
