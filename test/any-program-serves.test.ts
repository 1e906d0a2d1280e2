/** Any program as handler, as inetd and tcpserver have it (UCSPI): and no node in the child. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { ask, Client, hasIPv6 } from './harness/client.ts';
import { descriptors, isAlive, stat, status } from './harness/proc.ts';
import { script, scriptFolder } from './harness/scripts.ts';
import { type Served, serveAs } from './harness/served.ts';
import { cli, node, run, runScript, type SubjectOptions } from './harness/subject.ts';
import { eventually } from './harness/wait.ts';

const serveExec = (command: string, args: string[] = ['--port', '0'], options?: SubjectOptions) =>
  serveAs(['--exec', command, ...args], options);

let count = 0;
const newPath = (suffix: string) => path.join(scriptFolder, `${process.pid}-exec-${++count}${suffix}`);

/** The environment that a client's program has. */
async function environmentOf(place: number | string, host?: string): Promise<Record<string, string>> {
  const lines = (await ask(place, '', host)).split('\0').filter(Boolean);
  return Object.fromEntries(lines.map(line => /^([^=]*)=(.*)$/s.exec(line)!.slice(1)));
}
const environment = 'env -0';
const ucspi = (all: Record<string, string>) =>
  Object.fromEntries(Object.entries(all).filter(([name]) => /^(PROTO|TCP|UNIX)/.test(name)));

/** A connection, and the program that serves it. */
async function served(server: Served): Promise<{ client: Client; pid: number }> {
  const { client, info } = await server.connectAndFind();
  expect(await client.exchange('hello')).toBe('hello');
  return { client, pid: info.pid };
}

test('cat echoes: the connection is its standard input and output', async () => {
  const server = await serveExec('cat');
  const { client, pid } = await served(server);
  expect(fs.readlinkSync(`/proc/${pid}/exe`)).toMatch(/\/(cat|coreutils|busybox)$/);
  expect(await client.end()).toBe('');
  expect(await server.exitOf(1)).toMatchObject({ pid, code: 0, signal: null });
  await server.stop();
});

test('100 MiB go through, byte for byte', async () => {
  const server = await serveExec('cat');
  const client = await server.connect();
  const sent = Buffer.alloc(100 * 1024 * 1024, 'a line of thirty-two bytes......\n');
  const parts: Buffer[] = [];
  client.socket.removeAllListeners('data');
  client.socket.on('data', part => parts.push(part));
  client.socket.end(sent);
  expect(await client.closed).toBe('');
  expect(Buffer.concat(parts).equals(sent)).toBe(true);
  await server.stop();
});

describe('the environment says who is there', () => {
  test('by TCP', async () => {
    const others = { TCPREMOTEHOST: 'stale', TCPREMOTEINFO: 'stale', UNIXREMOTEPID: '1', PROTO: 'stale' };
    const server = await serveExec(environment, ['--port', '0'], { env: { ...others, MINE: 'kept' } });
    const client = await Client.connect(server.port);
    const { localPort } = client.socket;
    client.socket.end();
    await client.closed;
    const lines = client.received.split('\0');
    expect(lines.filter(line => /^(PROTO|TCP|UNIX|MINE|LISTEN|NOTIFY)/.test(line)).sort()).toEqual([
      'MINE=kept',
      'PROTO=TCP',
      'TCPLOCALIP=127.0.0.1',
      `TCPLOCALPORT=${server.port}`,
      'TCPREMOTEIP=127.0.0.1',
      `TCPREMOTEPORT=${localPort}`,
    ]);
    await server.stop();
  });

  test.skipIf(!hasIPv6)(
    'by IPv6, and by the own address of an IPv4 client of a dual-stack socket',
    async () => {
      const server = await serveExec(environment, ['--host', '::', '--port', '0']);
      expect(await environmentOf(server.port, '::1')).toMatchObject({
        PROTO: 'TCP',
        TCPLOCALIP: '::1',
        TCPREMOTEIP: '::1',
      });
      expect(await environmentOf(server.port, '127.0.0.1')).toMatchObject({
        TCPLOCALIP: '127.0.0.1',
        TCPREMOTEIP: '127.0.0.1',
      });
      await server.stop();
    },
  );

  test('by a Unix socket', async () => {
    const file = newPath('.sock');
    const server = await serveExec(environment, ['--path', file]);
    expect(ucspi(await environmentOf(file))).toEqual({
      PROTO: 'UNIX',
      UNIXLOCALPATH: file,
      UNIXLOCALUID: String(process.geteuid!()),
      UNIXLOCALGID: String(process.getegid!()),
      UNIXREMOTEEUID: String(process.geteuid!()),
      UNIXREMOTEEGID: String(process.getegid!()),
      UNIXREMOTEPID: String(process.pid),
    });
    expect(await server.exitOf(1)).toMatchObject({ family: 'Unix', bytesRead: null, bytesWritten: null });
    await server.stop();
  });

  test('and nothing of ours is added to it', async () => {
    const server = await serveExec(environment);
    const { PROTO, TCPLOCALIP, TCPLOCALPORT, TCPREMOTEIP, TCPREMOTEPORT, SUBJECT_OF_TEST, ...rest } =
      await environmentOf(server.port);
    const own = { ...process.env, NODE_OPTIONS: '' } as Record<string, string>;
    expect(rest).toEqual(own);
    await server.stop();
  });
});

