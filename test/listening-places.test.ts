/** Where a server listens: several places at once, both families, Unix sockets, sockets that were passed to it. */
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { ask, Client, hasIPv6 } from './harness/client.ts';
import { children, descriptors, tcpSocket } from './harness/proc.ts';
import { script, scriptFolder } from './harness/scripts.ts';
import { flagsOf, type Served, serve, serveAs } from './harness/served.ts';
import { cli, expectPass, node, run, runScript } from './harness/subject.ts';
import { eventually } from './harness/wait.ts';

const tell = script(`
  const about = ({ family, remoteAddress, localAddress, localPort }) => [family, remoteAddress, localAddress, localPort];
  export default { open(conn) { conn.end(JSON.stringify(about(conn))); } };
`);
const echo = script('export default { data(conn, chunk) { conn.write(chunk); } };');

let count = 0;
const newPath = () => path.join(scriptFolder, `${process.pid}-${++count}.sock`);
const told = async (place: number | string, host?: string) => JSON.parse(await ask(place, '', host));
const portsOf = (server: Served) =>
  server.events.flatMap(event => (event.event === 'listening' && 'port' in event ? [event.port] : []));

/** Node 20's own `net` pads an abstract name with NULs, and so finds none but its own. */
async function askAbstract(name: string): Promise<string> {
  const client = `
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1].replace('@', chr(0)))
s.shutdown(socket.SHUT_WR)
sys.stdout.write(s.makefile().read())`;
  return (await run('python3', ['-c', client, name])).stdout;
}

describe.each(['fork', 'select', 'poll', 'iterative'])('in mode %s', mode => {
  test.skipIf(!hasIPv6)('one server listens at several places, of every family', async () => {
    const file = newPath();
    const places = ['127.0.0.1:0', '[::1]:0', '*:0', file, `@truefork-${process.pid}-${mode}`];
    const server = await serveAs([tell, ...flagsOf(mode), ...places.flatMap(place => ['--listen', place])]);
    await eventually('all places to be told', () => server.stdout.trim().split('\n').length === 5);
    const [v4, v6, both] = portsOf(server);
    expect(await told(v4!)).toEqual(['IPv4', '127.0.0.1', '127.0.0.1', v4]);
    expect(await told(v6!, '::1')).toEqual(['IPv6', '::1', '::1', v6]);
    expect(await told(both!, '127.0.0.1')).toEqual(['IPv6', '::ffff:127.0.0.1', '::ffff:127.0.0.1', both]);
    expect(await told(both!, '::1')).toEqual(['IPv6', '::1', '::1', both]);
    expect(await told(file)).toEqual(['Unix', '', file, 0]);
    const abstract = places[4]!;
    expect(JSON.parse(await askAbstract(abstract))).toEqual(['Unix', '', abstract, 0]);
    expect(await server.connectionOf(5)).toMatchObject({ family: 'Unix', localAddress: file, localPort: 0 });
    await server.stop();
    expect(fs.existsSync(file)).toBe(false);
  });

  test('a place that is flooded keeps no other waiting, and all queues are served before the end', async () => {
    const file = newPath();
    const server = await serveAs([echo, ...flagsOf(mode), '--listen', '127.0.0.1:0', '--listen', file]);
    const port = server.port;
    const flood = Array.from({ length: 40 }, () => ask(port, 'flood'));
    const others = Array.from({ length: 10 }, () => ask(file, 'other'));
    expect(await Promise.all(others)).toEqual(Array(10).fill('other'));
    expect(await Promise.all(flood)).toEqual(Array(40).fill('flood'));
    await server.stop();
  });
});

test('a child has none of the listeners, and the server ends with clients of both families', async () => {
  const server = await serveAs([echo, '--listen', '127.0.0.1:0', '--listen', newPath()]);
  const { client, info } = await server.connectAndFind();
  await client.exchange('hello'); // the child has begun, not only been forked
  const socketsOf = (pid: number) =>
    [...descriptors(pid)]
      .filter(([fd, what]) => fd > 2 && what.startsWith('socket:'))
      .map(([, what]) => what);
  const inZygote = socketsOf(server.zygotePid);
  expect(inZygote.length).toBe(3); // two listeners, and the one to the owner
  expect(socketsOf(info.pid).filter(socket => inZygote.includes(socket))).toEqual([]);
  await client.end();
  await server.stop();
});

