/**
 * How long a connection lasts: the zygote ends what is silent or lasts too long, whatever the child is doing. Times are
 * lower bounds alone, and a client that talks pauses for a small part of the time that it may be silent.
 */
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { serve } from './harness/served.ts';
import { eventually } from './harness/wait.ts';

const forms = {
  callbacks: 'export default { data(conn, chunk) { conn.write(chunk); } };',
  'callbacks by events': `
    import { setTimeout as sleep } from 'node:timers/promises';
    export default { async data(conn, chunk) { await sleep(1); conn.write(chunk); } };`,
  stream: 'export default socket => void socket.pipe(socket);',
  server: `
    import net from 'node:net';
    export default net.createServer(socket => socket.pipe(socket));`,
};

describe.each(Object.entries(forms))('%s', (_, handler) => {
  test('a client that says nothing is ended by firstByteTimeout, one that does is not', async () => {
    const server = await serve(handler, ['--first-byte-timeout', '1500ms']);
    const silent = await server.connect();
    const talks = await server.connect();
    expect(await talks.exchange('hello')).toBe('hello');
    expect(await silent.closed).toBe('');
    const exit = await eventually('an exit', () => server.exits[0]);
    expect(exit).toMatchObject({ limit: 'firstByteTimeout', signal: 'SIGTERM', bytesRead: 0 });
    expect(exit.durationMs).toBeGreaterThanOrEqual(1500);
    expect(await talks.exchange('still here')).toBe('still here');
    await talks.end();
    expect(await server.exitOf(2)).toMatchObject({ limit: null, code: 0, bytesRead: 15, bytesWritten: 15 });
    await server.stop();
  });

  test('idleTimeout counts from the last byte', async () => {
    const server = await serve(handler, ['--idle-timeout', '1500ms']);
    const client = await server.connect();
    const began = performance.now();
    let last = began;
    while (performance.now() - began < 1800) {
      await client.exchange('x');
      last = performance.now();
      await new Promise(resolve => setTimeout(resolve, 20));
    }
    expect(await client.closed).toBe('');
    expect(performance.now() - last).toBeGreaterThanOrEqual(1400);
    expect(await server.exitOf(1)).toMatchObject({ limit: 'idleTimeout' });
    await server.stop();
  });
});

test('http: a keep-alive connection is ended when it is idle, not while it is used', async () => {
  const server = await serve(
    `import http from 'node:http';
     export default http.createServer((req, res) => res.end('hello'));`,
    ['--idle-timeout', '1500ms'],
  );
  const client = await server.connect();
  for (let i = 0; i < 12; i++) {
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await eventually('an answer', () => client.received.endsWith('hello'));
    await client.receive(client.received.length);
    await new Promise(resolve => setTimeout(resolve, 150));
  }
  expect(await client.closed).toBe('');
  const exit = await server.exitOf(1);
  expect(exit).toMatchObject({ limit: 'idleTimeout', bytesRead: 12 * 27 });
  expect(exit.bytesWritten).toBeGreaterThan(12 * 100);
  await server.stop();
});

test('a client that reads slowly is not idle, though the child has said all long ago', async () => {
  const server = await serve(`export default socket => { socket.write(Buffer.alloc(8 << 20)); };`, [
    '--idle-timeout',
    '1500ms',
  ]);
  const client = await server.connect();
  client.socket.removeAllListeners('data');
  let received = 0;
  const began = performance.now();
  while (received < 8 << 20) {
    client.socket.resume();
    received += (await once(client.socket, 'data'))[0].length; // 64 KiB at most
    client.socket.pause();
    await new Promise(resolve => setTimeout(resolve, 30));
  }
  client.socket.resume();
  expect(performance.now() - began).toBeGreaterThan(2000);
  expect(await server.exitOf(1)).toMatchObject({ limit: 'idleTimeout' });
  await server.stop();
});

describe('an endless loop', () => {
  test('in the very first callback is ended, and is not called the fault of the client', async () => {
    const server = await serve('export default { data() { for (;;); } };', [
      ...['--first-byte-timeout', '1500ms'],
      ...['--connection-timeout', '2s'],
    ]);
    const client = await server.connect();
    client.send('hello');
    await client.closed;
    const exit = await server.exitOf(1);
    expect(exit).toMatchObject({ limit: 'connectionTimeout', signal: 'SIGTERM', bytesRead: 5 });
    expect(exit.durationMs).toBeGreaterThanOrEqual(2000);
    await server.stop();
  });

  test('that ignores SIGTERM is killed', async () => {
    const server = await serve(
      `process.on('SIGTERM', () => {});
       export default socket => socket.on('data', () => { for (;;); });`,
      ['--idle-timeout', '1500ms', '--kill-delay', '200ms'],
    );
    const client = await server.connect();
    client.send('hello');
    await client.closed;
    const exit = await server.exitOf(1);
    expect(exit).toMatchObject({ limit: 'idleTimeout', signal: 'SIGKILL', bytesRead: 5 });
    expect(exit.durationMs).toBeGreaterThanOrEqual(1700);
    await server.stop();
  });

  test('is nobody else’s: another connection goes on', async () => {
    const server = await serve(
      `export default { data(conn, chunk) { if (String(chunk) === 'hang') for (;;); conn.write(chunk); } };`,
      ['--idle-timeout', '1500ms'],
    );
    const [hangs, other] = [await server.connect(), await server.connect()];
    hangs.send('hang');
    while (server.exits.length === 0) expect(await other.exchange('here')).toBe('here');
    expect(await server.exitOf(1)).toMatchObject({ limit: 'idleTimeout' });
    await other.end();
    await server.stop();
  });
});

test('a child that takes SIGTERM for a hint, and ends by itself, is still recorded as ended by the limit', async () => {
  const server = await serve(
    `process.on('SIGTERM', () => process.exit(7));
     export default socket => socket.write('hello');`,
    ['--connection-timeout', '200ms'],
  );
  const client = await server.connect();
  await client.closed;
  expect(await server.exitOf(1)).toMatchObject({ limit: 'connectionTimeout', code: 7, signal: null });
  await server.stop();
});

test('a child that ignores SIGTERM is gone after grace period and kill delay', async () => {
  const server = await serve(
    `process.on('SIGTERM', () => {});
     export default socket => socket.write('hello');`,
    ['--grace-period', '200ms', '--kill-delay', '200ms'],
  );
  const client = await server.connect();
  await client.receive(5);
  await server.stop();
  expect(await server.exitOf(1)).toMatchObject({ limit: 'gracePeriod', signal: 'SIGKILL' });
});
