/** Iterative, forking and select servers: one interface, one portable handler, and what tells them apart. */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ask, type Client } from './harness/client.ts';
import { children, descriptors, isAlive, sleepsThrough, tcpSocket } from './harness/proc.ts';
import { script } from './harness/scripts.ts';
import { everyServer, flagsOf, serve } from './harness/served.ts';
import { NotifySocket } from './harness/service-manager.ts';
import { cli, node, run, runScript } from './harness/subject.ts';
import { eventually } from './harness/wait.ts';

const echo = 'export default { data(conn, chunk) { conn.write(chunk); } };';
const inOneProcess = ['iterative', 'select', 'poll'];

describe.each(everyServer)('in mode %s the portable handler', mode => {
  const serveIn = (handler: string, ...args: string[]) => serve(handler, [...flagsOf(mode), ...args]);

  test('echoes, and is told of open, data and close', async () => {
    const server = await serveIn(`
      const sizes = new Map();
      export default {
        open(conn) { sizes.set(conn.id, 0); conn.write('hello ' + conn.remotePort + ' '); },
        data(conn, chunk) { sizes.set(conn.id, sizes.get(conn.id) + chunk.length); conn.write(chunk); },
        close(conn) { conn.write(' ' + sizes.get(conn.id)); },
      };
    `);
    for (let turn = 0; turn < 3; turn++)
      expect(await ask(server.port, 'twelve bytes')).toMatch(/^hello \d+ twelve bytes 12$/);
    await server.stop();
  });

  test('finds what afterFork has opened, in the process that serves it', async () => {
    const server = await serveIn(`
      let opened;
      export function beforeServe() { opened = 'before'; }
      export async function afterFork() { opened += ', after in ' + process.pid; }
      export default { open(conn) { conn.end(opened); } };
    `);
    const said = await ask(server.port);
    expect(said).toBe(`before, after in ${(await server.connectionOf(1)).pid}`);
    await server.stop();
  });

  test('gives back 16 MiB to a client that reads late', async () => {
    const server = await serveIn(echo);
    const client = await server.connect();
    const sent = randomBytes(16 * 1024 * 1024);
    client.socket.pause();
    client.socket.end(sent);
    const { localPort } = client.socket;
    await eventually('both directions to be full', () => {
      const ends = [tcpSocket(localPort!, server.port), tcpSocket(server.port, localPort!)];
      return ends.every(end => end !== undefined && end.unsent > 0 && end.unread > 0);
    });
    client.socket.resume();
    expect((await client.receive(sent.length)).equals(sent)).toBe(true);
    expect(await client.closed).toBe('');
    await server.stop();
  });

  test('is awaited: promises in turn, timers and end() with all that was written', async () => {
    const server = await serveIn(`
      import { setTimeout as sleep } from 'node:timers/promises';
      export default {
        async open(conn) { await sleep(20); conn.write('a'); },
        async data(conn, chunk) { await sleep(20); conn.write(chunk.subarray(0, 2)); if (String(chunk).includes('!')) conn.end('x'.repeat(500_000)); },
        async close(conn) { await sleep(20); conn.write('c'); },
      };
    `);
    expect(await ask(server.port, 'b')).toBe('abc');
    const client = await server.connect();
    client.send('b!');
    client.send(Buffer.alloc(200_000));
    expect(String(await client.receive(500_003)).slice(0, 4)).toBe('ab!x');
    expect(await client.end()).toBe('');
    await server.stop();
  });

  test('hears of a reset, and the server goes on', async () => {
    const server = await serveIn(`
      export default {
        data(conn, chunk) { conn.write(chunk); },
        error(conn, error) { console.log(error.code); },
        close(conn) { console.log('closed'); },
      };
    `);
    const client = await server.connect();
    await client.exchange('hello');
    client.reset();
    await server.says(/^ECONNRESET\nclosed\n$/, 'stderr');
    expect(await ask(server.port, 'next')).toBe('next');
    await server.stop();
  });

  test('tells of each connection and its end', async () => {
    const server = await serveIn(echo);
    await ask(server.port, 'x');
    const connection = await server.connectionOf(1);
    const end = await eventually('its end', () =>
      server.events.find(({ event }) => event === 'end' || event === 'exit'),
    );
    expect(end).toMatchObject({
      ...connection,
      time: expect.any(String),
      event: mode === 'fork' ? 'exit' : 'end',
      durationMs: expect.any(Number),
    });
    await server.stop();
  });

  test('on a stop, those being served finish, and those who queue are served', async () => {
    const notify = await NotifySocket.open();
    const server = await serve(echo, [...flagsOf(mode), '--grace-period', '1000s'], {
      env: { NOTIFY_SOCKET: notify.name },
    });
    const client = await server.connect();
    await client.exchange('before');
    const queued = await server.connect();
    queued.send('queued');
    server.signal('SIGTERM');
    await notify.hears(/^STOPPING=1$/);
    expect(await client.exchange('after')).toBe('after');
    await client.end();
    expect(String(await queued.receive(6))).toBe('queued');
    await queued.end();
    expect(await server.ended).toEqual({ code: 0, signal: null });
  });

  test('when the grace is over, who is left is closed', async () => {
    const server = await serveIn(echo, '--grace-period', '0s');
    const client = await server.connect();
    await client.exchange('hello');
    server.signal('SIGTERM');
    expect(await client.closed).toMatch(/^(ECONNRESET)?$/);
    expect(await server.ended).toEqual({ code: 0, signal: null });
  });
});