test('when the zygote is killed, clients that queue at any of the places are served by the next', async () => {
  const file = newPath();
  const server = await serveAs([echo, '--max-children', '1', '--listen', '127.0.0.1:0', '--listen', file]);
  const { info } = await server.connectAndFind();
  const queued = [await Client.connect(server.port), await Client.connect(file)];
  for (const client of queued) client.send('queued');
  process.kill(server.zygotePid, 'SIGKILL');
  for (const client of queued) {
    expect(String(await client.receive(6))).toBe('queued');
    await client.end();
  }
  expect((await server.exitOf(info.id)).signal).toBe('SIGKILL');
  await server.stop();
});

describe.skipIf(!hasIPv6)('an IPv6 socket', () => {
  test('keeps IPv4 clients out where it is asked to', async () => {
    const server = await serve(tell, ['--host', '::', '--ipv6-only']);
    expect(await told(server.port, '::1')).toEqual(['IPv6', '::1', '::1', server.port]);
    await expect(ask(server.port)).rejects.toThrow('ECONNREFUSED');
    await server.stop();
  });

  test('shares its port with an IPv4 socket then', async () => {
    const server = await serve(tell, ['--host', '::', '--ipv6-only']);
    const other = await serveAs([tell, '--listen', `0.0.0.0:${server.port}`]);
    expect(await told(server.port)).toEqual(['IPv4', '127.0.0.1', '127.0.0.1', server.port]);
    await other.stop();
    await server.stop();
  });
});

describe('a Unix socket', () => {
  test('has the mode and the owner that it is to have, before anybody can connect', async () => {
    const file = newPath();
    const isRoot = process.getuid!() === 0;
    const owner = isRoot ? ['--socket-user', 'nobody', '--socket-group', '12345'] : [];
    const server = await serveAs([tell, '--path', file, '--socket-mode', '620', ...owner]);
    const { mode, uid, gid } = fs.statSync(file);
    expect((mode & 0o777).toString(8)).toBe('620');
    if (isRoot) expect([uid, gid]).toEqual([65534, 12345]);
    await server.stop();
  });

  test('that a dead server has left makes room', async () => {
    const file = newPath();
    const first = await serveAs([tell, '--path', file]);
    process.kill(first.pid, 'SIGKILL');
    await first.ended;
    expect(fs.statSync(file).isSocket()).toBe(true);
    await eventually('its children to be gone too', () =>
      ask(file).then(
        () => false,
        () => true,
      ),
    );
    const second = await serveAs([tell, '--path', file]);
    expect(await told(file)).toEqual(['Unix', '', file, 0]);
    await second.stop();
  });

  test('of a live server is never taken, nor disturbed by the question', async () => {
    const file = newPath();
    const first = await serveAs([tell, '--path', file]);
    const second = await run(node, [cli, 'serve', echo, '--path', file]);
    expect(second).toMatchObject({ code: 1, stdout: '' });
    expect(second.stderr).toBe(`truefork: bind EADDRINUSE: address already in use ${file}\n`);
    expect(await told(file)).toEqual(['Unix', '', file, 0]);
    await first.stop();
    expect(first.connections.length).toBe(1);
  });

  test('that is bound, and does not listen yet, is a live one too', async () => {
    const file = newPath();
    const moment = `${script('')}.moment`;
    const slow = script(`
      import fs from 'node:fs';
      while (!fs.existsSync(${JSON.stringify(moment)})) await new Promise(resolve => setTimeout(resolve, 5));
      export default { data() {} };
    `);
    const server = serveAs([slow, '--path', file]);
    await eventually('the socket to be there', () => fs.existsSync(file));
    const second = await run(node, [cli, 'serve', echo, '--path', file]);
    expect(second.stderr).toMatch(/EADDRINUSE/);
    expect(fs.existsSync(file)).toBe(true);
    fs.writeFileSync(moment, '');
    await (await server).stop();
  });

  test.each([10])('of %d servers that start at once on a stale path, one serves', async many => {
    const file = newPath();
    const abandoned = net.createServer().listen(file);
    await new Promise(resolve => abandoned.once('listening', resolve));
    fs.renameSync(file, `${file}.kept`); // so that closing it does not remove it
    await new Promise(resolve => abandoned.close(resolve));
    fs.renameSync(`${file}.kept`, file);
    await expectPass(
      script(`
        import { ForkingServer } from 'truefork';
        const servers = Array.from({ length: ${many} }, () => new ForkingServer({ exec: ['true'] }));
        const results = await Promise.allSettled(servers.map(server => server.listen(${JSON.stringify(file)})));
        const codes = results.map(({ status, reason }) => reason?.code ?? status).sort();
        if (codes.join() !== [...Array(${many - 1}).fill('EADDRINUSE'), 'fulfilled'].join()) throw new Error(codes);
        await Promise.all(servers.map((server, n) => results[n].status === 'fulfilled' && server.close()));
        console.log('pass');
      `),
    );
  });

  test('a file that is no socket stays as it is', async () => {
    const file = newPath();
    fs.writeFileSync(file, 'precious');
    const result = await run(node, [cli, 'serve', echo, '--path', file]);
    expect(result).toMatchObject({ code: 1 });
    expect(result.stderr).toMatch(/EADDRINUSE/);
    expect(fs.readFileSync(file, 'utf8')).toBe('precious');
  });

  test('that another server has made in the meantime is not removed at the end', async () => {
    const file = newPath();
    const first = await serveAs([tell, '--path', file]);
    fs.unlinkSync(file);
    const second = await serveAs([tell, '--path', file]);
    await first.stop();
    expect(await told(file)).toEqual(['Unix', '', file, 0]);
    await second.stop();
    expect(fs.existsSync(file)).toBe(false);
  });
});

