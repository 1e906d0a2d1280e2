import fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ask } from './harness/client.ts';
import { script } from './harness/scripts.ts';
import { serve } from './harness/served.ts';
import { cli, node, run, Subject } from './harness/subject.ts';
import { eventually } from './harness/wait.ts';

const greeting = {
  '.mjs': 'export default',
  '.cjs': 'module.exports =',
  '.ts': 'export default',
  '.cts': 'module.exports =',
};

describe('a handler script', () => {
  test.each(Object.entries(greeting))('may be a %s file', async (extension, exportsIt) => {
    const types = extension.endsWith('ts') ? ': import("node:net").Socket' : '';
    const server = await serve(
      script(`${exportsIt} (socket${types}) => { socket.end('hello'); };`, extension),
    );
    expect(await ask(server.port)).toBe('hello');
    await server.stop();
  });

  test('in TypeScript imports its own files, packages and truefork, and keeps its line numbers', async () => {
    const part = script('export const word: string = "whole";', '.ts').split('/').pop();
    const server = await serve(
      script(
        `import express from 'express';
         import { registerAtFork, type Handler } from 'truefork';
         import { word } from './${part}';
         let forked: boolean = false;
         registerAtFork({ afterInChild() { forked = true; } });
         const handler: Handler = {
           open(conn) {
             const at = new Error('here').stack!.split('\\n')[1];
             conn.end([word, forked, typeof express, import.meta.url, at].join(' '));
           },
         };
         export default handler;`,
        '.ts',
      ),
    );
    const [word, forked, express, url, ...at] = (await ask(server.port)).split(' ');
    expect([word, forked, express]).toEqual(['whole', 'true', 'function']);
    expect(url).toMatch(/^file:\/\/\/.*\.ts$/);
    expect(at.join(' ')).toMatch(/\.ts:8:/);
    await server.stop();
  });

  test('is given buffers like all others', async () => {
    const server = await serve(`export default {
      data(conn, chunk) {
        const same = Object.getPrototypeOf(chunk) === Object.getPrototypeOf(Buffer.alloc(1).subarray());
        conn.end([Buffer.isBuffer(chunk), same, chunk.subarray(1, 3), chunk.buffer.slice(0).byteLength > 5].join(' '));
      },
    };`);
    expect(await ask(server.port, 'chunk')).toBe('true true hu true');
    await server.stop();
  });

  test('runs beforeServe once, afterFork in each child, both awaited', async () => {
    const server = await serve(`
      import { setTimeout as sleep } from 'node:timers/promises';
      const log = [];
      export async function beforeServe() { await sleep(20); log.push('beforeServe ' + process.pid); }
      export async function afterFork() { await sleep(20); log.push('afterFork ' + process.pid); }
      export default socket => { socket.end(log.join(', ')); };
    `);
    const zygote = server.zygotePid;
    for (const id of [1, 2]) {
      const said = await ask(server.port);
      expect(said).toBe(`beforeServe ${zygote}, afterFork ${(await server.connectionOf(id)).pid}`);
    }
    await server.stop();
  });

  test('in CommonJS may hang its hooks on the handler', async () => {
    const server = await serve(
      script(
        `let ready = false;
         module.exports = { open(conn) { conn.end(String(ready)); } };
         module.exports.beforeServe = () => { ready = true; };`,
        '.cjs',
      ),
    );
    expect(await ask(server.port)).toBe('true');
    await server.stop();
  });
});

