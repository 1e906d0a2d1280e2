import { describe, expect, test } from 'vitest';
import { script } from './harness/scripts.ts';
import { serve } from './harness/served.ts';
import { runScript } from './harness/subject.ts';
import { eventually } from './harness/wait.ts';

const echo = 'export default { data(conn, chunk) { conn.write(chunk); } };';

test('at maxChildren further clients wait in the backlog, and each gets its turn', async () => {
  const server = await serve(echo, ['--max-children', '2']);
  const clients = [await server.connect(), await server.connect()];
  for (const client of clients) await client.exchange('served');
  const waiting = await Promise.all(Array.from({ length: 5 }, () => server.connect()));
  for (const [n, client] of waiting.entries()) client.send(`waiting ${n}`);
  expect(await clients[0]!.exchange('still')).toBe('still');
  await eventually('both to be told of', () => server.connections.length === 2);
  expect(waiting.map(client => client.received)).toEqual(['', '', '', '', '']);

  for (const client of clients) await client.end();
  for (const [n, client] of waiting.entries()) {
    expect(String(await client.receive(9))).toBe(`waiting ${n}`);
    await client.end();
  }
  await eventually('all exits', () => server.exits.length === 7);
  await server.stop();
});

describe('maxChildren is never above what the user may start', () => {
  const show = script(`
    import { ForkingServer } from 'truefork';
    import { RLIMIT_NPROC, setrlimit } from 'truefork/posix';
    const [limit, maxChildren] = process.argv.slice(3).map(Number);
    if (limit) setrlimit(RLIMIT_NPROC, { rlim_cur: limit, rlim_max: limit });
    try {
      const server = new ForkingServer({ handler: process.argv[2], ...(maxChildren ? { maxChildren } : {}) });
      console.log(server.maxChildren);
    } catch (error) {
      console.log(error.code, error.message);
    }
  `);
  const handler = script(echo);
  // Lowered by the process itself: under such a limit it might not even start, for whoever has other processes.
  const limited = (...limits: number[]) => runScript(show, [handler, ...limits.map(String)]);

  test('256 by default', async () => {
    expect((await runScript(show, [handler])).stdout).toBe('256\n');
  });
  test('less a margin under a low limit', async () => {
    expect((await limited(200)).stdout).toBe('136\n');
  });
  test('at least one', async () => {
    expect((await limited(30)).stdout).toBe('1\n');
  });
  test('and more is refused', async () => {
    expect((await limited(200, 150)).stdout).toMatch(
      /^ERR_TRUEFORK_LIMIT maxChildren 150 is more than this user may start: 136 processes.*ulimit -u/,
    );
  });
});

test('what is wrong with the options is said before anything is started', async () => {
  const cases = script(`
    import { ForkingServer } from 'truefork';
    const handler = ${JSON.stringify(script(echo))};
    const tries = [
      () => new ForkingServer(),
      () => new ForkingServer({}),
      () => new ForkingServer({ handler: () => {} }),
      () => new ForkingServer({ handler: './nowhere.js' }),
      () => new ForkingServer({ handler: 'https://example.com/x.js' }),
      () => new ForkingServer({ handler, maxChilds: 3 }),
      () => new ForkingServer({ handler, maxChildren: 0 }),
      () => new ForkingServer({ handler, maxChildren: NaN }),
      () => new ForkingServer({ handler, gracePeriod: -1 }),
      () => new ForkingServer({ handler, stdout: 'file' }),
      () => new ForkingServer({ handler }).listen(65536),
      () => new ForkingServer({ handler }).listen({ backlog: 0 }),
      () => new ForkingServer({ handler }).listen(0, ''),
      () => new ForkingServer({ handler }).listen(0, '203.0.113.1'),
      () => new ForkingServer({ handler }).listen(0, 'no-such-host.invalid'),
    ];
    for (const attempt of tries) {
      try { await attempt(); console.log('no error'); }
      catch (error) { console.log(error.name, error.code, error.message.slice(0, 60)); }
    }
  `);
  const { stdout, code } = await runScript(cases);
  expect(code).toBe(0);
  expect(stdout.trim().split('\n')).toEqual([
    'TypeError ERR_TRUEFORK_ARGUMENT a ForkingServer takes an object of options, as in new Forkin',
    'TypeError ERR_TRUEFORK_ARGUMENT a ForkingServer takes either handler, the path of a script, ',
    'TypeError ERR_TRUEFORK_ARGUMENT handler has to be the path of a script: it runs in another p',
    'Error ERR_TRUEFORK_HANDLER handler ./nowhere.js: there is no such file',
    'TypeError ERR_TRUEFORK_ARGUMENT handler https://example.com/x.js is not a file: URL',
    'TypeError ERR_TRUEFORK_ARGUMENT unknown option "maxChilds": did you mean maxChildren? There ',
    'TypeError ERR_TRUEFORK_ARGUMENT maxChildren has to be a whole number from 1 to 1000000, not ',
    'TypeError ERR_TRUEFORK_ARGUMENT maxChildren has to be a whole number from 1 to 1000000, not ',
    expect.stringMatching(/^TypeError ERR_TRUEFORK_ARGUMENT gracePeriod has to be a time from 0s to /),
    'TypeError ERR_TRUEFORK_ARGUMENT stdout has to be "inherit" or "stderr", not "file"',
    'TypeError ERR_TRUEFORK_ARGUMENT port has to be a whole number from 0 to 65535, not 65536',
    expect.stringMatching(/^TypeError ERR_TRUEFORK_ARGUMENT backlog has to be a whole number from 1 to/),
    'TypeError ERR_TRUEFORK_ARGUMENT host has to be an address or name, not ""',
    'Error EADDRNOTAVAIL bind EADDRNOTAVAIL: address not available 203.0.113.1:0',
    expect.stringMatching(/^Error (ENOTFOUND|EAI_AGAIN) getaddrinfo/),
  ]);
});