test('two slow requests: one after the other in the iterative server, at once in the forking one', async () => {
  // A request is slow until the file is there; each says when it is begun and when it is done.
  const slow = (log: string, moment: string) => `
    import fs from 'node:fs';
    const say = what => fs.appendFileSync(${JSON.stringify(log)}, what + ' ');
    const pause = new Int32Array(new SharedArrayBuffer(4));
    export default {
      data(conn, chunk) {
        say('begin');
        while (!fs.existsSync(${JSON.stringify(moment)})) Atomics.wait(pause, 0, 0, 5);
        say('end');
        conn.write(chunk);
      },
    };
  `;
  const orderOf = async (mode: string, begunTogether: number) => {
    const [log, moment] = [script('', '.log'), `${script('')}.moment`];
    const read = () => fs.readFileSync(log, 'utf8').trim();
    const server = await serve(slow(log, moment), flagsOf(mode));
    const answers = Promise.all([ask(server.port, 'a'), ask(server.port, 'b')]);
    await eventually('requests to be begun', () => read().split('begin').length === begunTogether + 1);
    fs.writeFileSync(moment, '');
    expect(await answers).toEqual(['a', 'b']);
    await server.stop();
    return read();
  };
  expect(await orderOf('iterative', 1)).toBe('begin end begin end');
  expect(await orderOf('fork', 2)).toBe('begin begin end end');
});

describe('the iterative server', () => {
  test('serves one at a time, in one process, and the others wait in the backlog', async () => {
    const server = await serve(echo, ['--mode', 'iterative']);
    const first = await server.connect();
    await first.exchange('first');
    const second = await server.connect();
    second.send('second');
    for (let turn = 0; turn < 20; turn++) expect(await first.exchange('still first')).toBe('still first');
    expect(second.received).toBe('');
    await first.end();
    expect(String(await second.receive(6))).toBe('second');
    await second.end();
    await eventually('both to be told of', () => server.connections.length === 2);
    expect(new Set(server.connections.map(({ pid }) => pid))).toEqual(new Set([server.zygotePid]));
    await server.stop();
  });

  test.each([
    ['a stream function', 'export default socket => { socket.pipe(socket); };', 'hello', 'hello'],
    [
      'an http server',
      "import http from 'node:http'; export default http.createServer((req, res) => res.end('page'));",
      'GET / HTTP/1.0\r\n\r\n',
      /\r\n\r\npage$/,
    ],
  ])('takes %s', async (_what, handler, request, answer) => {
    const server = await serve(handler, ['--mode', 'iterative']);
    for (let turn = 0; turn < 3; turn++) {
      const said = await ask(server.port, request);
      if (typeof answer === 'string') expect(said).toBe(answer);
      else expect(said).toMatch(answer);
    }
    await server.stop();
  });
});

