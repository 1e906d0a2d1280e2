import { expect, test } from 'vitest';
import { serve } from './harness/served.ts';

const disasters: [what: string, deed: string, signal: RegExp][] = [
  ['a segmentation fault', "process.kill(process.pid, 'SIGSEGV');", /^SIGSEGV$/],
  ['an abort', 'process.abort();', /^SIGABRT$/],
  [
    'an exhausted heap',
    'const hoard = []; for (;;) hoard.push(new Array(1e6).fill(hoard.length));',
    /^SIG(ABRT|TRAP|ILL|KILL)$/,
  ],
];

test.each(disasters)('%s in one child is the end of that child alone', async (_what, deed, signal) => {
  const server = await serve(
    `export default { data(conn, chunk) { if (String(chunk) === 'die') { ${deed} } conn.write(chunk); } };`,
    [],
    { env: { NODE_OPTIONS: '--max-old-space-size=64' } },
  );
  const bystander = await server.connect();
  await bystander.exchange('before');
  const victim = await server.connect();
  victim.send('die');
  const exit = await server.exitOf(2);
  expect(exit.signal).toMatch(signal);
  expect(exit.code).toBe(null);
  expect(await bystander.exchange('after')).toBe('after');
  const next = await server.connect();
  expect(await next.exchange('and on')).toBe('and on');
  await Promise.all([bystander.end(), next.end()]);
  await server.stop();
});

test('an endless loop in one child leaves the others and the server be, and ends with the server', async () => {
  const server = await serve(
    "export default { data(conn, chunk) { if (String(chunk) === 'loop') for (;;); conn.write(chunk); } };",
    ['--grace-period', '0s'],
  );
  const looping = await server.connect();
  looping.send('loop');
  const other = await server.connect();
  expect(await other.exchange('hello')).toBe('hello');
  await other.end();
  await server.stop();
  expect(await server.exitOf(1)).toMatchObject({ code: null, signal: 'SIGTERM' });
});
