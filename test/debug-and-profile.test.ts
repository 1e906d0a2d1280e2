/** What helps to develop a handler: the coverage of its children, a debugger for one of them, a profile of one. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { ask } from './harness/client.ts';
import { children } from './harness/proc.ts';
import { script, scriptFolder } from './harness/scripts.ts';
import { type Served, serve } from './harness/served.ts';
import { cli, node, run } from './harness/subject.ts';
import { eventually } from './harness/wait.ts';
import { forking } from './posix/subject.ts';

describe('NODE_V8_COVERAGE', () => {
  /** How often each process ran a function of this name in files of this name. */
  function counts(folder: string, file: string, name: string): Map<number, number> {
    const found = new Map<number, number>();
    for (const report of fs.readdirSync(folder)) {
      const pid = Number(/^coverage-(\d+)-/.exec(report)?.[1]);
      const { result } = JSON.parse(fs.readFileSync(path.join(folder, report), 'utf8'));
      for (const { url, functions } of result)
        for (const { functionName, ranges } of url.endsWith(path.basename(file)) ? functions : [])
          if (functionName === name) found.set(pid, (found.get(pid) ?? 0) + ranges[0].count);
    }
    return found;
  }

  test.each([
    ['a natural end', ''],
    ['process.exit()', 'process.exit(0)'],
    ['an uncaught throw', 'setImmediate(() => { throw new Error("expected"); })'],
  ])('of a child of a server is written before its end: %s', async (_way, end) => {
    const folder = path.join(scriptFolder, `coverage-${process.pid}-${Math.random()}`);
    const handler = script(`
      function greet(conn) { conn.end('hello'); ${end} }
      export default { open: greet };
    `);
    const server = await serve(handler, [], { env: { NODE_V8_COVERAGE: folder } });
    for (let n = 0; n < 3; n++) await ask(server.port).catch(() => {});
    await eventually('all exits', () => server.exits.length === 3);
    const pids = server.exits.map(({ pid }) => pid);
    await server.stop();
    const counted = counts(folder, handler, 'greet');
    for (const pid of pids) expect([pid, counted.get(pid)]).toEqual([pid, 1]);
  });

  test.each(['process.exitCode = 0', 'p.exit(0)', 'p._exit(0)'])('of a child of fork(): %s', async end => {
    const folder = path.join(scriptFolder, `coverage-${process.pid}-${Math.random()}`);
    const file = forking(`
      function inChildAlone() {}
      const pid = p.fork();
      if (pid === 0) { inChildAlone(); ${end}; }
      else { p.waitpid(pid); console.log(pid); }
    `);
    const { stdout, ...ending } = await run(node, [file], { env: { NODE_V8_COVERAGE: folder } });
    expect(ending).toEqual({ code: 0, signal: null, stderr: '' });
    expect(counts(folder, file, 'inChildAlone').get(Number(stdout))).toBe(1);
  });
});

/** One request at a time of the protocol that Node's inspector speaks. */
class Debugger {
  readonly events: { method: string; params: Record<string, never> }[] = [];
  readonly #socket: WebSocket;
  readonly #replies = new Map<number, Record<string, unknown>>();
  #last = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', data => {
      const message = JSON.parse(String(data));
      if (message.id === undefined) this.events.push(message);
      else this.#replies.set(message.id, message);
    });
  }

  static async attach(url: string): Promise<Debugger> {
    const socket = new WebSocket(url);
    const attached = new Debugger(socket);
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    return attached;
  }

  tell(method: string, params: object = {}): number {
    const id = ++this.#last;
    this.#socket.send(JSON.stringify({ id, method, params }));
    return id;
  }

  async ask(method: string, params: object = {}): Promise<Record<string, never>> {
    const id = this.tell(method, params);
    const reply = await eventually(`the reply to ${method}`, () => this.#replies.get(id));
    return (reply as { result: Record<string, never> }).result;
  }

  /** The n-th event of that name. */
  event(method: string, n = 1): Promise<{ params: Record<string, never> }> {
    return eventually(method, () => this.events.filter(event => event.method === method)[n - 1]);
  }

  /** Has the child stop at a line of a file, counted from 0, and lets it run until then. */
  async runTo(file: string, lineNumber: number): Promise<void> {
    await this.ask('Debugger.enable');
    await this.ask('Debugger.setBreakpointByUrl', { lineNumber, urlRegex: path.basename(file) });
    await this.ask('Runtime.enable');
    await this.ask('Runtime.runIfWaitingForDebugger');
  }

  /** What an expression is where the child has stopped. */
  async evaluate(expression: string, { params }: { params: Record<string, never> }): Promise<unknown> {
    const { callFrameId } = (params.callFrames as unknown as Record<string, string>[])[0]!;
    const { result } = await this.ask('Debugger.evaluateOnCallFrame', { callFrameId, expression });
    return (result as unknown as Record<string, unknown>).value;
  }

  detach(): void {
    this.#socket.terminate();
  }
}