describe('the select server', () => {
  test('serves all at once in one process', async () => {
    const server = await serve(echo, ['--mode', 'select']);
    const clients = await Promise.all(Array.from({ length: 200 }, () => server.connect()));
    for (const [n, client] of clients.entries())
      expect(await client.exchange(`hello ${n}`)).toBe(`hello ${n}`);
    expect(children(server.zygotePid)).toEqual([]);
    await Promise.all(clients.map(client => client.end()));
    await server.stop();
  });

  test('keeps nobody waiting for a client that does not read', async () => {
    const server = await serve(echo, ['--mode', 'select']);
    const slow = await server.connect();
    slow.socket.pause();
    slow.send(Buffer.alloc(32 * 1024 * 1024, 1));
    const others = await Promise.all(Array.from({ length: 200 }, () => server.connect()));
    // The slow one does not read before they have all been answered: whoever waited for it would wait for ever.
    await Promise.all(
      others.map(async client => {
        for (let turn = 0; turn < 5; turn++) await client.exchange('quick');
      }),
    );
    slow.socket.resume();
    expect((await slow.receive(32 * 1024 * 1024)).every(byte => byte === 1)).toBe(true);
    await Promise.all([slow, ...others].map(client => client.end()));
    await server.stop();
  });

  async function crowd(server: Awaited<ReturnType<typeof serve>>, size: number): Promise<Client[]> {
    const clients: Client[] = [];
    while (clients.length < size)
      clients.push(...(await Promise.all(Array.from({ length: 50 }, () => server.connect()))));
    return clients;
  }

  test('turns clients away, with a warning, when select() can take no more', async () => {
    const server = await serve(echo, ['--mode', 'select']);
    const clients = await crowd(server, 1100);
    const answers = await Promise.all(
      clients.map(client => client.exchange('hi').catch(() => 'turned away')),
    );
    const served = answers.filter(answer => answer === 'hi').length;
    expect(served).toBeGreaterThan(950);
    expect(served).toBeLessThan(1024);
    expect(answers.filter(answer => answer === 'turned away').length).toBe(clients.length - served);
    await server.says(/^truefork: select EMFILE.*\n$/, 'stderr');
    await Promise.all(clients.map(client => client.end()));
    expect(await ask(server.port, 'room again')).toBe('room again');
    await server.stop();
  });

  test('with poll() takes them all', async () => {
    const server = await serve(echo, flagsOf('poll'));
    const clients = await crowd(server, 1100);
    expect(new Set(await Promise.all(clients.map(client => client.exchange('hi'))))).toEqual(new Set(['hi']));
    await Promise.all(clients.map(client => client.end()));
    await server.stop();
  });

  test.each([
    'export default socket => {};',
    "import net from 'node:net'; export default net.createServer();",
  ])('refuses at start what it cannot call: %s', async handler => {
    const result = await run(node, [cli, 'serve', script(handler), '--port', '0', '--mode', 'select']);
    expect(result).toMatchObject({ code: 1, stdout: '' });
    expect(result.stderr).toMatch(/^truefork: a select server needs a callbacks object as handler.*\n$/);
  });
});

describe.each(inOneProcess)('in mode %s', mode => {
  test('a crash loses those being served, no one who queues, and no descriptor is gained', async () => {
    const server = await serve(
      "export default { data(conn, chunk) { if (String(chunk) === 'die') process.abort(); conn.write(chunk); } };",
      flagsOf(mode),
    );
    expect(await ask(server.port, 'hello')).toBe('hello');
    const before = server.zygotePid;
    await ask(server.port, 'die').catch(() => '');
    await eventually('the process to be gone', () => !isAlive(before));
    expect(await ask(server.port, 'hello again')).toBe('hello again');
    expect(server.stderr).toMatch(/the serving process was ended by SIGABRT; a new one takes its place/);
    const open = descriptors(server.zygotePid).size;
    for (let turn = 0; turn < 20; turn++) await ask(server.port, 'x');
    await eventually('descriptors to be closed', () => descriptors(server.zygotePid).size <= open);
    await server.stop();
  });

  test('EMFILE is waited out', async () => {
    const server = await serve(echo, flagsOf(mode), { env: { TRUEFORK_FAULTS: 'accept=EMFILE*3' } });
    expect(await ask(server.port, 'patient')).toBe('patient');
    await server.stop();
    expect(server.stderr).toMatch(/^truefork: accept EMFILE: .*\n$/);
  });

  test('an idle server sleeps', async () => {
    const server = await serve(echo, flagsOf(mode));
    const client = await server.connect();
    await client.exchange('hello');
    await sleepsThrough(server.zygotePid);
    await client.end();
    await server.stop();
  });
});

test('all three are used alike from a program', async () => {
  const program = script(`
    import assert from 'node:assert/strict';
    import net from 'node:net';
    import { ForkingServer, IterativeServer, SelectServer } from 'truefork';
    const handler = ${JSON.stringify(script(echo))};
    for (const server of [new IterativeServer({ handler }), new ForkingServer({ handler }), new SelectServer({ handler, multiplexer: 'poll', maxConnections: 10 })]) {
      await server.listen(0, '127.0.0.1');
      const { port } = server.address();
      const said = await new Promise(resolve => {
        const socket = net.connect(port, '127.0.0.1', () => socket.end('hello'));
        let text = '';
        socket.on('data', data => { text += data; }).on('close', () => resolve(text));
      });
      assert.equal(said, 'hello');
      await server.close();
    }
    assert.throws(() => new SelectServer({ handler, multiplexer: 'epoll' }), { code: 'ERR_TRUEFORK_ARGUMENT' });
    assert.throws(() => new IterativeServer({ handler, maxChildren: 3 }), /"maxChildren" is no option of an IterativeServer/);
    console.log('pass');
  `);
  expect(await runScript(program)).toEqual({ code: 0, signal: null, stdout: 'pass\n', stderr: '' });
});
