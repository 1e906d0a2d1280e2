/** What systemd and a service say to each other, with the manager's side played (sd_listen_fds(3), sd_notify(3)). */
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { ask, Client } from './harness/client.ts';
import { descriptors } from './harness/proc.ts';
import { script, scriptFolder } from './harness/scripts.ts';
import { flagsOf, serve } from './harness/served.ts';
import { NotifySocket, passedPort, startUnit } from './harness/service-manager.ts';
import { runScript } from './harness/subject.ts';
import { eventually } from './harness/wait.ts';

const echo = script('export default { data(conn, chunk) { conn.write(chunk); } };');
const environment = script(`
  const names = ['LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDNAMES', 'NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID'];
  export default { open(conn) { conn.end(names.filter(name => name in process.env).join()); } };
`);

let count = 0;
const newPath = () => path.join(scriptFolder, `${process.pid}-unit-${++count}.sock`);

describe('sockets that are passed', () => {
  test('are served, those who queued before the service ran among them', async () => {
    const file = newPath();
    const moment = `${script('')}.moment`;
    const slow = script(`
      import fs from 'node:fs';
      while (!fs.existsSync(${JSON.stringify(moment)})) await new Promise(resolve => setTimeout(resolve, 5));
      export default { data(conn, chunk) { conn.write(chunk); } };
    `);
    const service = startUnit({ places: [0, file], args: [slow, '--listen', 'systemd'] });
    const port = await passedPort(service);
    const early = await Client.connect(port);
    early.send('early');
    fs.writeFileSync(moment, '');
    await service.listens();
    expect(String(await early.receive(5))).toBe('early');
    expect(await ask(port, 'tcp')).toBe('tcp');
    expect(await ask(file, 'unix')).toBe('unix');
    expect(service.events.filter(({ event }) => event === 'listening')).toMatchObject([
      { event: 'listening', host: '127.0.0.1', port },
      { event: 'listening', path: file },
    ]);
    const ofZygote = [...descriptors(service.zygotePid)].filter(([fd]) => fd > 2).map(([, what]) => what);
    expect(ofZygote.filter(what => what.startsWith('socket:')).length).toBe(3); // these, and the owner's
    await early.end();
    await service.stop();
    expect(fs.existsSync(file)).toBe(true); // it is the manager's, which keeps it for the next start
  });

  test('can be told by their names, and by their numbers', async () => {
    const args = [echo, '--listen', 'systemd:http', '--listen', 'fd:5'];
    const service = startUnit({ places: [0, 0, 0], names: ['http', 'other', 'admin'], args });
    await service.listens();
    expect(await ask(await passedPort(service, 0), 'http')).toBe('http');
    expect(await ask(await passedPort(service, 2), 'admin')).toBe('admin');
    expect(service.events.filter(({ event }) => event === 'listening').length).toBe(2);
    await service.stop();
  });

  test('and all else that is meant for the service alone, no child hears of', async () => {
    const notify = await NotifySocket.open();
    const env = { NOTIFY_SOCKET: notify.name, WATCHDOG_USEC: '60000000' };
    for (const what of [
      [environment],
      ['--exec', 'env | grep -o ^LISTEN_.*; env | grep -o ^NOTIFY.*; env | grep ^WATCH'],
    ]) {
      const service = startUnit({ places: [0], args: [...what, '--listen', 'systemd'] }, { env });
      await service.listens();
      expect(await ask(service.port)).toBe('');
      await service.stop();
    }
  });

  const wrong: [what: string, env: Record<string, string>, args: string[], line: RegExp][] = [
    [
      'another process',
      { LISTEN_PID: '1' },
      ['--listen', 'systemd'],
      /meant for process 1, and this is \d+: let the/,
    ],
    ['another name', {}, ['--listen', 'systemd:https'], /none is called "https", but: http/],
  ];
  test.each(wrong)('for %s are an error', async (_, env, args, line) => {
    const service = startUnit({ places: [0], names: ['http'], args: [echo, ...args] }, { env });
    expect(await service.ended).toEqual({ code: 2, signal: null });
    expect(service.stderr).toMatch(line);
  });

  test('but are no stream sockets, are an error', async () => {
    const service = startUnit({ places: [0], args: [echo, '--listen', 'fd:0'] });
    expect((await service.ended).code).toBe(2);
    expect(service.stderr).toMatch(/--listen|fd has to be a whole number from 3/);
  });

  test('a program asks for by listenFds()', async () => {
    const result = await runScript(
      script(`
        import { listenFds } from 'truefork';
        const tries = [{}, { LISTEN_FDS: '2', LISTEN_PID: '1' }, { LISTEN_FDS: '2' }, { LISTEN_FDS: '2', LISTEN_FDNAMES: 'a:b' }, { LISTEN_FDS: '0' }];
        for (const variables of tries) {
          for (const name of ['LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDNAMES']) delete process.env[name];
          Object.assign(process.env, { LISTEN_PID: process.pid, ...variables });
          try { console.log(JSON.stringify([listenFds(), variables.LISTEN_FDNAMES ? listenFds('b') : []])); }
          catch (error) { console.log(error.code); }
        }
      `),
    );
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout.trim().split('\n')).toEqual([
      'ERR_TRUEFORK_LISTEN',
      'ERR_TRUEFORK_LISTEN',
      '[[{"fd":3},{"fd":4}],[]]',
      '[[{"fd":3},{"fd":4}],[{"fd":4}]]',
      'ERR_TRUEFORK_LISTEN',
    ]);
  });
});

