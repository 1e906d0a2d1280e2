/** What is given up is given up for good: judged from /proc, and by children that try to win it back. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask, Client } from './harness/client.ts';
import { children, descendants, isAlive, status } from './harness/proc.ts';
import { script } from './harness/scripts.ts';
import { serve } from './harness/served.ts';
import { cli, node, run } from './harness/subject.ts';
import { eventually } from './harness/wait.ts';

const echo = 'export default { data(conn, chunk) { conn.write(chunk); } };';
const nobody = 65534;
const isRoot = process.getuid?.() === 0;

/** A folder that everybody may enter: the repository's own need not be one. */
let folder: string;
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'truefork-'));
  fs.chmodSync(folder, 0o755);
});
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

const ids = (id: number) => Array(4).fill(id).join('\t');

/** Of each thread of a process. */
function threadStatus(pid: number, field: string): string[] {
  const tasks = fs.readdirSync(`/proc/${pid}/task`);
  const lines = tasks.map(task => {
    const text = fs.readFileSync(`/proc/${pid}/task/${task}/status`, 'utf8');
    return new RegExp(`^${field}:[ \\t]*(.*)$`, 'm').exec(text)?.[1]?.trim() ?? '';
  });
  return [...new Set(lines)];
}

function expectNoPrivileges(pid: number, groups: string): void {
  expect(threadStatus(pid, 'Uid')).toEqual([ids(nobody)]);
  expect(threadStatus(pid, 'Gid')).toEqual([ids(nobody)]);
  expect(threadStatus(pid, 'Groups')).toEqual([groups]);
  expect(status(pid, 'NoNewPrivs')).toBe('1');
  for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb']) expect(status(pid, set)).toMatch(/^0+$/);
}

describe.skipIf(!isRoot)('started as root', () => {
  test.each([['fork'], ['iterative'], ['select']])(
    'on a low port, mode %s: nothing of root is left',
    async mode => {
      const handler = script(echo);
      const port = 777;
      // An address that is this run's alone, so that the port is free there.
      const host = `127.${process.pid & 255}.${(process.pid >> 8) & 255}.${1 + (process.pid >> 16)}`;
      const server = await serve(handler, [
        '--mode',
        mode,
        '--host',
        host,
        '--port',
        String(port),
        '--user',
        'nobody',
        '--groups',
        '5',
        '--groups',
        '8',
      ]);
      expect(server.port).toBe(port);
      expectNoPrivileges(server.zygotePid, '5 8');
      const client = await Client.connect(port, host);
      await client.exchange('hello');
      const info = await server.connectionOf(1);
      expectNoPrivileges(info.pid, '5 8');
      expect(status(server.pid, 'Uid')).toBe(ids(0)); // it has to load the handler again, one day
      await client.end();
      await server.stop();
    },
  );

  test('a user’s own group is taken, and no other, and its home', async () => {
    const server = await serve(
      'export default { open(conn) { conn.end([process.env.HOME, process.env.USER].join()); } };',
      ['--user', String(nobody)],
    );
    expect(await ask(server.port)).toBe('/nonexistent,nobody');
    expectNoPrivileges(server.zygotePid, '');
    await server.stop();
  });

  const winBack = `
    import { spawnSync } from 'node:child_process';
    import fs from 'node:fs';
    const attempt = (name, act) => { try { return name + ' ' + act(); } catch (error) { return name + ' ' + error.code; } };
    export default socket => {
      const tries = [
        attempt('setuid', () => process.setuid(0)),
        attempt('seteuid', () => process.seteuid(0)),
        attempt('setgid', () => process.setgid(0)),
        attempt('setgroups', () => process.setgroups([0])),
        attempt('initgroups', () => process.initgroups('root', 0)),
        attempt('shadow', () => fs.readFileSync('/etc/shadow').length),
        attempt('kill', () => process.kill(1, 'SIGWINCH')),
        'setuid program ' + spawnSync(process.env.SETUID_ID, ['-u']).stdout,
      ];
      socket.end(tries.join('\\n'));
    };
  `;
  const refused =
    'setuid EPERM\nseteuid EPERM\nsetgid EPERM\nsetgroups EPERM\ninitgroups EPERM\nshadow EACCES\nkill EPERM\n';
  const setuidId = () => {
    const program = path.join(folder, 'id');
    fs.copyFileSync('/usr/bin/id', program);
    fs.chmodSync(program, 0o4755);
    return program;
  };

  test('a child cannot win anything back, by a call or by a setuid program', async () => {
    const server = await serve(winBack, ['--user', 'nobody'], { env: { SETUID_ID: setuidId() } });
    expect(await ask(server.port)).toBe(`${refused}setuid program ${nobody}\n`);
    await server.stop();
  });

  test('with --new-privs a setuid program may, which is how one sees that the other test tests', async () => {
    const server = await serve(winBack, ['--user', 'nobody', '--new-privs'], {
      env: { SETUID_ID: setuidId() },
    });
    expect(status(server.zygotePid, 'NoNewPrivs')).toBe('0');
    expect(await ask(server.port)).toBe(`${refused}setuid program 0\n`);
    await server.stop();
  });

  test('beforeServe and the script’s own imports run before, afterFork and the handler after; a reload can load again', async () => {
    const secret = path.join(folder, 'secret');
    fs.writeFileSync(secret, 'the key', { mode: 0o600 });
    const server = await serve(
      `
      import fs from 'node:fs';
      const who = [process.getuid()];
      let key;
      export const beforeServe = () => { who.push(process.getuid()); key = fs.readFileSync(${JSON.stringify(secret)}, 'utf8'); };
      export const afterFork = () => { who.push(process.getuid()); };
      export default { open(conn) { conn.end([...who, key].join()); } };
    `,
      ['--user', 'nobody'],
    );
    expect(await ask(server.port)).toBe(`0,0,${nobody},the key`);
    server.signal('SIGHUP');
    await eventually('the reload', () => server.reloads === 1);
    expectNoPrivileges(server.zygotePids.at(-1)!, '');
    expect(await ask(server.port)).toBe(`0,0,${nobody},the key`);
    await server.stop();
  });

  test('a chroot holds: outside there is nothing', async () => {
    fs.mkdirSync(path.join(folder, 'root/inside'), { recursive: true });
    fs.writeFileSync(path.join(folder, 'root/hello'), 'hello from inside');
    const server = await serve(
      `
      import fs from 'node:fs';
      import zlib from 'node:zlib';
      import crypto from 'node:crypto';
      export default socket => {
        const hello = fs.readFileSync('/hello', 'utf8');
        const outside = ['/etc/passwd', '/proc/self', '/../etc/passwd'].filter(file => fs.existsSync(file));
        const works = zlib.gunzipSync(zlib.gzipSync(hello)).length + crypto.randomUUID().length;
        socket.end([hello, process.cwd(), outside.length, works].join());
      };
    `,
      ['--user', 'nobody', '--chroot', path.join(folder, 'root'), '--working-directory', '/inside'],
    );
    expect(await ask(server.port)).toBe(`hello from inside,/inside,0,${17 + 36}`);
    expect(fs.readlinkSync(`/proc/${server.zygotePid}/root`)).toBe(path.join(folder, 'root'));
    await server.stop();
  });

  test('all go when the owner is killed, though they belong to another user', async () => {
    const server = await serve('export default { data() { for (;;); } };', ['--user', 'nobody']);
    const { client } = await server.connectAndFind();
    client.send('x');
    const family = [server.pid, ...descendants(server.pid)];
    expect(family.length).toBeGreaterThanOrEqual(3);
    process.kill(server.pid, 'SIGKILL');
    await eventually('all to be gone', () => !family.some(isAlive));
  });

  test('children go when the zygote is killed', async () => {
    const server = await serve('export default { data() { for (;;); } };', ['--user', 'nobody']);
    const { client, info } = await server.connectAndFind();
    client.send('x');
    process.kill(server.zygotePid, 'SIGKILL');
    await eventually('the child to be gone', () => !isAlive(info.pid));
    expect(await server.exitOf(1)).toMatchObject({ signal: 'SIGKILL' });
    await eventually('another zygote', () => children(server.pid).some(({ state }) => state !== 'Z'));
    await server.stop();
  });
});

