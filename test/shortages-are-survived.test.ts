/** The machine is short of something: the server waits for it, says so once, and loses nobody. */
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { ask } from './harness/client.ts';
import { stat } from './harness/proc.ts';
import { script } from './harness/scripts.ts';
import { serve } from './harness/served.ts';
import { cli, node, run } from './harness/subject.ts';
import { eventually } from './harness/wait.ts';

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

/** The CPU time that a process has used, in milliseconds (proc(5): utime and stime, in ticks of 10 ms). */
function cpuOf(pid: number): number {
  const text = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [utime, stime] = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number);
  return (utime! + stime!) * 10;
}

describe.each(['accept=EMFILE/4s', 'fork=EAGAIN/4s'])('while %s lasts', faults => {
  test('the zygote rests, and then serves whoever waited', async () => {
    const server = await serve(echo, [], { env: { TRUEFORK_FAULTS: faults } });
    const zygote = server.zygotePid;
    const answers = Promise.all(['a', 'b', 'c'].map(text => ask(server.port, text)));
    await eventually('the zygote to have settled', () => stat(zygote)?.state === 'S');
    const before = cpuOf(zygote);
    await sleep(3500);
    expect(cpuOf(zygote) - before).toBeLessThan(0.05 * 3500);
    expect(await answers).toEqual(['a', 'b', 'c']);
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
