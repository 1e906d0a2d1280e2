import net from 'node:net';
import { describe, expect, test } from 'vitest';
import { ask } from './harness/client.ts';
import { children, isAlive } from './harness/proc.ts';
import { script } from './harness/scripts.ts';
import { serve } from './harness/served.ts';
import { cli, node, run, Subject } from './harness/subject.ts';
import { eventually } from './harness/wait.ts';

const echo = script('export default { data(conn, chunk) { conn.write(chunk); } };');
const truefork = (...args: string[]) => run(node, [cli, ...args]);

describe('truefork serve', () => {
  test('prints one line when it is ready, and one for each connection and exit', async () => {
    const server = new Subject(node, [cli, 'serve', echo, '--port', '0']);
    const [, port] = await server.says(/^listening on 127\.0\.0\.1:(\d+)\n$/);
    await ask(Number(port), 'hello');
    await server.says(
      /\n#1 127\.0\.0\.1:(\d+) connected: process (\d+)\n#1 127\.0\.0\.1:\1 process \2 exited with 0 after [\d.]+ ms, 5 B in, 5 B out, [\d.]+ ms of CPU, [\d.]+ MiB of memory\n$/,
    );
    server.signal('SIGINT');
    expect(await server.ended).toEqual({ code: 130, signal: null });
    expect(server.stderr).toBe('');
  });

  test('with --json prints an object a line, and what the handler prints goes to stderr', async () => {
    const server = await serve(
      "export default socket => { console.log('from the handler'); socket.end(); };",
    );
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    expect(server.events[0]).toEqual({
      event: 'listening',
      level: 'info',
      time,
      host: '127.0.0.1',
      port: server.port,
    });
    await ask(server.port);
    const exit = await server.exitOf(1);
    const connection = await server.connectionOf(1);
    const { pid, remotePort } = connection;
    const about = {
      level: 'info',
      time,
      id: 1,
      pid,
      family: 'IPv4',
      remoteAddress: '127.0.0.1',
      remotePort,
      localAddress: '127.0.0.1',
      localPort: server.port,
    };
    expect(connection).toEqual({ event: 'connection', ...about });
    expect(exit).toEqual({
      event: 'exit',
      ...about,
      code: 0,
      signal: null,
      coreDumped: false,
      limit: null,
      bytesRead: 0,
      bytesWritten: 0,
      durationMs: expect.any(Number),
      rusage: {
        userCPUTime: expect.any(Number),
        systemCPUTime: expect.any(Number),
        maxRSS: expect.any(Number),
        minorPageFault: expect.any(Number),
        majorPageFault: expect.any(Number),
        voluntaryContextSwitches: expect.any(Number),
        involuntaryContextSwitches: expect.any(Number),
      },
    });
    expect(exit.durationMs).toBeGreaterThan(0);
    expect(exit.rusage!.maxRSS).toBeGreaterThan(1000);
    expect(server.stderr).toBe('from the handler\n');
    await server.stop();
  });

  test('without --json leaves the handler its stdout', async () => {
    const handler = script("export default socket => { console.log('from the handler'); socket.end(); };");
    const server = new Subject(node, [cli, 'serve', handler, '--port', '0']);
    const [, port] = await server.says(/^listening on 127\.0\.0\.1:(\d+)\n/);
    await ask(Number(port));
    await server.says(/\nfrom the handler\n/);
    server.signal('SIGTERM');
    expect(await server.ended).toEqual({ code: 0, signal: null });
  });
});

