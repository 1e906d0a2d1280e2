/** Who may come in: each limit keeps out whom it is meant for, says so, and harms nobody else. */
import { describe, expect, test } from 'vitest';
import { ask, Client, hasIPv6 } from './harness/client.ts';
import { script } from './harness/scripts.ts';
import { serve } from './harness/served.ts';
import { cli, expectPass, node, run, runScript } from './harness/subject.ts';
import { eventually } from './harness/wait.ts';

const echo = 'export default { data(conn, chunk) { conn.write(chunk); } };';
const stranger = '127.0.0.2';

test('a thousand silent sockets from one address: clients from another are served while those stay', async () => {
  const server = await serve(echo, ['--max-per-source', '20']);
  const silent = Array.from({ length: 1000 }, () => new Client(server.port));
  await eventually('20 children', () => server.connections.length === 20);
  const others = 10;
  for (let n = 0; n < others; n++) {
    const other = await server.connect(stranger);
    expect(await other.exchange('hello')).toBe('hello');
    await other.end();
  }
  await eventually('the other 980 to be refused', () =>
    server.refusals.some(({ reason, total }) => reason === 'maxPerSource' && total === 980),
  );
  for (const client of silent) client.socket.destroy();
  await server.stop();
  expect(server.connections.length).toBe(20 + others);
});

describe('a client beyond its share', () => {
  test('is told what the policy says', async () => {
    const policy = String.raw`refuse:one at a time\r\n`;
    const server = await serve(echo, ['--max-per-source', '1', '--max-per-source-policy', policy]);
    const first = await server.connect();
    await first.exchange('hello');
    expect(await ask(server.port, 'a request that nobody reads')).toBe('one at a time\r\n');
    expect(await ask(server.port)).toBe('one at a time\r\n');
    const refused = await eventually('two refusals', () => server.refusals.find(({ total }) => total === 2));
    expect(refused).toMatchObject({ reason: 'maxPerSource', remoteAddress: '127.0.0.1' });
    await first.end();
    await server.exitOf(1);
    expect(await ask(server.port, 'my turn')).toBe('my turn');
    await server.stop();
  });

  test('gets a clean end without one', async () => {
    const server = await serve(echo, ['--max-per-source', '1']);
    const first = await server.connect();
    await first.exchange('hello');
    const second = await server.connect();
    expect(await second.closed).toBe('');
    expect(second.received).toBe('');
    await first.end();
    await server.stop();
  });

  test('is reset, if that is the policy', async () => {
    const server = await serve(echo, ['--max-children', '1', '--max-children-policy', 'reset']);
    const first = await server.connect();
    await first.exchange('hello');
    const second = new Client(server.port);
    expect(await second.closed).toBe('ECONNRESET');
    await first.end();
    await server.stop();
  });
});

test.skipIf(!hasIPv6)('an IPv4 client of a dual-stack listener is the IPv4 client that it is', async () => {
  const server = await serve(echo, ['--host', '::', '--deny', '127.0.0.2', '--max-per-source', '1']);
  const denied = await server.connect(stranger);
  expect(await denied.closed).toBe('');
  const first = await server.connect();
  expect(await first.exchange('hello')).toBe('hello');
  const second = await server.connect();
  expect(await second.closed).toBe('');
  const six = await Client.connect(server.port, '::1');
  expect(await six.exchange('hello')).toBe('hello');
  await eventually('both to be told of', () => server.refusals.length === 2);
  expect(server.refusals.map(({ reason }) => reason)).toEqual(['address', 'maxPerSource']);
  await first.end();
  await six.end();
  await server.stop();
});

test('only those are let in that --allow has, and --deny has not', async () => {
  const rules = ['--allow', '127.0.0.0/30', '--allow', '::1', '--deny', '127.0.0.2'];
  const server = await serve(echo, [...rules, '--address-policy', 'refuse:not you']);
  expect(await ask(server.port, 'hello')).toBe('hello');
  for (const from of [stranger, '127.0.0.4']) {
    const client = await server.connect(from);
    expect(await client.closed).toBe('');
    expect(client.received).toBe('not you');
  }
  await server.stop();
});

