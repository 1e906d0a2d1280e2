/** Web frameworks, unmodified, from forked children: with real clients. */
import http from 'node:http';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Answer, get } from './harness/http.ts';
import { script, scriptFolder } from './harness/scripts.ts';
import { serve, serveAs } from './harness/served.ts';

const once = { agent: false } as const;

/** The same small application in each: a page, a sum of posted numbers, the process that answers. */
const applications = {
  http: `
    import http from 'node:http';
    export default http.createServer(async (req, res) => {
      if (req.url === '/pid') return res.end(JSON.stringify({ pid: process.pid }));
      if (req.url !== '/sum') return res.writeHead(404).end();
      let body = '';
      for await (const chunk of req) body += chunk;
      res.end(JSON.stringify({ sum: JSON.parse(body).reduce((a, b) => a + b) }));
    });
  `,
  express: `
    import http from 'node:http';
    import express from 'express';
    const app = express();
    app.use(express.json());
    app.get('/pid', (req, res) => res.json({ pid: process.pid }));
    app.post('/sum', (req, res) => res.json({ sum: req.body.reduce((a, b) => a + b) }));
    export default http.createServer(app);
  `,
  fastify: `
    import Fastify from 'fastify';
    const app = Fastify();
    app.get('/pid', async () => ({ pid: process.pid }));
    app.post('/sum', async request => ({ sum: request.body.reduce((a, b) => a + b) }));
    export async function beforeServe() { await app.ready(); }
    export default app.server;
  `,
  koa: `
    import http from 'node:http';
    import Koa from 'koa';
    const app = new Koa();
    app.use(async ctx => {
      if (ctx.path === '/pid') ctx.body = { pid: process.pid };
      if (ctx.path !== '/sum') return;
      let body = '';
      for await (const chunk of ctx.req) body += chunk;
      ctx.body = { sum: JSON.parse(body).reduce((a, b) => a + b) };
    });
    export default http.createServer(app.callback());
  `,
};

describe.each(Object.entries(applications))('an unmodified %s application', (_name, source) => {
  test('answers, each connection from a process of its own', async () => {
    const server = await serve(source);
    const base = `http://127.0.0.1:${server.port}`;
    const answers = [await get(`${base}/pid`, once), await get(`${base}/pid`, once)];
    const pids = answers.map(({ body }) => JSON.parse(body).pid);
    expect(pids).toEqual([(await server.connectionOf(1)).pid, (await server.connectionOf(2)).pid]);
    const sum = await fetch(`${base}/sum`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '[1,2,3,4]',
    });
    expect(await sum.json()).toEqual({ sum: 10 });
    expect((await get(`${base}/nowhere`, once)).status).toBe(404);
    await server.stop();
    expect(server.exits.every(({ signal }) => signal === null || signal === 'SIGTERM')).toBe(true);
  });

  test('keeps one connection alive with one process, which ends with it', async () => {
    const server = await serve(source);
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const answers: Answer[] = [];
    for (let turn = 0; turn < 5; turn++)
      answers.push(await get(`http://127.0.0.1:${server.port}/pid`, { agent }));
    expect(new Set(answers.map(({ body }) => body)).size).toBe(1);
    agent.destroy();
    expect(await server.exitOf(1)).toMatchObject({ code: 0, signal: null });
    await server.stop();
    expect(server.connections.length).toBe(1);
  });
});

test('an application on a Unix socket answers', async () => {
  const file = path.join(scriptFolder, `http-${process.pid}.sock`);
  const server = await serveAs([script(applications.express), '--path', file]);
  const { status, body } = await get('http://localhost/pid', { ...once, socketPath: file });
  expect([status, JSON.parse(body).pid]).toEqual([200, (await server.connectionOf(1)).pid]);
  await server.stop();
});