test('the program has no other descriptor, no blocked or ignored signal, and dies with the zygote', async () => {
  const server = await serveExec('cat', ['--listen', '127.0.0.1:0', '--listen', newPath('.sock')]);
  const { client, pid } = await served(server);
  const open = descriptors(pid);
  expect([...open.keys()].sort()).toEqual([0, 1, 2]);
  expect(open.get(0)).toBe(open.get(1));
  for (const field of ['SigBlk', 'SigIgn', 'SigCgt']) expect(status(pid, field), field).toMatch(/^0+$/);
  expect(stat(pid)).toMatchObject({ parent: server.zygotePid, group: pid });
  process.kill(server.zygotePid, 'SIGKILL');
  await eventually('the program to be gone', () => !isAlive(pid));
  expect(await client.closed).toMatch(/^(ECONNRESET)?$/);
  expect(await server.exitOf(1)).toMatchObject({ signal: 'SIGKILL' });
  await server.stop();
});

test('many at once, each by a process of its own, leave no zombie and no descriptor', async () => {
  const server = await serveExec('cat', ['--port', '0', '--max-children', '300']);
  const before = descriptors(server.zygotePid);
  const clients = await Promise.all(Array.from({ length: 300 }, () => server.connect()));
  await Promise.all(clients.map(client => client.exchange('ready')));
  await eventually('all to be told of', () => server.connections.length === 300);
  expect(new Set(server.connections.map(({ pid }) => pid)).size).toBe(300);
  await Promise.all(clients.map(client => client.end()));
  await eventually('all to be reaped', () => server.exits.length === 300);
  expect(server.exits.every(({ code }) => code === 0)).toBe(true);
  expect(server.connections.map(({ pid }) => stat(pid)).filter(Boolean)).toEqual([]);
  expect(descriptors(server.zygotePid)).toEqual(before);
  await server.stop();
});

describe('a command line', () => {
  test('of plain words needs no shell', async () => {
    const server = await serveExec('tr a-z A-Z');
    expect(await ask(server.port, 'hello')).toBe('HELLO');
    await server.stop();
  });

  test('with a pipe, quotes or variables is run by one', async () => {
    const server = await serveExec('echo "from $TCPREMOTEIP" | tr a-z A-Z; exit 7');
    expect(await ask(server.port)).toBe('FROM 127.0.0.1\n');
    expect((await server.exitOf(1)).code).toBe(7);
    await server.stop();
  });
});

test('how the program ended is told: its code, or its signal', async () => {
  const server = await serveExec('read word; [ "$word" = kill ] && kill -9 $$; exit "$word"');
  await ask(server.port, '42\n');
  expect(await server.exitOf(1)).toMatchObject({ code: 42, signal: null });
  await ask(server.port, 'kill\n');
  expect(await server.exitOf(2)).toMatchObject({ code: null, signal: 'SIGKILL' });
  await server.stop();
});

test('a stop gives programs their grace, then SIGTERM', async () => {
  const server = await serveExec('cat', ['--port', '0', '--grace-period', '500ms']);
  await served(server);
  server.signal('SIGTERM');
  expect((await server.ended).code).toBe(0);
  expect(server.exits[0]).toMatchObject({ code: null, signal: 'SIGTERM' });
});

test('after a reload programs of before serve on, and a stop does not disturb them', async () => {
  const server = await serveExec('cat');
  const { client } = await served(server);
  server.signal('SIGHUP');
  await server.says(/"event":"reload"/);
  expect(await ask(server.port, 'new')).toBe('new');
  server.signal('SIGTERM');
  expect(await client.exchange('still here')).toBe('still here');
  await client.end();
  expect(await server.exitOf(1)).toMatchObject({ code: 0, signal: null });
  expect(await server.ended).toEqual({ code: 0, signal: null });
});

test('when no process can be had, clients wait and are served', async () => {
  const server = await serveExec('cat', ['--port', '0'], { env: { TRUEFORK_FAULTS: 'fork=EAGAIN*3' } });
  expect(await ask(server.port, 'patience')).toBe('patience');
  await server.says(/fork EAGAIN/, 'stderr');
  await server.stop();
});