describe('a callbacks handler', () => {
  test('sees open, data and close, and may still write in close', async () => {
    const server = await serve(`
      let total = 0;
      export default {
        open(conn) { conn.write('welcome ' + conn.remoteAddress + ':' + conn.remotePort + ' '); },
        data(conn, chunk) { total += chunk.length; },
        close(conn) { conn.write('you sent ' + total); },
      };
    `);
    expect(await ask(server.port, '12345')).toMatch(/^welcome 127\.0\.0\.1:\d+ you sent 5$/);
    await server.stop();
  });

  test('ends the connection with end(), and loses none of it to what the client still sends', async () => {
    const server = await serve(`
      export default { data(conn) { conn.end('x'.repeat(100_000)); } };
    `);
    const client = await server.connect();
    client.send('question');
    client.send(Buffer.alloc(1024 * 1024));
    expect((await client.receive(100_000)).length).toBe(100_000);
    expect(await client.end()).toBe('');
    expect(await server.exitOf(1)).toMatchObject({ code: 0 });
    await server.stop();
  });

  const later = {
    'a timer': "data(conn, chunk) { setTimeout(() => conn.write('later ' + chunk), 30); }",
    'a file read': `data(conn, chunk) {
      fs.readFile('/proc/self/comm', () => conn.write('later ' + chunk));
    }`,
    'a promise': `async data(conn, chunk) {
      await new Promise(resolve => setTimeout(resolve, 30));
      conn.write('later ' + chunk);
    }`,
    'a promise that is kept at once': "async data(conn, chunk) { await null; conn.write('later ' + chunk); }",
    setImmediate: "data(conn, chunk) { setImmediate(() => conn.write('later ' + chunk)); }",
    'the next tick': "data(conn, chunk) { process.nextTick(() => conn.write('later ' + chunk)); }",
    'a promise in open': `async open(conn) {
      await new Promise(resolve => setTimeout(resolve, 30));
      conn.write('later ');
    },
    data(conn, chunk) { conn.write(chunk); }`,
  };
  test.each(Object.entries(later))(
    'may leave work to %s, and none is left undone',
    async (_what, callbacks) => {
      const server = await serve(`import fs from 'node:fs'; export default { ${callbacks} };`);
      expect(await ask(server.port, 'now')).toBe('later now');
      const client = await server.connect();
      client.send('again');
      expect(String(await client.receive(11))).toBe('later again');
      expect(await client.end()).toBe('');
      expect(await server.exitOf(2)).toMatchObject({ code: 0, signal: null });
      await server.stop();
    },
  );

  test('is told of the next chunk only when its promise has settled', async () => {
    const server = await serve(`
      let busy = false;
      export default {
        async data(conn, chunk) {
          if (busy) conn.write('OVERLAP');
          busy = true;
          await new Promise(resolve => setTimeout(resolve, 20));
          conn.write(chunk);
          busy = false;
        },
        async close(conn) { conn.write(busy ? 'OVERLAP' : '.'); },
      };
    `);
    const client = await server.connect();
    client.socket.setNoDelay(true);
    for (const letter of 'abc') client.send(letter);
    await client.receive(1);
    client.send('def');
    expect(await client.end()).toBe('');
    expect(client.received).toBe('bcdef.');
    await server.stop();
  });

  test('hears of a reset as an error, and then close', async () => {
    const log = script('', '.log');
    const server = await serve(`
      import fs from 'node:fs';
      const say = text => fs.appendFileSync(${JSON.stringify(log)}, text + '\\n');
      export default {
        data(conn) { conn.write('got'); },
        error(conn, error) { say(error.code + ' ' + error.syscall); },
        close() { say('close'); },
      };
    `);
    const client = await server.connect();
    client.send('x');
    await client.receive(3);
    client.reset();
    expect(await server.exitOf(1)).toMatchObject({ code: 0 });
    expect(fs.readFileSync(log, 'utf8')).toBe('ECONNRESET read\nclose\n');
    await server.stop();
  });

  test('that throws ends its child with 1 and its message, and no other', async () => {
    const server = await serve(`
      export default { data(conn, chunk) { if (String(chunk) === 'bad') throw new Error('my mistake'); conn.write(chunk); } };
    `);
    const good = await server.connect();
    await good.exchange('fine');
    expect(await ask(server.port, 'bad')).toBe('');
    expect(await server.exitOf(2)).toMatchObject({ code: 1, signal: null });
    expect(server.stderr).toMatch(/Error: my mistake\n\s+at /);
    expect(await good.exchange('fine')).toBe('fine');
    await good.end();
    await server.stop();
  });
});

describe('a stream handler', () => {
  test('ends with its connection, and closes half-open ones as net.createServer does', async () => {
    const server = await serve(
      "export default socket => { socket.on('data', data => socket.write(data)); };",
    );
    const client = await server.connect();
    expect(await client.exchange('hello')).toBe('hello');
    expect(await client.end()).toBe('');
    expect(await server.exitOf(1)).toMatchObject({ code: 0 });
    await server.stop();
  });

  test('may be async; its rejection ends the child with 1', async () => {
    const server = await serve(`
      export default async socket => {
        for await (const chunk of socket) if (String(chunk) === 'bad') throw new Error('rejected'); else socket.write(chunk);
      };
    `);
    const client = await server.connect();
    expect(await client.exchange('good')).toBe('good');
    client.send('bad');
    await client.closed;
    expect(await server.exitOf(1)).toMatchObject({ code: 1 });
    expect(server.stderr).toContain('Error: rejected');
    await server.stop();
  });
});

