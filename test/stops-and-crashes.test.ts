import net from 'node:net';
import { describe, expect, test } from 'vitest';
import { ask, Client, hasIPv6, refusesConnections } from './harness/client.ts';
import { children, descendants, isAlive, signalIfThere, sleepsThrough } from './harness/proc.ts';
import { script } from './harness/scripts.ts';
import { serve } from './harness/served.ts';
import { cli, expectPass, node, run, runScript, Subject } from './harness/subject.ts';
import { eventually } from './harness/wait.ts';

const echo = 'export default { data(conn, chunk) { conn.write(chunk); } };';
const stubborn = `process.on('SIGTERM', () => {}); export default { data(conn, chunk) { conn.write(chunk); } };`;

describe('a stop', () => {
  test('lets those being served finish, and takes no new client', async () => {
    const server = await serve(echo);
    const client = await server.connect();
    await client.exchange('before');
    server.signal('SIGTERM');
    await refusesConnections(server.port);
    expect(await client.exchange('after')).toBe('after');
    expect(await client.end()).toBe('');
    expect(await server.ended).toEqual({ code: 0, signal: null });
    expect(await server.exitOf(1)).toMatchObject({ code: 0 });
  });

  test('serves those who queue already', async () => {
    const server = await serve(echo, ['--max-children', '1']);
    const first = await server.connect();
    await first.exchange('first');
    const queued = await server.connect();
    queued.send('queued');
    server.signal('SIGTERM');
    await first.end();
    expect(String(await queued.receive(6))).toBe('queued');
    await queued.end();
    expect((await server.ended).code).toBe(0);
    expect(server.exits.length).toBe(2);
  });

  test('sends SIGTERM when the grace is over', async () => {
    const server = await serve(echo, ['--grace-period', '1s']);
    const client = await server.connect();
    await client.exchange('hello');
    const began = Date.now();
    server.signal('SIGTERM');
    expect((await server.ended).code).toBe(0);
    expect(Date.now() - began).toBeGreaterThan(950);
    expect(server.exits[0]).toMatchObject({ code: null, signal: 'SIGTERM' });
  });

  test('sends SIGKILL to a child that will not hear', async () => {
    const server = await serve(stubborn, ['--grace-period', '0s']);
    const client = await server.connect();
    await client.exchange('hello');
    server.signal('SIGTERM');
    expect((await server.ended).code).toBe(0);
    expect(server.exits[0]).toMatchObject({ code: null, signal: 'SIGKILL' });
  });

  test('asked for twice, is done at once', async () => {
    const server = await serve(stubborn, ['--grace-period', '60s']);
    const client = await server.connect();
    await client.exchange('hello');
    server.signal('SIGINT');
    await refusesConnections(server.port);
    server.signal('SIGINT');
    expect(await server.ended).toEqual({ code: 130, signal: null });
    expect(await server.exitOf(1)).toMatchObject({ signal: 'SIGKILL' });
  });

  test('that is ordered ends with 0; a second SIGTERM ends all at once, with 143', async () => {
    const server = await serve(stubborn, ['--grace-period', '1000s']);
    const client = await server.connect();
    await client.exchange('hello');
    server.signal('SIGTERM');
    await refusesConnections(server.port);
    server.signal('SIGTERM');
    expect(await server.ended).toEqual({ code: 143, signal: null });
    expect(await server.exitOf(1)).toMatchObject({ signal: 'SIGKILL' });
  });

  test('comes through while the handler is still being loaded', async () => {
    const server = new Subject(node, [cli, 'serve', script('console.error("loading"); for (;;);')]);
    await server.says(/loading/, 'stderr');
    server.signal('SIGTERM');
    expect(await server.ended).toEqual({ code: 0, signal: null });
  });

  test('takes along what children have started', async () => {
    const server = await serve(
      `
      import { spawn } from 'node:child_process';
      export default socket => { const { pid } = spawn('sleep', ['60'], { stdio: 'ignore' }); socket.end(String(pid)); };
    `,
      ['--grace-period', '0s'],
    );
    const pid = Number(await ask(server.port));
    expect(isAlive(pid)).toBe(true);
    await server.stop();
    await eventually('the grandchild to be gone', () => !isAlive(pid));
  });
});