describe('the service manager hears', () => {
  test.each(['a path', 'an abstract name'])(
    'by %s: ready when clients are served, stopping when no more',
    async kind => {
      const notify = await NotifySocket.open(kind !== 'a path');
      const server = await serve(echo, [], { env: { NOTIFY_SOCKET: notify.name } });
      const [ready] = await notify.hears(/READY=1/);
      expect(ready).toBe(`READY=1\nSTATUS=serving on 127.0.0.1:${server.port}`);
      const client = await server.connect();
      await client.exchange('hello');
      server.signal('SIGTERM');
      await notify.hears(/^STOPPING=1$/);
      await client.end();
      expect(await server.ended).toEqual({ code: 0, signal: null });
      expect(notify.heard.length).toBe(2);
    },
  );

  test('of a reload, and that it is over, also where it failed', async () => {
    const notify = await NotifySocket.open();
    const file = script(fs.readFileSync(echo, 'utf8'));
    const server = await serve(file, [], { env: { NOTIFY_SOCKET: notify.name } });
    const ready = `READY=1\nSTATUS=serving on 127.0.0.1:${server.port}`;
    await notify.hears(/READY=1/);
    server.signal('SIGHUP');
    await notify.hears(/READY=1/, 2);
    fs.writeFileSync(file, 'throw new Error("not now")');
    server.signal('SIGHUP');
    await notify.hears(/READY=1/, 3);
    const reloading = expect.stringMatching(/^RELOADING=1\nMONOTONIC_USEC=\d+$/);
    expect(notify.heard).toEqual([ready, reloading, ready, reloading, ready]);
    expect(await ask(server.port, 'still')).toBe('still');
    await server.stop();
  });

  test('nothing of a server that could not start', async () => {
    const notify = await NotifySocket.open();
    const result = await runScript(
      script(`
        import { ForkingServer } from 'truefork';
        const server = new ForkingServer({ handler: ${JSON.stringify(script('throw new Error("no")'))}, notify: true });
        await server.listen(0).catch(error => console.log(error.message));
      `),
      [],
      { env: { NOTIFY_SOCKET: notify.name } },
    );
    expect(result).toMatchObject({ code: 0, stdout: 'no\n' });
    expect(await notify.heardUntilNow()).toEqual([]);
  });

  test.each(['fork', 'select'])(
    'in mode %s that the service lives, for as long as its loop turns',
    async mode => {
      const notify = await NotifySocket.open();
      const env = { NOTIFY_SOCKET: notify.name, WATCHDOG_USEC: '200000' };
      const server = await serve(echo, flagsOf(mode), { env });
      await notify.hears(/^WATCHDOG=1$/, 5);
      process.kill(server.zygotePid, 'SIGSTOP');
      let before = -1;
      await eventually('it to fall silent', async () => {
        const now = notify.heard.length;
        if (now === before) return true;
        before = now;
        await sleep(1000);
        return false;
      });
      process.kill(server.zygotePid, 'SIGCONT');
      await notify.hears(/^WATCHDOG=1$/, before + 3);
      await server.stop();
    },
  );

  test('no sign of life that is asked of another process', async () => {
    const notify = await NotifySocket.open();
    const env = { NOTIFY_SOCKET: notify.name, WATCHDOG_USEC: '20000', WATCHDOG_PID: '1' };
    const server = await serve(echo, [], { env });
    await notify.hears(/READY/);
    const other = await NotifySocket.open();
    const watched = await serve(echo, [], { env: { NOTIFY_SOCKET: other.name, WATCHDOG_USEC: '20000' } });
    await other.hears(/^WATCHDOG=1$/, 20);
    expect((await notify.heardUntilNow()).length).toBe(1);
    await watched.stop();
    await server.stop();
  });

  test('nothing where it is not wanted, and a manager that is gone is a warning', async () => {
    const notify = await NotifySocket.open();
    const quiet = await serve(echo, ['--no-notify'], { env: { NOTIFY_SOCKET: notify.name } });
    await quiet.stop();
    expect(await notify.heardUntilNow()).toEqual([]);
    const lonely = await serve(echo, [], { env: { NOTIFY_SOCKET: '/nowhere/at/all' } });
    await lonely.says(/^truefork: sendto ENOENT: no such file or directory \/nowhere\/at\/all\n/, 'stderr');
    expect(await ask(lonely.port, 'still')).toBe('still');
    await lonely.stop();
  });
});
