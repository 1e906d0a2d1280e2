/** What becomes of http connections when their server stops or has newer code: answered, told, and closed. */
import fs from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import { describe, expect, test } from 'vitest';
import type { Client } from './harness/client.ts';
import { script } from './harness/scripts.ts';
import { type Served, serve } from './harness/served.ts';
import { eventually } from './harness/wait.ts';

/** Answers at once, or as the path says: when the file is there, or in two halves around that moment. */
const handler = `
  import fs from 'node:fs';
  import http from 'node:http';
  import { setTimeout as sleep } from 'node:timers/promises';
  const moment = file => new Promise(async resolve => {
    while (!fs.existsSync(file)) await sleep(10);
    resolve();
  });
  export default http.createServer({ keepAliveTimeout: 60_000 }, async (request, response) => {
    const [, how, ...path] = request.url.split('/');
    const file = '/' + path.join('/');
    if (how === 'late') await moment(file);
    if (how === 'halves') { response.write('first half, '); await moment(file); }
    response.end('all');
  });
`;

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: here\r\n\r\n`;

/** A connection that has been answered once, and is kept alive. */
async function keptAlive(server: Served): Promise<Client> {
  const client = await server.connect();
  client.send(get('/'));
  await eventually(
    'an answer',
    () => client.received.endsWith('all\r\n0\r\n\r\n') || client.received.endsWith('all'),
  );
  expect(client.received).toMatch(/Connection: keep-alive/i);
  return client;
}

/** A file that is not there yet. */
function moment(): string {
  const file = script('', '.moment');
  fs.rmSync(file);
  return file;
}

const stop = (server: Served) => server.signal('SIGTERM');
const reload = (server: Served) => server.signal('SIGHUP');

describe.each([
  ['a stop', stop],
  ['a reload', reload],
])('at %s', (_, begin) => {
  test('an idle connection is closed, and a busy one is answered to the end and told', async () => {
    const server = await serve(handler, ['--grace-period', '60s']);
    const done = moment();
    const idle = await keptAlive(server);
    const late = await server.connect();
    late.send(get(`/late${done}`));
    const halves = await server.connect();
    halves.send(get(`/halves${done}`));
    await eventually('the first half', () => halves.received.includes('first half'));
    const silent = await server.connect();
    await eventually('all to be served', () => server.connections.length === 4);

    begin(server);
    expect(await idle.closed).toBe('');
    expect(late.socket.readyState).toBe('open');
    silent.send(get('/'));
    await eventually('an answer', () => silent.received.includes('all'));
    expect(await silent.closed).toBe('');

    fs.writeFileSync(done, '');
    expect(await late.closed).toBe('');
    expect(late.received).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(late.received).toMatch(/\r\nConnection: close\r\n[\s\S]*all/i);
    expect(await halves.closed).toBe('');
    expect(halves.received).toMatch(/first half, [\s\S]*all\r\n0\r\n\r\n$/);
    await eventually('every exit', () => server.exits.length === 4);
    expect(server.exits.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    if (begin === reload) await server.stop();
    else expect(await server.ended).toEqual({ code: 0, signal: null });
  });

  test('a connection of http/2 gets GOAWAY, and its open streams are served to the end', async () => {
    const server = await serve(
      `
        import http2 from 'node:http2';
        export default http2.createServer((request, response) => {
          response.write('first half, ');
          request.on('data', () => {}).on('end', () => response.end('all'));
        });
      `,
      ['--grace-period', '60s'],
    );
    const session = http2.connect(`http://127.0.0.1:${server.port}`);
    const stream = session.request({ ':method': 'POST' }, { endStream: false });
    let text = '';
    stream.setEncoding('utf8').on('data', chunk => {
      text += chunk;
    });
    await eventually('the first half', () => text === 'first half, ');
    const goaway = new Promise<number>(resolve => session.once('goaway', resolve));
    const closed = new Promise<void>(resolve => session.once('close', resolve));
    begin(server);
    expect(await goaway).toBe(http2.constants.NGHTTP2_NO_ERROR);
    stream.end();
    await closed;
    expect(text).toBe('first half, all');
    expect(await server.exitOf(1)).toMatchObject({ code: 0 });
    if (begin === reload) await server.stop();
    else expect(await server.ended).toEqual({ code: 0, signal: null });
  });

  test('the one process of an iterative server does so too', async () => {
    const server = await serve(handler, ['--mode', 'iterative', '--grace-period', '60s']);
    const idle = await keptAlive(server);
    begin(server);
    expect(await idle.closed).toBe('');
    if (begin === reload) {
      await eventually('the reload', () => server.reloads === 1);
      await server.stop();
    } else expect(await server.ended).toEqual({ code: 0, signal: null });
  });
});

test('a client that asks on and on over one connection is told by its next answer, and loses none', async () => {
  const server = await serve(handler, ['--grace-period', '60s']);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  let closing = false;
  const ask = () =>
    new Promise<void>((resolve, reject) => {
      const request = http.get({ port: server.port, host: '127.0.0.1', agent, path: '/' }, response => {
        closing ||= response.headers.connection === 'close';
        response.on('data', () => {}).on('end', resolve);
      });
      request.on('error', reject);
    });
  for (let n = 0; n < 20; n++) await ask();
  await server.connectionOf(1);
  expect(server.connections.length).toBe(1);
  expect(closing).toBe(false);
  // The moment between an answer and the next question is short, but it is there: then the connection is idle, and
  // closed. Any client of http has to ask again on another one (RFC 9112, 9.3.1).
  reload(server);
  const again = () =>
    ask().catch(error => {
      expect(error.code).toMatch(/^(ECONNRESET|EPIPE)$/);
      return ask();
    });
  await eventually('the reload', async () => {
    await again();
    return server.reloads === 1;
  });
  await eventually('a second connection', async () => {
    await again();
    return server.connections.length >= 2;
  });
  agent.destroy();
  await server.stop();
});

test('a stream handler may listen to the same signal', async () => {
  const server = await serve(
    `export default socket => {
       process.once('SIGURG', () => socket.end('farewell'));
       socket.on('data', data => socket.write(data));
     };`,
    ['--grace-period', '60s'],
  );
  const client = await server.connect();
  await client.exchange('hello');
  stop(server);
  expect(await client.closed).toBe('');
  expect(client.received).toBe('farewell');
  expect(await server.ended).toEqual({ code: 0, signal: null });
});