test('Ctrl-C in a terminal ends no child before its grace', async () => {
  // script(1) runs it on a pseudo-terminal, whose driver turns the byte 3 into SIGINT for the foreground group.
  const command = `exec ${node} ${cli} serve ${script(echo)} --port 0`;
  const terminal = new Subject('script', ['-qefc', command, '/dev/null'], { env: { NO_COLOR: '1' } });
  const port = Number((await terminal.says(/listening on 127\.0\.0\.1:(\d+)/))[1]);
  const client = await Client.connect(port);
  await client.exchange('before');
  terminal.process.stdin!.write('\x03');
  await refusesConnections(port);
  expect(await client.exchange('after')).toBe('after');
  await client.end();
  expect((await terminal.ended).code).toBe(130);
  expect(terminal.stdout).toMatch(/process \d+ exited with 0/);
});

describe('when the zygote is killed', () => {
  test('another takes its place; the clients being served are told of, the queued ones are served', async () => {
    const server = await serve(echo, ['--max-children', '2']);
    const served = [await server.connectAndFind(), await server.connectAndFind()];
    const queued = await server.connect();
    queued.send('queued');
    const zygote = server.zygotePid;
    process.kill(zygote, 'SIGKILL');
    expect(String(await queued.receive(6))).toBe('queued');
    expect(server.zygotePid).not.toBe(zygote);
    for (const { client, info } of served) {
      expect(await client.closed).toMatch(/^(ECONNRESET)?$/);
      expect(await server.exitOf(info.id)).toMatchObject({
        pid: info.pid,
        code: null,
        signal: 'SIGKILL',
        rusage: null,
      });
      await eventually('its child to be gone', () => !isAlive(info.pid));
    }
    await eventually('the third to be told of', () => server.connections.length === 3);
    expect(server.connections.map(({ id }) => id)).toEqual([1, 2, 3]);
    expect(server.stderr).toMatch(/the serving process was ended by SIGKILL; a new one takes its place/);
    await queued.end();
    await server.stop();
  });

  test('again and again, the server gives up with an error', async () => {
    const server = await serve(echo);
    const killer = setInterval(() => {
      for (const { pid } of children(server.pid)) signalIfThere(pid, 'SIGKILL');
    }, 20);
    try {
      expect(await server.ended).toEqual({ code: 1, signal: null });
    } finally {
      clearInterval(killer);
    }
    expect(server.stderr).toMatch(/ended by SIGKILL.*(in a row|while it was being loaded)/);
  });
});

function canListen(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const probe = net.createServer().listen(port, '127.0.0.1');
    probe.once('error', () => resolve(false));
    probe.once('listening', () => probe.close(() => resolve(true)));
  });
}

describe('when the owner is killed', () => {
  test.each(['serving', 'stubborn', 'busy'])('with %s children, all go and the port is free', async kind => {
    const handler = { serving: echo, stubborn, busy: 'export default { data() { for (;;); } };' }[kind]!;
    const server = await serve(handler, ['--grace-period', '60s', '--kill-delay', '60s']);
    const clients = [await server.connectAndFind(), await server.connectAndFind()];
    for (const { client } of clients) client.send('x');
    const family = [server.pid, ...descendants(server.pid)];
    expect(family.length).toBeGreaterThanOrEqual(4);
    process.kill(server.pid, 'SIGKILL');
    await eventually('all to be gone', () => !family.some(isAlive));
    // A process that shows as ended may have threads that still hold its files, for a moment.
    await eventually('the port to be free', () => canListen(server.port));
  });

  test('while the handler is still being loaded, the zygote goes too', async () => {
    const server = new Subject(node, [cli, 'serve', script('console.error("loading"); for (;;);')]);
    await server.says(/loading/, 'stderr');
    const family = descendants(server.pid);
    expect(family.length).toBe(1);
    process.kill(server.pid, 'SIGKILL');
    await eventually('the zygote to be gone', () => !family.some(isAlive));
  });
});