describe('the kernel is asked for', () => {
  test('keep-alive probes, after the silence that was asked for', async () => {
    const server = await serve(echo, ['--keep-alive', '--keep-alive-initial-delay', '60s']);
    const client = await server.connect();
    await client.exchange('hello');
    // Until the client has acknowledged the answer, there is another timer. Without the option, it is two hours.
    const timer = await eventually('the timer of the probes', () => {
      const socket = tcpSocket(server.port, client.socket.localPort!);
      return socket?.timer === 2 ? socket : undefined;
    });
    expect(timer.timerTicks).toBeGreaterThan(0);
    expect(timer.timerTicks).toBeLessThanOrEqual(60 * 100);
    await client.end();
    await server.stop();
  });

  test('no child before the client has spoken', async () => {
    const server = await serve(echo, ['--defer-accept', '30s']);
    const silent = await server.connect();
    const speaking = await server.connect();
    expect(await speaking.exchange('hello')).toBe('hello');
    const { remotePort } = await server.connectionOf(1);
    expect(remotePort).toBe(speaking.socket.localPort);
    expect(children(server.zygotePid).length).toBe(1);
    expect(await silent.exchange('me too')).toBe('me too');
    await Promise.all([silent.end(), speaking.end()]);
    await server.stop();
  });

  test('no more waiting clients than it can have: a backlog that it cuts is told of', async () => {
    const most = Number(fs.readFileSync('/proc/sys/net/core/somaxconn', 'utf8'));
    const server = await serve(echo, ['--backlog', String(most + 1)]);
    await server.says(
      new RegExp(
        `^truefork: the system has cut the backlog ${most + 1} to ${most}: raise net.core.somaxconn`,
      ),
      'stderr',
    );
    await server.stop();
    const modest = await serve(echo, ['--backlog', String(most)]);
    await modest.stop();
    expect(modest.stderr).toBe('');
  });
});

test('TCP_NODELAY is set on every connection', async () => {
  await expectPass(
    script(`
      import net from 'node:net';
      import { ForkingServer } from 'truefork';
      const server = new ForkingServer({ handler: ${JSON.stringify(
        script(`
          import { getsockopt, IPPROTO_TCP, TCP_NODELAY } from 'truefork/posix';
          import fs from 'node:fs';
          export default { open(conn) {
            const fd = fs.readdirSync('/proc/self/fd').map(Number).find(fd => { try { getsockopt(fd, IPPROTO_TCP, TCP_NODELAY); return true; } catch { return false; } });
            conn.end(String(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY)));
          } };
        `),
      )} });
      await server.listen([{ port: 0, host: '127.0.0.1', noDelay: true }, { port: 0, host: '127.0.0.1' }]);
      const answers = [];
      for (const { port } of server.addresses()) {
        const socket = net.connect(port, '127.0.0.1');
        for await (const chunk of socket) answers.push(String(chunk));
      }
      if (answers.join() !== '1,0') throw new Error(answers);
      await server.close();
      console.log('pass');
    `),
  );
});

