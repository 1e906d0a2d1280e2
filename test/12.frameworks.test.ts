import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import path from 'node:path';
import { expect, test } from 'vitest';
import WebSocket from 'ws';
import { script, scriptFolder } from './harness/scripts.ts';
import { serve } from './harness/served.ts';

function get(url: string, options: https.RequestOptions = {}): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const request = url.startsWith('https') ? https.get(url, options) : http.get(url, options);
    request.on('error', reject);
    request.on('response', async response => {
      let body = '';
      for await (const chunk of response.setEncoding('utf8')) body += chunk;
      resolve({ status: response.statusCode!, body });
    });
  });
}

test('an unmodified express app answers, each connection from a process of its own', async () => {
  const server = await serve(`
    import http from 'node:http';
    import express from 'express';
    const app = express();
    app.use(express.json());
    app.get('/pid', (req, res) => res.json({ pid: process.pid, keepAlive: req.headers.connection }));
    app.post('/sum', (req, res) => res.json({ sum: req.body.reduce((a, b) => a + b) }));
    export default http.createServer(app);
  `);
  const base = `http://127.0.0.1:${server.port}`;
  const once = { agent: false } as const;
  const pids = [await get(`${base}/pid`, once), await get(`${base}/pid`, once)].map(
    ({ body }) => JSON.parse(body).pid,
  );
  expect(pids[0]).not.toBe(pids[1]);
  expect(pids).toEqual([(await server.connectionOf(1)).pid, (await server.connectionOf(2)).pid]);
  const sum = await fetch(`${base}/sum`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '[1,2,3,4]',
  });
  expect(await sum.json()).toEqual({ sum: 10 });
  expect((await get(`${base}/nowhere`)).status).toBe(404);
  await server.stop();
});

test('one connection that is kept alive stays with one process', async () => {
  const server = await serve(`
    import http from 'node:http';
    export default http.createServer((req, res) => res.end(String(process.pid)));
  `);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const answers = [];
  for (let turn = 0; turn < 3; turn++)
    answers.push((await get(`http://127.0.0.1:${server.port}/`, { agent })).body);
  expect(new Set(answers).size).toBe(1);
  agent.destroy();
  expect(await server.exitOf(1)).toMatchObject({ code: 0, signal: null });
  await server.stop();
});

test("http's own request timeouts work in a child", async () => {
  const server = await serve(`
    import http from 'node:http';
    export default http.createServer({ headersTimeout: 300, requestTimeout: 300, connectionsCheckingInterval: 50 }, (req, res) => res.end());
  `);
  const client = await server.connect();
  client.send('GET / HTTP/1.1\r\nHost: slow');
  expect(await client.closed).toBe('');
  expect(client.received).toMatch(/^HTTP\/1\.1 408 /);
  await server.stop();
});

test('a ws echo answers', async () => {
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
  await new Promise(resolve => socket.once('open', resolve));
  for (const message of ['first', 'x'.repeat(200_000)]) {
    const echoed = new Promise(resolve => socket.once('message', data => resolve(String(data))));
    socket.send(message);
    expect(await echoed).toBe(message);
  }
  socket.close();
  expect(await server.exitOf(1)).toMatchObject({ code: 0, signal: null });
  await server.stop();
});

test('an https server answers, with the handshake in the child', async () => {
  const key = path.join(scriptFolder, 'key.pem');
  const cert = path.join(scriptFolder, 'cert.pem');
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '2',
      ...subject,
    ].concat(['-keyout', key, '-out', cert]),
    { stdio: 'ignore' },
  );
  const server = await serve(
    script(`
      import fs from 'node:fs';
      import https from 'node:https';
      const key = fs.readFileSync(${JSON.stringify(key)}), cert = fs.readFileSync(${JSON.stringify(cert)});
      export default https.createServer({ key, cert }, (req, res) => res.end('over ' + req.socket.getProtocol() + ' by ' + process.pid));
    `),
  );
  const url = `https://127.0.0.1:${server.port}/`;
  const ca = fs.readFileSync(cert);
  const answers = [await get(url, { ca, agent: false }), await get(url, { ca, agent: false })];
  for (const [n, { body }] of answers.entries())
    expect(body).toBe(`over TLSv1.3 by ${(await server.connectionOf(n + 1)).pid}`);
  const plain = await server.connect();
  plain.send('GET / HTTP/1.0\r\n\r\n');
  await plain.closed;
  await server.stop();
});