test('a rate is for each source its own', async () => {
  const server = await serve(echo, ['--accept-rate-per-source', '0.01', '--accept-burst-per-source', '3']);
  for (let i = 0; i < 3; i++) expect(await ask(server.port, 'hello')).toBe('hello');
  expect(await ask(server.port, '')).toBe('');
  const other = await server.connect(stranger);
  expect(await other.exchange('hello')).toBe('hello');
  await other.end();
  const refused = await eventually('it to be told of', () => server.refusals[0]);
  expect(refused).toMatchObject({ reason: 'acceptRatePerSource', count: 1, total: 1 });
  await server.stop();
});

test('beyond the rate of all, clients wait and none is lost', async () => {
  const server = await serve(echo, ['--accept-rate', '20', '--accept-burst', '2']);
  const began = performance.now();
  const answers = await Promise.all(Array.from({ length: 12 }, (_, n) => ask(server.port, `client ${n}`)));
  expect(performance.now() - began).toBeGreaterThan(450);
  expect(answers).toEqual(Array.from({ length: 12 }, (_, n) => `client ${n}`));
  expect(server.refusals).toEqual([]);
  await server.stop();
});

test('a flood of refused clients is a few records, and stays out of the way', async () => {
  const server = await serve(echo, ['--deny', stranger]);
  const began = performance.now();
  for (let round = 0; round < 20; round++) {
    const clients = await Promise.all(Array.from({ length: 50 }, () => server.connect(stranger)));
    for (const client of clients) expect(await client.closed).toBe('');
  }
  expect(await ask(server.port, 'hello')).toBe('hello');
  await eventually('all to be counted', () => server.refusals.at(-1)?.total === 1000);
  const seconds = Math.ceil((performance.now() - began) / 1000);
  expect(server.refusals.length).toBeLessThanOrEqual(seconds + 1);
  expect(server.refusals.reduce((sum, { count }) => sum + count, 0)).toBe(1000);
  await server.stop();
});