describe('a handler script is refused, with its reason,', () => {
  const refused: [what: string, source: string, reason: RegExp][] = [
    ['when it has no default export', 'export const a = 1;', /has no default export/],
    ['when it exports a number', 'export default 42;', /an object needs one of the functions open, data/],
    [
      'when it exports an express app',
      "import express from 'express'; export default express();",
      /export http.createServer\(app\)/,
    ],
    [
      'when it exports a request listener',
      'export default (req, res) => {};',
      /export http.createServer\(app\)/,
    ],
    [
      'when its server listens by itself',
      "import net from 'node:net'; export default net.createServer().listen(0);",
      /export it without calling listen\(\)/,
    ],
    ['when it throws', "throw new Error('no luck');", /Error: no luck\n\s+at .*script-/],
    ['when it has a syntax error', 'export default {;', /SyntaxError/],
    [
      'when beforeServe rejects',
      "export default {data(){}}; export async function beforeServe() { throw new Error('no database'); }",
      /Error: no database/,
    ],
    ['when it exits', 'process.exit(5);', /exited with code 5 while it was being loaded/],
    [
      'when it leaves a timer',
      'setInterval(() => {}, 1000); export default {data(){}};',
      /a timer \(setTimeout, setInterval\)/,
    ],
    [
      'when it leaves a socket',
      `import net from 'node:net';
       export default { data() {} };
       export function beforeServe() { net.createServer().listen(0); }`,
      /a listening TCP server \(TCPServerWrap\).*open it in afterFork/,
    ],
    [
      'when it leaves a watcher',
      "import fs from 'node:fs'; fs.watch('/tmp'); export default {data(){}};",
      /a file watcher/,
    ],
    [
      'when it leaves a child process',
      "import { spawn } from 'node:child_process'; spawn('sleep', ['30']); export default {data(){}};",
      /a child process/,
    ],
    [
      'when it leaves a Worker',
      "import { Worker } from 'node:worker_threads'; new Worker('setInterval(() => {}, 1000)', { eval: true }); export default {data(){}};",
      /Worker/,
    ],
    [
      'when an unseen Worker thread runs',
      "import { Worker } from 'node:worker_threads'; new Worker('setInterval(() => {}, 1000)', { eval: true }).unref(); export default {data(){}};",
      /cannot be forked: it has a thread that is at work or not Node's own/,
    ],
    [
      'when it opens an inspector',
      "import inspector from 'node:inspector'; inspector.open(0); export default {data(){}};",
      /cannot be forked/,
    ],
    [
      'when it registers what cannot be run',
      "import { registerAtFork } from 'truefork'; registerAtFork({ before() {} }); export default {data(){}};",
      /use afterInChild alone/,
    ],
  ];
  test.each(refused)('%s', async (_what, source, reason) => {
    const result = await run(node, [cli, 'serve', script(source), '--port', '0']);
    expect(result.stderr).toMatch(reason);
    expect(result).toMatchObject({ code: 1, signal: null, stdout: '' });
    // Our own words are one line; a script's own error comes with its own stack.
    if (result.stderr.startsWith('truefork: script-'))
      expect(result.stderr.trim().split('\n').length).toBe(1);
  });

  test('when the process would be debugged', async () => {
    const result = await run(node, [cli, 'serve', script('export default {data(){}};'), '--port', '0'], {
      env: { NODE_OPTIONS: '--inspect=0' },
    });
    expect(result.stderr).toMatch(/cannot be forked: it is being debugged \(--inspect=0\)/);
    expect(result.code).toBe(1);
  });
});

test('a handler that fails to load leaves no listener behind', async () => {
  const name = `@truefork-failing-${process.pid}`;
  const boundNames = () => fs.readFileSync('/proc/net/unix', 'utf8');
  const slow = script('await new Promise(resolve => setTimeout(resolve, 100_000));');
  const loading = new Subject(node, [cli, 'serve', slow, '--listen', name]);
  await eventually('the listener to be bound', () => boundNames().includes(name));
  await loading.end();
  const result = await run(node, [cli, 'serve', script('throw 1'), '--listen', name]);
  expect(result).toMatchObject({ code: 1, signal: null });
  expect(boundNames()).not.toContain(name);
});