describe('umask and working directory', () => {
  test('hold in the children, in a config file too', async () => {
    const server = await serve(
      `
      import fs from 'node:fs';
      export default { open(conn) {
        fs.writeFileSync('made', '', { mode: 0o666 });
        conn.end(process.cwd() + ' ' + (fs.statSync('made').mode & 0o777).toString(8));
      } };
    `,
      ['--working-directory', folder, '--umask', '027'],
    );
    expect(await ask(server.port)).toBe(`${folder} 640`);
    expect(status(server.zygotePid, 'Umask')).toBe('0027');
    await server.stop();
  });

  test('--no-new-privs needs no user', async () => {
    const server = await serve(echo, ['--no-new-privs']);
    expect(status(server.zygotePid, 'NoNewPrivs')).toBe('1');
    expect(await ask(server.port, 'x')).toBe('x');
    await server.stop();
  });
});

describe('nobody is served', () => {
  const handler = script(echo);
  const wrong: [args: string[], code: number, line: RegExp][] = [
    [['--user', 'no-such-user'], 2, /--user: this machine has no user "no-such-user"/],
    [['--group', 'no-such-group'], 2, /--group: this machine has no group "no-such-group"/],
    [['--user', 'root'], 2, /user root gives nothing up/],
    [['--chroot', '/tmp'], 2, /a process of root can leave a chroot: give a user too/],
    [['--chroot', '/no/such', '--user', 'nobody'], 2, /--chroot \/no\/such: there is no such folder/],
    [['--user', '54321'], 2, /user 54321 is in no user database.*give a group too/],
    [['--groups', '5'], 2, /groups are given up with the group/],
    [
      ['--user', 'nobody', '--oom-score-adj', '500'],
      2,
      /oomScoreAdj is for root to give, whom user has given up/,
    ],
    [['--umask', '9'], 2, /--umask has to be permission bits in octal/],
    [['--working-directory', '/no/such'], 1, /could not be given up, so nobody is served: chdir \(ENOENT\)/],
  ];
  test.each(wrong)('with %j', async (args, code, line) => {
    const result = await run(node, [cli, 'serve', handler, '--port', '0', ...args]);
    expect(result).toMatchObject({ code, signal: null, stdout: '' });
    expect(result.stderr).toMatch(line);
  });

  test.skipIf(!isRoot)('where privileges are to be given up by somebody who has none to give', async () => {
    // The addon and the script have to be readable for that user.
    const command = ['--reuid', String(nobody), '--regid', String(nobody), '--clear-groups', node, cli];
    const result = await run('setpriv', [...command, 'serve', handler, '--port', '0', '--user', 'daemon']);
    expect(result).toMatchObject({ code: 1, signal: null, stdout: '' });
    expect(result.stderr).toMatch(
      /nobody is served: setgroups \(EPERM\)\. Only root can become another: start as root/,
    );
  });
});