describe('server.setLimits()', () => {
  const program = (body: string) =>
    script(`
      import assert from 'node:assert/strict';
      import net from 'node:net';
      import { once } from 'node:events';
      import { ForkingServer } from 'truefork';
      const handler = ${JSON.stringify(script(echo))};
      const open = async (server, localAddress = '127.0.0.1') => {
        const socket = net.connect({ port: server.address().port, host: '127.0.0.1', localAddress });
        socket.on('error', () => {});
        socket.ended = new Promise(resolve => socket.once('close', resolve));
        await once(socket, 'connect');
        return socket;
      };
      const isServed = async socket => {
        socket.write('x');
        return Promise.race([once(socket, 'data').then(() => true, () => false), socket.ended.then(() => false)]);
      };
      ${body}
      console.log('pass');
    `);

  test('resizes maxChildren both ways', async () => {
    await expectPass(
      program(`
        const server = new ForkingServer({ handler, maxChildren: 1 });
        await server.listen(0, '127.0.0.1');
        const first = await open(server);
        assert(await isServed(first));
        const second = await open(server);
        const waiting = isServed(second);
        server.setLimits({ maxChildren: 2 });
        assert.equal(server.maxChildren, 2);
        assert(await waiting);
        server.setLimits({ maxChildren: 1, maxChildrenPolicy: 'refuse' });
        const third = await open(server);
        assert(!(await isServed(third)));
        assert(await isServed(first) && await isServed(second));
        while (server.stats().refused.maxChildren !== 1) await once(server, 'refused');
        for (const socket of [first, second]) socket.end();
        await server.close();
      `),
    );
  });

  test('changes rules and times, also for those who are in; null is the default again', async () => {
    await expectPass(
      program(`
        const server = new ForkingServer({ handler, deny: ['127.0.0.0/8'] });
        await server.listen(0, '127.0.0.1');
        assert(!(await isServed(await open(server))));
        server.setLimits({ deny: null });
        const socket = await open(server);
        assert(await isServed(socket));
        server.setLimits({ idleTimeout: '50ms', deny: ['127.0.0.2'] });
        const [exit] = await once(server, 'exit');
        assert.equal(exit.limit, 'idleTimeout');
        assert(!(await isServed(await open(server, '127.0.0.2'))));
        assert.deepEqual(server.limits.deny, ['127.0.0.2']);
        await server.close();
      `),
    );
  });

  test('holds for the next zygote, when one has died', async () => {
    await expectPass(
      program(`
        const server = new ForkingServer({ handler, maxPerSource: 5 });
        server.on('warning', () => {});
        await server.listen(0, '127.0.0.1');
        server.setLimits({ maxPerSource: 1 });
        process.kill(server.zygotePid, 'SIGKILL');
        await once(server, 'warning');
        const first = await open(server);
        assert(await isServed(first));
        assert(!(await isServed(await open(server))));
        assert.equal(server.stats().zygoteDeaths, 1);
        first.end();
        await server.close();
      `),
    );
  });

  test('refuses what cannot be, and then nothing has changed', async () => {
    const { stdout, code } = await runScript(
      program(`
        const server = new ForkingServer({ handler });
        for (const changes of [
          { maxChilds: 1 }, { handler: 'x' }, { maxChildren: 0 }, { maxPerSource: 2, deny: ['10.0.0.0/33'] },
          { allow: '10.0.0.1' }, { maxPerSourcePolicy: 'queue' }, { acceptRate: 0 }, { maxMemory: '1M' },
        ]) {
          try { server.setLimits(changes); console.log('no error'); }
          catch (error) { console.log(error.code, error.message.slice(0, 70)); }
        }
        assert.equal(server.limits.maxPerSource, undefined);
      `),
    );
    expect(code).toBe(0);
    expect(stdout.trim().split('\n')).toEqual([
      expect.stringMatching(/^ERR_TRUEFORK_ARGUMENT unknown option "maxChilds": did you mean maxChildren/),
      'ERR_TRUEFORK_ARGUMENT handler cannot be changed while the server runs; these can: maxChildre',
      expect.stringMatching(/maxChildren has to be a whole number from 1/),
      'ERR_TRUEFORK_ARGUMENT deny: "10.0.0.0/33" is no address, or network as in "10.0.0.0/8" or "2',
      expect.stringMatching(/allow has to be a list of addresses/),
      expect.stringMatching(/maxPerSourcePolicy has to be "refuse", "refuse:" and a message/),
      expect.stringMatching(/acceptRate has to be a number a second, from 0.001/),
      expect.stringMatching(/maxMemory has to be a size of at least 16M/),
      'pass',
    ]);
  });
});

test.each([
  [['--deny', 'example.org'], /--deny: "example\.org" is no address, or network/],
  [['--deny', '::ffff:0.0.0.0/90'], /--deny: "::ffff:0\.0\.0\.0\/90" is no address/],
  [['--allow', '10.0.0.0/x'], /--allow: "10\.0\.0\.0\/x" is no address/],
  [['--max-per-source-policy', 'queue'], /--max-per-source-policy has to be "refuse", /],
  [['--accept-rate', 'fast'], /--accept-rate has to be a number a second/],
  [['--mode', 'select', '--deny', '::1'], /--deny is no option of a SelectServer/],
])('%j is one clear line', async (args, line) => {
  const result = await run(node, [cli, 'serve', script(echo), ...args]);
  expect(result).toMatchObject({ code: 2, stdout: '' });
  expect(result.stderr).toMatch(line);
  expect(result.stderr).toMatch(/^truefork: .*\n$/);
});
