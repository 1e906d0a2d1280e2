/** The machine is short of something: the server waits for it, says so once, and loses nobody. */
import { describe, expect, test } from 'vitest';
import { ask } from './harness/client.ts';
import { stat } from './harness/proc.ts';
import { script } from './harness/scripts.ts';
import { serve } from './harness/served.ts';
import { cli, node, run } from './harness/subject.ts';

const echo = 'export default { data(conn, chunk) { conn.write(chunk); } };';

test.each([
  ['fork=EAGAIN', 'fork EAGAIN: resource temporarily unavailable'],
  ['fork=ENOMEM*3', 'fork ENOMEM: not enough memory'],
  ['accept=EMFILE*3', 'accept EMFILE: too many open files'],
  ['accept=ENFILE', 'accept ENFILE: file table overflow'],
])('with %s the client is served all the same, and the trouble is told once', async (faults, told) => {
  const server = await serve(echo, [], { env: { TRUEFORK_FAULTS: faults } });
  expect(await ask(server.port, 'patient')).toBe('patient');
  expect(await ask(server.port, 'again')).toBe('again');
  await server.stop();
  expect(server.stderr).toBe(`truefork: ${told}; clients wait until it passes\n`);
});

test.each(['accept=ECONNABORTED*3', 'accept=EINTR*3', 'read=EINTR*3', 'write=EINTR*3', 'write=EAGAIN*2'])(
  '%s is passed over without a word',
  async faults => {
    const server = await serve(echo, [], { env: { TRUEFORK_FAULTS: faults } });
    expect(await ask(server.port, 'hello')).toBe('hello');
    expect(await server.exitOf(1)).toMatchObject({ code: 0 });
    expect(server.stderr).toBe('');
    await server.stop();
  },
);

describe.each(['accept=EMFILE/4s', 'fork=EAGAIN/4s'])('while %s lasts', faults => {
  test('the zygote rests, and then serves whoever waited', async () => {
    const server = await serve(echo, [], { env: { TRUEFORK_FAULTS: faults } });
    const zygote = server.zygotePid;
    const cpu = () => stat(zygote)!.cpuMicros;
    const answers = Promise.all(['a', 'b', 'c'].map(text => ask(server.port, text)));
    await server.says(/clients wait until it passes/, 'stderr');
    const before = cpu();
    expect(await answers).toEqual(['a', 'b', 'c']);
    // Four seconds of shortage, and three connections: one that tried without a rest would have used all of them.
    expect(cpu() - before).toBeLessThan(300_000);
    await server.stop();
  });
});

test('a stop in the middle of it still serves the client that was accepted', async () => {
  const server = await serve(echo, [], { env: { TRUEFORK_FAULTS: 'fork=EAGAIN/1s' } });
  const answer = ask(server.port, 'in time');
  await server.says(/fork EAGAIN/, 'stderr');
  await server.stop();
  expect(await answer).toBe('in time');
});

test.each(['nonsense', 'fork=EFOO', 'listen=EAGAIN', 'fork=EAGAIN*x'])(
  'TRUEFORK_FAULTS=%s is refused',
  async faults => {
    const result = await run(node, [cli, 'serve', script(echo), '--port', '0'], {
      env: { TRUEFORK_FAULTS: faults },
    });
    expect(result).toMatchObject({ code: 1, stdout: '' });
    expect(result.stderr).toMatch(/^truefork: TRUEFORK_FAULTS: ".*" is not CALL=ERRNO.*\n$/);
  },
);