describe('--inspect-child', () => {
  const handler = () =>
    script(`
      const secret = 'warm';
      export default { data(conn, chunk) {
        const said = chunk.toString();
        conn.end(said + ' ' + secret); // line 5
      } };
    `);
  const breakpoint = 4;

  /** The URLs of all inspectors so far, when there are so many; whole ones, for a line may come in parts. */
  const urls = (server: Served, count: number) =>
    eventually(`${count} URLs`, () => {
      const found = [...server.stderr.matchAll(/listening on (ws:\/\/127\.0\.0\.1:\d+\/[\w-]+)\n/g)].map(
        ([, url]) => url!,
      );
      return found.length === count ? found : undefined;
    });

  test('stops the handler of the next connection at a breakpoint, each child on a port of its own', async () => {
    const file = handler();
    const server = await serve(file, ['--inspect-child']);
    for (let id = 1; id <= 2; id++) {
      const answer = ask(server.port, 'hello');
      const { pid } = await server.connectionOf(id);
      const [url] = (await urls(server, id)).slice(-1);
      expect(server.stderr).toContain(`process ${pid} waits for a debugger\n`);
      const attached = await Debugger.attach(url!);
      await attached.runTo(file, breakpoint);
      const stopped = await attached.event('Debugger.paused');
      expect(await attached.evaluate('said + process.pid', stopped)).toBe(`hello${pid}`);
      attached.tell('Debugger.resume'); // and the child ends, maybe before it can reply
      expect(await answer).toBe('hello warm');
      attached.detach();
      expect(await server.exitOf(id)).toMatchObject({ code: 0, signal: null });
    }
    expect(new Set(await urls(server, 2)).size).toBe(2);
    await server.stop();
  });

  test('with spare children, only a child that has a connection waits for a debugger', async () => {
    const file = handler();
    const server = await serve(file, ['--inspect-child', '--spare', '2']);
    await eventually('idle children', () => children(server.zygotePid).length === 2);
    const ahead = children(server.zygotePid).map(({ pid }) => pid);
    const answer = ask(server.port, 'hello');
    const { pid } = await server.connectionOf(1);
    expect(ahead).toContain(pid);
    const [url] = await urls(server, 1);
    const attached = await Debugger.attach(url!);
    await attached.runTo(file, breakpoint);
    expect(await attached.evaluate('process.pid', await attached.event('Debugger.paused'))).toBe(pid);
    attached.tell('Debugger.resume');
    expect(await answer).toBe('hello warm');
    expect(await server.exitOf(1)).toMatchObject({ pid, code: 0, signal: null });
    await urls(server, 1); // of nobody else
    await server.stop();
  });

  test('with connectionsPerChild, a child waits once, and its debugger sees every connection', async () => {
    const file = handler();
    const server = await serve(file, ['--inspect-child', '--connections-per-child', '3']);
    const answers = [ask(server.port, 'hello')];
    const { pid } = await server.connectionOf(1);
    const attached = await Debugger.attach((await urls(server, 1))[0]!);
    await attached.runTo(file, breakpoint);
    for (let n = 1; n <= 2; n++) {
      if (n > 1) answers.push(ask(server.port, 'hello'));
      const stopped = await attached.event('Debugger.paused', n);
      expect(await attached.evaluate('conn.id + " " + process.pid', stopped)).toBe(`${n} ${pid}`);
      attached.tell('Debugger.resume');
      expect(await answers.at(-1)).toBe('hello warm');
      await eventually('its end', () => server.events.filter(({ event }) => event === 'end').length === n);
    }
    // A Node without nodejs/node#64209 may die of what it would still tell a debugger that has gone.
    await attached.ask('Debugger.disable');
    attached.detach();
    expect(await ask(server.port, 'alone')).toBe('alone warm');
    expect(await server.exitOf(3)).toMatchObject({ pid, code: 0, signal: null });
    await urls(server, 1);
    await server.stop();
  });

  test('is for the forking server', async () => {
    const file = script('export default { open(conn) { conn.end(); } };');
    expect(await run(node, [cli, 'serve', file, '--mode', 'select', '--inspect-child'])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^truefork: .*inspect-child/),
    });
  });
});

test('a child can profile itself, by an inspector session of its own, and ends as ever', async () => {
  const file = path.join(scriptFolder, `profile-${process.pid}.cpuprofile`);
  const server = await serve(`
    import fs from 'node:fs';
    import inspector from 'node:inspector';
    export function afterFork() {
      const session = new inspector.Session();
      session.connect();
      session.post('Profiler.enable');
      session.post('Profiler.start');
      process.on('exit', () => {
        session.post('Profiler.stop', (error, { profile }) => fs.writeFileSync(${JSON.stringify(file)}, JSON.stringify(profile)));
      });
    }
    // By the time that it has the processor: of the other the profiler sees nothing.
    function busyInChild() { for (const began = process.cpuUsage(); process.cpuUsage(began).user < 100_000; ); }
    export default { open(conn) { busyInChild(); conn.end('done'); } };
  `);
  expect(await ask(server.port)).toBe('done');
  expect(await server.exitOf(1)).toMatchObject({ code: 0, signal: null });
  const { nodes } = JSON.parse(fs.readFileSync(file, 'utf8'));
  const names = nodes.map(({ callFrame }: { callFrame: { functionName: string } }) => callFrame.functionName);
  expect(names).toContain('busyInChild');
  await server.stop();
});
