/** What HTTP and its kin ask of a child: big bodies, streams, upgrades, timeouts, clients that go away. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import { expect, test } from 'vitest';
import WebSocket from 'ws';
import { get } from './harness/http.ts';
import { serve } from './harness/served.ts';
import { eventually } from './harness/wait.ts';

test('an upload of 100 MiB arrives whole, and comes back whole', async () => {
  const server = await serve(`
    import { createHash } from 'node:crypto';
    import http from 'node:http';
    export default http.createServer(async (req, res) => {
      if (req.url === '/echo') return req.pipe(res);
      const hash = createHash('sha256');
      for await (const chunk of req) hash.update(chunk);
      res.end(hash.digest('hex'));
    });
  `);
  const sent = randomBytes(100 * 1024 * 1024);
  const expected = createHash('sha256').update(sent).digest('hex');
  const post = (path: string) =>
    fetch(`http://127.0.0.1:${server.port}${path}`, { method: 'POST', body: sent });
  expect(await (await post('/hash')).text()).toBe(expected);
  const back = createHash('sha256');
  for await (const chunk of (await post('/echo')).body!) back.update(chunk);
  expect(back.digest('hex')).toBe(expected);
  await server.stop();
});

test('a response streams: each part comes before the next is made', async () => {
  const server = await serve(`
    import http from 'node:http';
    export default http.createServer(async (req, res) => {
      for await (const chunk of req) res.write('got ' + chunk);
      res.end('done');
    });
  `);
  const request = http.request({ port: server.port, host: '127.0.0.1', method: 'POST' });
  request.write('one');
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  const next = async () => String((await once(response, 'data'))[0]);
  expect(await next()).toBe('got one');
  request.write('two');
  expect(await next()).toBe('got two');
  request.end();
  expect(await next()).toBe('done');
  await server.stop();
});

test('server-sent events go on until the client has enough; the child sees it go, and ends', async () => {
  const server = await serve(`
    import http from 'node:http';
    export default http.createServer((req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
      let count = 0;
      const ticker = setInterval(() => res.write('data: ' + ++count + '\\n\\n'), 5);
      res.on('close', () => { clearInterval(ticker); console.log('closed'); });
    });
  `);
  const abort = new AbortController();
  const response = await fetch(`http://127.0.0.1:${server.port}/`, { signal: abort.signal });
  let text = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (text.includes('data: 5\n')) break;
  }
  abort.abort();
  expect(text).toMatch(/^data: 1\n\ndata: 2\n\ndata: 3\n\n/);
  expect(await server.exitOf(1)).toMatchObject({ code: 0, signal: null });
  expect(server.stderr).toBe('closed\n');
  await server.stop();
});

test('work that hangs on an AbortSignal is called off when the client is gone', async () => {
  const server = await serve(`
    import http from 'node:http';
    import { setTimeout as sleep } from 'node:timers/promises';
    export default http.createServer(async (req, res) => {
      const gone = new AbortController();
      res.on('close', () => gone.abort());
      console.log('at work');
      try { await sleep(100_000, null, { signal: gone.signal }); } catch (error) { console.log(error.name); }
    });
  `);
  const client = await server.connect();
  client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await server.says(/at work\n/, 'stderr');
  client.reset();
  expect(await server.exitOf(1)).toMatchObject({ code: 0, signal: null });
  expect(server.stderr).toBe('at work\nAbortError\n');
  await server.stop();
});

test("http's own timeouts work in a child: for headers, for a request, for a connection that is kept alive", async () => {
  const server = await serve(`
    import http from 'node:http';
    export default http.createServer({
      headersTimeout: 1500, requestTimeout: 2000, keepAliveTimeout: 300, connectionsCheckingInterval: 50,
    }, (req, res) => { req.resume().on('end', () => res.end('ok')); });
  `);
  const unfinished = {
    headers: 'GET / HTTP/1.1\r\nHost: slow',
    body: 'POST / HTTP/1.1\r\nHost: slow\r\nContent-Length: 10\r\n\r\nabc',
  };
  for (const text of Object.values(unfinished)) {
    const client = await server.connect();
    client.send(text);
    expect(await client.closed).toBe('');
    expect(client.received).toMatch(/^HTTP\/1\.1 408 /);
  }
  const idle = await server.connect();
  idle.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  expect(await idle.closed).toBe('');
  expect(idle.received).toMatch(/^HTTP\/1\.1 200 [\s\S]*ok\r\n0\r\n\r\n$|^HTTP\/1\.1 200 [\s\S]*\r\n\r\nok$/);
  expect(await server.exitOf(3)).toMatchObject({ code: 0, signal: null });
  await server.stop();
});

test('an upgrade hands the socket over, with what the client has sent already', async () => {
  const server = await serve(`
    import http from 'node:http';
    const server = http.createServer((req, res) => res.end('plain'));
    server.on('upgrade', (req, socket, head) => {
      socket.write('HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: echo\\r\\n\\r\\n');
      socket.write(head);
      socket.pipe(socket);
    });
    export default server;
  `);
  const client = await server.connect();
  client.send('GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nearly ');
  await eventually('the answer', () => client.received.endsWith('\r\n\r\nearly '));
  client.send('late');
  await eventually('the echo', () => client.received.endsWith('\r\n\r\nearly late'));
  await client.end();
  expect(await server.exitOf(1)).toMatchObject({ code: 0, signal: null });
  expect((await get(`http://127.0.0.1:${server.port}/`)).body).toBe('plain');
  await server.stop();
});

test('a ws echo answers, binary and text, with a ping, and says good-bye', async () => {
  const server = await serve(`
    import http from 'node:http';
    import { WebSocketServer } from 'ws';
    const server = http.createServer();
    new WebSocketServer({ server }).on('connection', socket => {
      socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    });
    export default server;
  `);
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/`);
  await once(socket, 'open');
  for (const message of ['first', 'x'.repeat(200_000)]) {
    socket.send(message);
    expect(String((await once(socket, 'message'))[0])).toBe(message);
  }
  const binary = randomBytes(1 << 20);
  socket.send(binary);
  expect(((await once(socket, 'message'))[0] as Buffer).equals(binary)).toBe(true);
  socket.ping('are you there');
  expect(String((await once(socket, 'pong'))[0])).toBe('are you there');
  socket.close(1000, 'enough');
  expect((await once(socket, 'close'))[0]).toBe(1000);
  expect(await server.exitOf(1)).toMatchObject({ code: 0, signal: null });
  await server.stop();
});

test('http2 multiplexes its streams over the one connection of a child', async () => {
  const server = await serve(`
    import http2 from 'node:http2';
    let others = 0, bothAnswered;
    const othersAnswered = new Promise(resolve => { bothAnswered = resolve; });
    export default http2.createServer(async (req, res) => {
      if (req.url === '/slow') await othersAnswered;
      res.end(req.url + ' by ' + process.pid);
      if (++others === 2) bothAnswered();
    });
  `);
  const session = http2.connect(`http://127.0.0.1:${server.port}`);
  const ask = async (path: string) => {
    let body = '';
    for await (const chunk of session.request({ ':path': path }).setEncoding('utf8')) body += chunk;
    return body;
  };
  const order: string[] = [];
  const answers = ['/slow', '/a', '/b'].map(path => ask(path).finally(() => order.push(path)));
  const { pid } = await server.connectionOf(1);
  expect(await Promise.all(answers)).toEqual(['/slow', '/a', '/b'].map(path => `${path} by ${pid}`));
  expect(order.at(-1)).toBe('/slow');
  await new Promise<void>(resolve => session.close(resolve));
  expect(await server.exitOf(1)).toMatchObject({ code: 0, signal: null });
  await server.stop();
  expect(server.connections.length).toBe(1);
});
