/** What is told of a connection: who, how it ended, what it moved and used. */
import { describe, expect, test } from 'vitest';
import { ask, Client } from './harness/client.ts';
import { listeningPort, stat } from './harness/proc.ts';
import { script } from './harness/scripts.ts';
import { serve } from './harness/served.ts';
import { cli, expectPass, node, Subject } from './harness/subject.ts';
import { eventually } from './harness/wait.ts';

describe('bytes both ways', () => {
  const echoes: [form: string, source: string][] = [
    ['callbacks', 'export default { data(conn, chunk) { conn.write(chunk); } };'],
    [
      'callbacks that go on by events',
      `import fs from 'node:fs/promises';
       let first = true;
       export default { async data(conn, chunk) {
         if (first) await fs.readFile('/etc/passwd');
         first = false;
         conn.write(chunk);
       } };`,
    ],
    ['stream', 'export default socket => void socket.pipe(socket);'],
  ];
  test.each(echoes)('%s', async (_, source) => {
    const server = await serve(source);
    const client = await server.connect();
    const big = Buffer.alloc(3_000_000, 'x');
    expect(await client.exchange('hello')).toBe('hello');
    client.send(big);
    expect((await client.receive(big.length)).equals(big)).toBe(true);
    await client.end();
    expect(await server.exitOf(1)).toMatchObject({ bytesRead: 3_000_005, bytesWritten: 3_000_005, code: 0 });
    await server.stop();
  });

  test('what the handler prints is not the connection’s', async () => {
    const server = await serve(
      'export default { data(conn) { console.log("x".repeat(1000)); conn.end("bye"); } };',
    );
    expect(await ask(server.port, 'hello')).toBe('bye');
    expect(await server.exitOf(1)).toMatchObject({ bytesRead: 5, bytesWritten: 3 });
    await server.stop();
  });

  const ends: [how: string, source: string, ending: object][] = [
    ['throws', 'throw new Error("on purpose")', { code: 1, signal: null }],
    ['exits', 'process.exit(3)', { code: 3, signal: null }],
  ];
  const forms = {
    callbacks: (source: string) => `export default { data(conn) { conn.write('bye'); ${source}; } };`,
    stream: (source: string) => `export default socket => socket.on('data', () => {
      socket.write('bye');
      ${source};
    });`,
  };
  for (const [form, handler] of Object.entries(forms)) {
    test.each(ends)(`of a child that %s in its first callback: ${form}`, async (_, source, ending) => {
      const server = await serve(handler(source));
      const client = await server.connect();
      client.send('hello');
      await client.closed;
      expect(await server.exitOf(1)).toMatchObject({ ...ending, limit: null, bytesRead: 5, bytesWritten: 3 });
      await server.stop();
    });

    test(`of a child that was killed from outside: ${form}`, async () => {
      const server = await serve(handler(''));
      const { client, info } = await server.connectAndFind();
      client.send('hello');
      await client.receive(3);
      // The child may still be about to write down what it has sent.
      await eventually('the child to wait for more', () => stat(info.pid)?.state === 'S');
      process.kill(info.pid, 'SIGKILL');
      await client.closed;
      expect(await server.exitOf(1)).toMatchObject({ signal: 'SIGKILL', bytesRead: 5, bytesWritten: 3 });
      await server.stop();
    });
  }
});