describe('help', () => {
  test.each([['--help'], ['-h'], ['help']])('%s shows the commands', async flag => {
    expect(await truefork(flag)).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringMatching(/truefork serve <handler>/),
    });
  });

  test.each([[['serve', '--help']], [['serve', '-h']], [['help', 'serve']]])(
    '%s tells of every option',
    async args => {
      const result = await truefork(...args);
      expect(result).toMatchObject({ code: 0, stderr: '' });
      for (const option of [
        '--port',
        '--host',
        '--max-children',
        '--backlog',
        '--grace-period',
        '--json',
        '--help',
      ])
        expect(result.stdout).toContain(option);
    },
  );

  test.each([['serve'], ['run'], ['doctor'], ['build']])('%s has a help of its own', async command => {
    expect((await truefork('--help')).stdout).toContain(`truefork ${command} `);
    const result = await truefork(command, '--help');
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout).toContain(`truefork ${command}`);
    expect(await truefork('help', command)).toEqual(result);
  });

  test('--version shows the version', async () => {
    expect((await truefork('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('what is wrong gets one clear line', () => {
  const wrong: [args: string[], code: number, line: RegExp][] = [
    [[], 2, /a command is missing/],
    [['server'], 2, /there is no command "server"/],
    [['serve'], 2, /which handler\?/],
    [['serve', echo, 'extra'], 2, /one handler only, but there is also "extra"/],
    [['serve', 'no-such-file.js'], 2, /no-such-file\.js: there is no such file/],
    [['serve', '/'], 2, /it is not a file/],
    [['serve', echo, '--port', '99999'], 2, /--port has to be a whole number from 0 to 65535, not 99999/],
    [['serve', echo, '--port', 'http'], 2, /--port has to be a whole number/],
    [['serve', echo, '--port', '-1'], 2, /--port/],
    [['serve', echo, '--max-children', '0'], 2, /--max-children has to be a whole number from 1/],
    [['doctor', '--nonsense'], 2, /Unknown option '--nonsense' \(truefork doctor --help\)/],
    [['build', '--nonsense'], 2, /Unknown option '--nonsense' \(truefork build --help\)/],
    [['serve', echo, '--nonsense'], 2, /Unknown option '--nonsense'/],
    [
      ['serve', echo, '--port', '0', '--host', '203.0.113.1'],
      1,
      /bind EADDRNOTAVAIL: address not available 203\.0\.113\.1:0/,
    ],
    [['serve', script('export const nothing = 1;')], 1, /has no default export/],
  ];
  test.each(wrong)('%j', async (args, code, line) => {
    const result = await truefork(...args);
    expect(result).toMatchObject({ code, signal: null, stdout: '' });
    expect(result.stderr).toMatch(line);
    expect(result.stderr).toMatch(/^truefork: .*\n$/);
  });

  test('a port in use', async () => {
    const taken = net.createServer().listen(0, '127.0.0.1');
    await new Promise(resolve => taken.once('listening', resolve));
    const { port } = taken.address() as net.AddressInfo;
    const result = await truefork('serve', echo, '--port', String(port));
    taken.close();
    expect(result).toMatchObject({ code: 1, stdout: '' });
    expect(result.stderr).toBe(`truefork: bind EADDRINUSE: address already in use 127.0.0.1:${port}\n`);
  });
});

describe('a zygote is started while the command loads', () => {
  /** A config file tells which children its process has by the time that it is read. */
  async function serveAfter(options: string, what: string[] = [echo]) {
    const config = script(`
      import fs from 'node:fs';
      console.error('by then: ' + fs.readFileSync('/proc/self/task/' + process.pid + '/children', 'utf8'));
      export default ${options};
    `);
    const server = new Subject(node, [cli, 'serve', ...what, '--port', '0', '--config', config]);
    await server.says(/"?listening/);
    const [, early] = await server.says(/^by then: (\d+) \n/, 'stderr');
    const [, port] = /:(\d+)\}?\n/.exec(server.stdout)!;
    expect(await ask(Number(port), 'hello')).toBe('hello');
    return { server, early: Number(early), zygotes: children(server.pid).map(({ pid }) => pid) };
  }

  async function stop(server: Subject): Promise<void> {
    server.signal('SIGTERM');
    expect(await server.ended).toEqual({ code: 0, signal: null });
  }

  test.each([[[echo]], [['--exec', 'cat']]])('and is the one that serves %s', async what => {
    const { server, early, zygotes } = await serveAfter('{}', what);
    expect(zygotes).toEqual([early]);
    await stop(server);
  });

  test.each(['{ json: true }', '{ mode: "iterative" }', '{ watch: true }'])(
    'or makes room for another, which %s asks for',
    async options => {
      const { server, early } = await serveAfter(options);
      await eventually('one zygote, and not the early one', () => {
        const zygotes = children(server.pid);
        return zygotes.length === 1 && zygotes[0]!.pid !== early;
      });
      await stop(server);
    },
  );

  test('and ends with a command that serves nothing', async () => {
    const { code, stderr } = await truefork(
      'serve',
      echo,
      '--config',
      script('throw new Error("early end");'),
    );
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('early end') });
  });

  test('and ends with an owner that was killed before it said what to serve', async () => {
    const config = script(`
      import fs from 'node:fs';
      console.error('by then: ' + fs.readFileSync('/proc/self/task/' + process.pid + '/children', 'utf8'));
      process.kill(process.pid, 'SIGKILL');
    `);
    const { signal, stderr } = await truefork('serve', echo, '--config', config);
    expect(signal).toBe('SIGKILL');
    const [, early] = /^by then: (\d+) \n/.exec(stderr)!;
    await eventually('the end of the zygote', () => !isAlive(Number(early)));
  });
});