describe('in a program of one’s own', () => {
  test('ForkingServer is used as net.Server is, beside threads and other children', async () => {
    const program = script(`
      import assert from 'node:assert/strict';
      import { spawnSync, spawn } from 'node:child_process';
      import net from 'node:net';
      import { Worker } from 'node:worker_threads';
      import { ForkingServer } from 'truefork';
      const worker = new Worker('setInterval(() => {}, 10)', { eval: true });
      const sleeper = spawn('sleep', ['60']);
      const events = [];
      const server = new ForkingServer({ handler: ${JSON.stringify(script(echo))} });
      for (const name of ['listening', 'connection', 'exit', 'close']) server.on(name, () => events.push(name));
      assert.equal(server.address(), null);
      await server.listen({ port: 0, host: '127.0.0.1' }, () => events.push('callback'));
      const { port, address, family } = server.address();
      assert.deepEqual([address, family, server.listening], ['127.0.0.1', 'IPv4', true]);
      await assert.rejects(server.listen(0), { code: 'ERR_TRUEFORK_LISTENING' });
      const taken = new ForkingServer({ handler: ${JSON.stringify(script(echo))} });
      await assert.rejects(taken.listen(port, '127.0.0.1'), {
        code: 'EADDRINUSE', syscall: 'bind', address: '127.0.0.1', port,
        message: 'bind EADDRINUSE: address already in use 127.0.0.1:' + port,
      });
      await new Promise(resolve => {
        const socket = net.connect(port, '127.0.0.1', () => socket.end('hello'));
        socket.on('data', data => assert.equal(String(data), 'hello')).on('close', resolve);
      });
      assert.equal(spawnSync('true').status, 0);
      await Promise.all([server.close(), server.close()]);
      assert.deepEqual(events, ['listening', 'callback', 'connection', 'exit', 'close']);
      assert.equal(server.listening, false);
      sleeper.kill();
      await worker.terminate();
      console.log('pass');
    `);
    const result = await runScript(program);
    expect(result).toEqual({ code: 0, signal: null, stdout: 'pass\n', stderr: '' });
  });

  test('children of its own, and of its handler, are waited for by who started them', async () => {
    const handler = script(`
      import { execFile } from 'node:child_process';
      export default socket => execFile('sh', ['-c', 'exit 9'], error => socket.end(String(error.code)));
    `);
    const program = script(`
      import assert from 'node:assert/strict';
      import { spawn } from 'node:child_process';
      import { once } from 'node:events';
      import net from 'node:net';
      import { ForkingServer } from 'truefork';
      const server = new ForkingServer({ handler: ${JSON.stringify(handler)} });
      const exits = [];
      server.on('exit', ({ code }) => exits.push(code));
      await server.listen(0, '127.0.0.1');
      const others = Array.from({ length: 10 }, (_, n) => spawn('sh', ['-c', 'read line; exit ' + n]));
      const ends = Promise.all(others.map(other => once(other, 'exit')));
      for (const other of others) {
        const socket = net.connect(server.address().port, '127.0.0.1');
        assert.equal((await socket.setEncoding('utf8').toArray()).join(''), '9');
        other.stdin.end();
      }
      assert.deepEqual((await ends).map(([code]) => code), others.map((_, n) => n));
      await server.close();
      assert.deepEqual(exits, others.map(() => 0));
      console.log('pass');
    `);
    await expectPass(program);
  });

  const hosts = ['127.0.0.1', 'localhost', ...(hasIPv6 ? ['::1', '::'] : [])];
  test.each(hosts)('it listens on %s', async host => {
    const server = await serve(echo, ['--host', host]);
    const address = host === 'localhost' ? undefined : host === '::' ? '127.0.0.1' : host;
    expect(await ask(server.port, 'hi', address)).toBe('hi');
    if (host === '::') expect(await ask(server.port, 'hi', '::1')).toBe('hi');
    if (host === '::1') expect((await server.connectionOf(1)).remoteAddress).toBe('::1');
    await server.stop();
  });

  test('an unref’d server holds nothing open, and ends with the program', async () => {
    const program = script(`
      import { ForkingServer } from 'truefork';
      const server = new ForkingServer({ handler: ${JSON.stringify(script(echo))} }).unref();
      const alive = setTimeout(() => {}, 10_000);
      await server.listen(0, '127.0.0.1');
      console.log(server.zygotePid);
      clearTimeout(alive);
    `);
    const result = await runScript(program);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    await eventually('the zygote to be gone', () => !isAlive(Number(result.stdout)));
  });

  test('a server that finds no descriptors for its zygote says so, and can be tried again', async () => {
    const program = script(`
      import assert from 'node:assert/strict';
      import fs from 'node:fs';
      import { ForkingServer } from 'truefork';
      const server = new ForkingServer({ handler: ${JSON.stringify(script(echo))} });
      const taken = [];
      for (;;) try { taken.push(fs.openSync('/dev/null')); } catch { break; }
      fs.closeSync(taken.pop()); // for the listener
      await assert.rejects(server.listen(0, '127.0.0.1'), { code: 'EMFILE', syscall: /^spawn / });
      for (const fd of taken) fs.closeSync(fd);
      await server.listen(0, '127.0.0.1');
      await server.close();
      console.log('pass');
    `);
    expect(await run('/bin/sh', ['-c', 'ulimit -n 64; exec "$0" "$1"', node, program])).toEqual({
      code: 0,
      signal: null,
      stdout: 'pass\n',
      stderr: '',
    });
  });

  test('a zygote that cannot be given the listener is ended, and the one before serves on', async () => {
    const program = script(`
      import assert from 'node:assert/strict';
      import fs from 'node:fs';
      import net from 'node:net';
      import { ForkingServer } from 'truefork';
      const server = new ForkingServer({ handler: ${JSON.stringify(script(echo))} });
      const lower = Array.from({ length: 20 }, () => fs.openSync('/dev/null')); // so that its number stays free
      await server.listen(0, '127.0.0.1');
      for (const fd of lower) fs.closeSync(fd);
      const { getsockopt, SOL_SOCKET, SO_ACCEPTCONN } = await import('truefork/posix');
      const isListener = fd => { try { return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN) === 1; } catch { return false; } };
      const listener = fs.readdirSync('/proc/self/fd').map(Number).find(isListener);
      fs.closeSync(listener);
      await assert.rejects(server.reload(), { code: 'EBADF', syscall: 'sendmsg' });
      const socket = net.connect(server.address().port, '127.0.0.1');
      socket.end('served');
      assert.equal((await socket.setEncoding('utf8').toArray()).join(''), 'served');
      const started = fs.readFileSync('/proc/self/task/' + process.pid + '/children', 'utf8').trim();
      assert.equal(started, String(server.zygotePid));
      console.log('pass');
      process.exit();
    `);
    await expectPass(program);
  });

  test('a server in a Worker serves, and outlives no Worker', async () => {
    const program = script(`
      import { Worker, isMainThread, parentPort } from 'node:worker_threads';
      import { fileURLToPath } from 'node:url';
      import { ForkingServer } from 'truefork';
      if (isMainThread) {
        const worker = new Worker(fileURLToPath(import.meta.url));
        worker.once('message', async pid => { await worker.terminate(); console.log(pid); });
      } else {
        const server = new ForkingServer({ handler: ${JSON.stringify(script(echo))} });
        await server.listen(0, '127.0.0.1');
        parentPort.postMessage(server.zygotePid);
      }
    `);
    const result = await runScript(program);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    await eventually('the zygote to be gone', () => !isAlive(Number(result.stdout)));
  });
});

test('an idle server sleeps: no wake-up in a second, with connections or without', async () => {
  const server = await serve(echo);
  const { client, info } = await server.connectAndFind();
  await client.exchange('hello');
  await sleepsThrough(server.zygotePid, info.pid);
  await client.end();
  await server.stop();
});