test('server.stats() adds up what the records say', async () => {
  const handler = script(`export default { data(conn, chunk) {
    if (String(chunk) === 'exit') process.exit(9);
    if (String(chunk) === 'die') process.kill(process.pid, 'SIGKILL');
    conn.write(chunk);
  } };`);
  await expectPass(
    script(`
      import assert from 'node:assert/strict';
      import net from 'node:net';
      import { once } from 'node:events';
      import { ForkingServer } from 'truefork';
      const server = new ForkingServer({ handler: ${JSON.stringify(handler)}, stdout: 'stderr', connectionTimeout: 0 });
      await server.listen(0, '127.0.0.1');
      const exits = [];
      server.on('exit', exit => exits.push(exit));
      for (const text of ['hello', 'hello', 'exit', 'die']) {
        const socket = net.connect(server.address().port, '127.0.0.1').on('error', () => {});
        socket.end(text);
        socket.resume();
        const [exit] = await once(server, 'exit');
      }
      server.setLimits({ deny: ['127.0.0.1'] });
      const refused = net.connect(server.address().port, '127.0.0.1').on('error', () => {}).resume();
      const [told] = await once(server, 'refused');
      assert.deepEqual({ ...told, remotePort: 0 },
        { reason: 'address', count: 1, total: 1, remoteAddress: '127.0.0.1', remotePort: 0 });
      server.setLimits({ deny: null, idleTimeout: 50 });
      net.connect(server.address().port, '127.0.0.1').on('error', () => {}).resume();
      await once(server, 'exit');
      const stats = server.stats();
      assert.equal(stats.live, 0);
      assert.equal(stats.connections, 5);
      assert.deepEqual(stats.exits, { ok: 2, failed: 1, signalled: 2 });
      assert.equal(stats.limited.idleTimeout, 1);
      assert.equal(stats.refused.address, 1);
      assert.equal(stats.bytesRead, 17);
      assert.equal(stats.bytesWritten, 10);
      assert.equal(stats.maxRSS, Math.max(...exits.map(exit => exit.rusage.maxRSS)));
      assert.equal(stats.userCPUTime, exits.reduce((sum, exit) => sum + exit.rusage.userCPUTime, 0));
      assert(stats.uptimeMs > 0);
      stats.exits.ok = 99;
      assert.equal(server.stats().exits.ok, 2);
      await server.close();
      console.log('pass');
    `),
    { env: { NODE_OPTIONS: '' } },
  );
});

describe('levels', () => {
  const handler = script(`export default { data(conn, chunk) {
    if (String(chunk) === 'exit') process.exit(9);
    conn.write(chunk);
  } };`);
  async function linesAt(level: string): Promise<string[]> {
    const args = ['--log-level', level, '--deny', '127.0.0.2', '--port', '0', '--json'];
    // Its port is found by asking the kernel, for at some levels it is not told.
    const server = new Subject(node, [cli, 'serve', handler, ...args]);
    const port = await listeningPort(server.pid);
    expect(await ask(port, 'hello')).toBe('hello');
    await ask(port, 'exit');
    await (await Client.connect(port, '127.0.0.1', '127.0.0.2')).closed;
    server.signal('SIGTERM');
    expect(await server.ended).toEqual({ code: 0, signal: null });
    return server.stdout
      .split('\n')
      .filter(Boolean)
      .map(line => JSON.parse(line))
      .map(({ event, level }) => `${event} ${level}`);
  }

  test('info has everything, warn what went wrong or was refused, error neither', async () => {
    expect((await linesAt('info')).sort()).toEqual(
      [
        'listening info',
        'connection info',
        'connection info',
        'exit info',
        'exit warn',
        'refused warn',
      ].sort(),
    );
    expect((await linesAt('warn')).sort()).toEqual(['exit warn', 'refused warn']);
    expect(await linesAt('error')).toEqual([]);
  });

  test('as text', async () => {
    const args = ['--log-level', 'debug', '--idle-timeout', '1500ms', '--deny', '127.0.0.2', '--port', '0'];
    const server = new Subject(node, [cli, 'serve', handler, ...args]);
    const [, port] = await server.says(/^listening on 127\.0\.0\.1:(\d+)\n/);
    const client = await Client.connect(Number(port));
    await client.exchange('hello');
    await client.closed;
    await server.says(
      /#1 127\.0\.0\.1:\d+ process \d+ was ended by SIGTERM \(idleTimeout\) after \d+ ms, 5 B in, 5 B out, [\d.]+ ms of CPU, [\d.]+ MiB of memory, \d+ page faults, \d+ of them major, \d+ waits, \d+ preemptions\n/,
    );
    await (await Client.connect(Number(port), '127.0.0.1', '127.0.0.2')).closed;
    await server.says(/\n127\.0\.0\.2:\d+ refused: address\n/);
    server.signal('SIGINT');
    expect(await server.ended).toEqual({ code: 130, signal: null });
  });
});
