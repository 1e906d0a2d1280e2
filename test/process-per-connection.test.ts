import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { ask } from './harness/client.ts';
import { descriptors, isAlive, stat, title } from './harness/proc.ts';
import { serve } from './harness/served.ts';
import { eventually } from './harness/wait.ts';

const handlers = {
  callbacks: 'export default { data(conn, chunk) { conn.write(chunk); } };',
  stream: 'export default socket => { socket.pipe(socket); };',
};

describe.each(Object.entries(handlers))('an echo of the %s form', (_form, handler) => {
  test('gives back 64 bytes', async () => {
    const server = await serve(handler);
    const message = 'x'.repeat(64);
    expect(await ask(server.port, message)).toBe(message);
    expect(await server.exitOf(1)).toMatchObject({ code: 0, signal: null, coreDumped: false });
    await server.stop();
  });

  test('gives back one byte at a time', async () => {
    const server = await serve(handler);
    const client = await server.connect();
    client.socket.setNoDelay(true);
    for (const byte of 'one byte at a time') expect(await client.exchange(byte)).toBe(byte);
    expect(await client.end()).toBe('');
    await server.stop();
  });

  test('gives back 64 MiB to a slow reader, both ways at once', async () => {
    const server = await serve(handler);
    const client = await server.connect();
    const sent = randomBytes(64 * 1024 * 1024);
    const parts: Buffer[] = [];
    client.socket.removeAllListeners('data');
    client.socket.on('data', async chunk => {
      parts.push(chunk);
      if (parts.length % 50 !== 0) return;
      client.socket.pause();
      await sleep(1);
      client.socket.resume();
    });
    client.socket.end(sent);
    expect(await client.closed).toBe('');
    expect(Buffer.concat(parts).equals(sent)).toBe(true);
    await server.stop();
  });

  test('serves a second client while the first sits silent', async () => {
    const server = await serve(handler);
    const first = await server.connectAndFind();
    const second = await server.connectAndFind();
    expect(await second.client.exchange('second')).toBe('second');
    expect(await first.client.exchange('first')).toBe('first');
    expect(first.info.pid).not.toBe(second.info.pid);
    expect(isAlive(first.info.pid) && isAlive(second.info.pid)).toBe(true);
    await Promise.all([first.client.end(), second.client.end()]);
    await server.stop();
  });

  test.each([1, 1000])(
    'a client that resets after %d KiB ends its own child alone, which exits with 0',
    async kib => {
      const server = await serve(handler);
      const { client: victim } = await server.connectAndFind();
      const bystander = await server.connect();
      victim.send(Buffer.alloc(kib * 1024));
      await once(victim.socket, 'data');
      victim.reset();
      expect(await server.exitOf(1)).toMatchObject({ code: 0, signal: null });
      expect(await bystander.exchange('still here')).toBe('still here');
      await bystander.end();
      expect(server.stderr).toBe('');
      await server.stop();
    },
  );
});

test('a child begins with the memory of the zygote: loaded once, never again', async () => {
  const server = await serve(`
    let loads = 0, big;
    export function beforeServe() { loads++; big = Array.from({ length: 1e5 }, (_, n) => n); }
    export default { open(conn) { conn.end(loads + ' ' + big.length + ' ' + process.pid); loads++; } };
  `);
  const answers = [await ask(server.port), await ask(server.port)].map(answer => answer.split(' '));
  expect(answers.map(([loads, length]) => [loads, length])).toEqual([
    ['1', '100000'],
    ['1', '100000'],
  ]);
  const connections = [await server.connectionOf(1), await server.connectionOf(2)];
  expect(answers.map(([, , pid]) => Number(pid))).toEqual(connections.map(({ pid }) => pid));
  await server.stop();
});

/** To the owner. */
const channel = 3;

test.each([5, 500])('%d connections ended at once leave no zombie and no descriptor', async count => {
  const server = await serve(handlers.callbacks, ['--max-children', '600', '--backlog', '600']);
  const zygote = server.zygotePid;
  await eventually('the zygote to have settled', () => stat(zygote)?.state === 'S');
  const before = descriptors(zygote);
  const clients = await Promise.all(Array.from({ length: count }, () => server.connect()));
  await Promise.all(clients.map(client => client.exchange('ready')));
  await eventually('all to be told of', () => server.connections.length === count);
  const [, listener] = [...before].find(([fd, what]) => fd > channel && what.startsWith('socket:'))!;
  for (const { pid } of server.connections) expect([...descriptors(pid).values()]).not.toContain(listener);
  for (const client of clients) client.socket.destroy();
  await eventually('all children to be reaped', () => server.exits.length === count);
  expect(server.connections.map(({ pid }) => stat(pid)).filter(Boolean)).toEqual([]);
  expect(descriptors(zygote)).toEqual(before);
  expect(server.exits.every(({ code }) => code === 0)).toBe(true);
  await server.stop();
});

test('zygote and children are told apart in ps, in process groups of their own, and see no terminal', async () => {
  const server = await serve(handlers.stream);
  const { client, info } = await server.connectAndFind();
  await client.exchange('hello');
  const zygote = server.zygotePid;
  expect(title(zygote)).toMatch(/^truefork: zygote script-.*\.mjs$/);
  expect(title(info.pid)).toBe(`truefork: 127.0.0.1:${info.remotePort}`);
  expect(stat(info.pid)).toMatchObject({ parent: zygote, group: info.pid });
  expect(stat(zygote)).toMatchObject({ group: zygote, session: zygote });
  expect(descriptors(info.pid).get(0)).toBe('/dev/null');
  await client.end();
  await server.stop();
});