describe('a program that cannot be executed', () => {
  const nowhere = newPath('');
  const plain = newPath('.txt');
  const wrong: [args: string[], line: RegExp][] = [
    [['--exec', 'no-such-program'], /exec: no-such-program cannot be executed: it is not in PATH/],
    [['--exec', nowhere], /cannot be executed: there is no such file/],
    [['--exec', scriptFolder], /cannot be executed: it is not a file/],
    [['--exec', plain], /cannot be executed: it may not be executed \(chmod \+x\)/],
    [['--exec', 'cat', 'handler.js'], /either handler, the path of a script, or exec, a program/],
    [['--exec', 'cat', '--mode', 'select'], /--exec is no option of a SelectServer/],
    [['--exec', 'cat', '--spare', '2'], /spare is for a handler script: exec executes its program for each/],
    [['--exec', 'cat', '--connections-per-child', '2'], /connectionsPerChild is for a handler script/],
    [['--exec', 'cat', '--inspect-child'], /inspectChild is for a handler script/],
    [['--exec', 'cat', '--watch'], /watch is for a handler script/],
    [['--exec', ' '], /--exec has to be a program and its arguments/],
  ];
  test.each(wrong)('%j is refused at the start', async (args, line) => {
    fs.writeFileSync(plain, 'not a program', { mode: 0o644 });
    fs.writeFileSync(path.join(scriptFolder, 'handler.js'), '');
    const result = await run(node, [cli, 'serve', '--port', '0', ...args], { cwd: scriptFolder });
    expect(result).toMatchObject({ code: 2, signal: null, stdout: '' });
    expect(result.stderr).toMatch(line);
    expect(result.stderr).toMatch(/^truefork: .*\n$/);
  });

  test('because it is gone since, or is no program, ends as in a shell, and says why', async () => {
    const file = newPath('.sh');
    fs.writeFileSync(file, 'no program at all', { mode: 0o755 });
    const server = await serveExec(file);
    expect(await ask(server.port)).toBe('');
    expect(await server.exitOf(1)).toMatchObject({ code: 126, signal: null, execError: 'ENOEXEC' });
    fs.writeFileSync(file, '#!/bin/sh\necho here', { mode: 0o755 });
    expect(await ask(server.port)).toBe('here\n');
    expect(await server.exitOf(2)).not.toHaveProperty('execError');
    fs.unlinkSync(file);
    expect(await ask(server.port)).toBe('');
    expect(await server.exitOf(3)).toMatchObject({ code: 127, signal: null, execError: 'ENOENT' });
    await server.stop();
  });

  test.each([
    ['', []],
    [', with limits to set first', ['--max-open-files', '64', '--nice', '5']],
  ])('many times at once, is told each time, and harms nobody%s', async (_, limits: string[]) => {
    const file = newPath('.sh');
    const program = '#!/bin/sh\necho here';
    fs.writeFileSync(file, program, { mode: 0o755 });
    const server = await serveExec(file, ['--port', '0', '--max-children', '300', ...limits]);
    const before = descriptors(server.zygotePid);
    fs.unlinkSync(file);
    const answers = await Promise.all(Array.from({ length: 200 }, () => ask(server.port)));
    expect(answers.every(answer => answer === '')).toBe(true);
    await eventually('all to be told of', () => server.exits.length === 200);
    for (const exit of server.exits) expect(exit).toMatchObject({ code: 127, execError: 'ENOENT' });
    fs.writeFileSync(file, program, { mode: 0o755 });
    expect(await ask(server.port)).toBe('here\n');
    expect(descriptors(server.zygotePid)).toEqual(before);
    await server.stop();
  });
});

test('from a program, exec is a list of words', async () => {
  const result = await runScript(
    script(`
      import net from 'node:net';
      import { ForkingServer, IterativeServer } from 'truefork';
      const server = new ForkingServer({ exec: ['sh', '-c', 'echo "$0 $1"', 'one word', 'two'] });
      await server.listen(0, '127.0.0.1');
      for await (const chunk of net.connect(server.address().port)) console.log(String(chunk).trim());
      await server.close();
      for (const options of [{}, { exec: 'cat' }, { exec: [] }, { exec: ['a\\0b'] }, { handler: 'x', exec: ['cat'] }]) {
        try { new ForkingServer(options); console.log('no error'); } catch (error) { console.log(error.code); }
      }
      try { new IterativeServer({ exec: ['cat'] }); } catch (error) { console.log(error.message); }
    `),
  );
  expect(result).toMatchObject({ code: 0, stderr: '' });
  expect(result.stdout.split('\n')).toEqual([
    'one word two',
    ...Array(4).fill('ERR_TRUEFORK_ARGUMENT'),
    'ERR_TRUEFORK_HANDLER',
    '"exec" is no option of an IterativeServer, but of a ForkingServer',
    '',
  ]);
});