describe('listen()', () => {
  test('takes the forms of net.Server, and lists', async () => {
    const file = newPath();
    await expectPass(
      script(`
        import assert from 'node:assert/strict';
        import fs from 'node:fs';
        import { ForkingServer } from 'truefork';
        const make = () => new ForkingServer({ exec: ['cat'] });
        const file = ${JSON.stringify(file)};
        let called = 0;
        const server = make();
        assert.deepEqual([server.address(), server.addresses()], [null, []]);
        await server.listen(file, () => called++);
        assert.deepEqual([server.address(), called], [file, 1]);
        await server.close();
        assert.equal(server.address(), null);

        const many = make();
        await many.listen([{ path: '\\0truefork-' + process.pid }, { port: 0, host: '127.0.0.1', backlog: 3 }]);
        assert.equal(many.address(), '\\0truefork-' + process.pid);
        assert.equal(many.addresses()[1].family, 'IPv4');

        // All or nothing: what could be had is given back.
        const none = make();
        const { port } = many.addresses()[1];
        await assert.rejects(none.listen([{ path: file }, { port, host: '127.0.0.1' }]), { code: 'EADDRINUSE', port });
        assert.equal(fs.existsSync(file), false);
        await none.listen(file);
        await Promise.all([many.close(), none.close()]);
        console.log('pass');
      `),
    );
  });

  const wrong: [options: string, line: RegExp][] = [
    ['[]', /empty list/],
    ['Array(254).fill({ port: 0 })', /takes 253 places at most, and was given 254/],
    ['{ path: "/tmp/x", port: 1 }', /one place at a time, and was given port and path/],
    ['{ fd: 3, host: "::1" }', /was given fd and host/],
    ['{ path: "x".repeat(108) }', /path has 108 bytes: a Unix socket's may have 107/],
    ['{ path: "a\\0b" }', /path has to be the path of a Unix socket/],
    ['{ port: 0, socketMode: 0o600 }', /socketMode is for a Unix socket/],
    ['{ path: "\\0x", socketMode: 0o600 }', /every process of the machine may connect to an abstract name/],
    ['{ path: "/tmp/x", noDelay: true }', /noDelay is for TCP/],
    [
      '{ path: "/tmp/x", socketMode: "888" }',
      /socketMode has to be permission bits in octal, as in "660", not "888"/,
    ],
    ['{ path: "/tmp/x", socketUser: "no such user" }', /this machine has no user "no such user"/],
    ['{ fd: 3, keepAlive: true }', /keepAlive cannot be set for fd/],
    ['{ fd: 99 }', /descriptor 99 is no stream socket that can be listened on/],
    ['{ path: "/no/such/folder/x" }', /bind ENOENT: no such file or directory \/no\/such\/folder\/x/],
    ['{ deferAccept: "1d" }', /deferAccept has to be a time from 0s to/],
  ];
  test.each(wrong)('says what is wrong with %s', async (options, line) => {
    const result = await runScript(
      script(`
        import { ForkingServer } from 'truefork';
        await new ForkingServer({ exec: ['cat'] }).listen(${options}).catch(error => console.log(error.message));
      `),
    );
    expect(result).toMatchObject({ code: 0, signal: null, stderr: '' });
    expect(result.stdout).toMatch(line);
  });
});

describe('on the command line', () => {
  const wrong: [args: string[], line: RegExp][] = [
    [
      ['--listen', '7777', '--port', '1'],
      /--listen says where to listen, and so does --port: use one of them/,
    ],
    [['--listen', '99999'], /--listen: "99999" is no place to listen at: 7777, /],
    [['--listen', '::1:80'], /"::1:80" is no place to listen at/],
    [['--path', '/tmp/x', '--port', '1'], /one place at a time, and was given port and path/],
    [['--listen', '1', '--socket-mode', '600'], /--socket-mode is for a Unix socket with a path/],
    [['--path', '/tmp/x', '--nodelay'], /--nodelay is for TCP/],
    [['--listen', 'systemd'], /has passed no sockets: no LISTEN_FDS in the environment/],
  ];
  test.each(wrong)('%j is one clear line', async (args, line) => {
    const result = await run(node, [cli, 'serve', echo, ...args]);
    expect(result).toMatchObject({ code: 2, signal: null, stdout: '' });
    expect(result.stderr).toMatch(line);
    expect(result.stderr).toMatch(/^truefork: .*\n$/);
  });
});
