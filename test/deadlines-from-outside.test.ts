/** What the owner promises holds whatever the serving process does: stopped, in an endless loop, or unable to load. */
import fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ask } from './harness/client.ts';
import { isAlive, stat } from './harness/proc.ts';
import { script } from './harness/scripts.ts';
import { everyServer, flagsOf, type Served, serve } from './harness/served.ts';
import { NotifySocket } from './harness/service-manager.ts';
import { eventually } from './harness/wait.ts';

const echo = 'export default { data(conn, chunk) { conn.write(chunk); } };';

/** As a debugger or Ctrl-Z does it: the process keeps everything, and does nothing. */
async function freeze(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  await eventually('the process to stop', () => stat(pid)?.state === 'T');
}

const short = ['--grace-period', '200ms', '--kill-delay', '200ms'];
const long = ['--grace-period', '1000s', '--kill-delay', '1000s'];

describe.each(everyServer)('a %s server whose serving process is stopped', kind => {
  async function stopped(times: string[], env = {}): Promise<Served> {
    const server = await serve(echo, [...flagsOf(kind), ...times], { env });
    const client = await server.connect();
    await client.exchange('hello');
    await freeze(server.zygotePid);
    return server;
  }

  test('ends by its deadlines after SIGTERM', async () => {
    const server = await stopped(short);
    server.signal('SIGTERM');
    expect(await server.ended).toEqual({ code: 0, signal: null });
  });

  test('ends at once after a second SIGTERM', async () => {
    const notify = await NotifySocket.open();
    const server = await stopped(long, { NOTIFY_SOCKET: notify.name });
    server.signal('SIGTERM');
    await notify.hears(/^STOPPING=1$/);
    server.signal('SIGTERM');
    expect(await server.ended).toEqual({ code: 143, signal: null });
  });

  test('is reloaded: the stopped process is ended, and new code serves', async () => {
    const server = await stopped(short);
    const before = server.zygotePid;
    server.signal('SIGHUP');
    await eventually('the reload', () => server.reloads === 1);
    expect(isAlive(before)).toBe(false);
    expect(await ask(server.port, 'again')).toBe('again');
    expect(server.stderr).toMatch(
      /^truefork: the serving process did not answer within [\d.]+ s, and was killed\n$/,
    );
    await server.stop();
  });
});

test.each(['iterative', 'select', 'poll'])(
  'a %s server in an endless loop ends by its deadlines',
  async kind => {
    const server = await serve('export default { data() { for (;;); } };', [...flagsOf(kind), ...short]);
    const client = await server.connect();
    client.send('x');
    await server.connectionOf(1);
    server.signal('SIGTERM');
    expect(await server.ended).toEqual({ code: 0, signal: null });
  },
);

test('a zygote that dies while its handler cannot be loaded is replaced when it can', async () => {
  const handler = script(echo);
  const server = await serve(handler);
  fs.writeFileSync(handler, 'a deployment is half way');
  process.kill(server.zygotePid, 'SIGKILL');
  await server.says(/(truefork: the handler could not be loaded.*\n){2}/, 'stderr');
  fs.writeFileSync(handler, echo);
  expect(await ask(server.port, 'it is done')).toBe('it is done');
  await server.stop();
});

test('one whose handler is never to be loaded again closes, with the reason', async () => {
  const handler = script(echo);
  const server = await serve(handler);
  fs.writeFileSync(handler, 'throw new Error("gone for good");');
  process.kill(server.zygotePid, 'SIGKILL');
  expect(await server.ended).toEqual({ code: 1, signal: null });
  expect(server.stderr).toMatch(/gone for good/);
});
