/** The programs of examples/lecture, run as the slides say: with real clients and real signals. */
import fs from 'node:fs';
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { children, stat } from '../harness/proc.ts';
import { scriptFolder } from '../harness/scripts.ts';
import { cli, node, run, Subject } from '../harness/subject.ts';
import { eventually } from '../harness/wait.ts';

const folder = new URL('../../examples/lecture/', import.meta.url);
const file = (name: string) => fileURLToPath(new URL(`${name}.ts`, folder));
const program = (name: string, ...args: string[]) => new Subject(node, [cli, 'run', file(name), ...args]);

async function lines(name: string): Promise<string[]> {
  const { stdout, ...ending } = await run(node, [cli, 'run', file(name)]);
  expect(ending).toEqual({ stderr: '', code: 0, signal: null });
  return stdout.trimEnd().split('\n');
}

async function serve(name: string) {
  const server = program(name, '0');
  const [, port] = await server.says(/port: (\d+)/);
  return { server, connect: () => Client.to(Number(port)) };
}

async function interrupt(server: Subject): Promise<void> {
  server.signal('SIGINT');
  expect(await server.ended).toEqual({ code: null, signal: 'SIGINT' });
}

class Client {
  #socket: net.Socket;
  #received = '';

  static async to(port: number): Promise<Client> {
    const socket = net.connect(port, '127.0.0.1');
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new Client(socket);
  }

  constructor(socket: net.Socket) {
    this.#socket = socket.setEncoding('utf8').setNoDelay();
    socket.on('data', text => (this.#received += text));
    socket.on('error', () => {});
  }

  async exchange(text: string): Promise<void> {
    this.send(text);
    await this.receives(text);
  }

  async receives(text: string): Promise<void> {
    await eventually(`an echo of ${text}`, () => this.#received === text);
  }

  send(text: string): void {
    this.#received = '';
    this.#socket.write(text);
  }

  get received(): string {
    return this.#received;
  }

  close(): void {
    this.#socket.end();
  }

  reset(): void {
    this.#socket.resetAndDestroy();
  }
}

test('01 iterative server: the second client waits until the first has gone', async () => {
  const { server, connect } = await serve('01-iterative-server');
  const first = await connect();
  await first.exchange('one');
  const second = await connect();
  second.send('hello');
  for (let turn = 0; turn < 20; turn++) await first.exchange(`still one, ${turn}`);
  expect(second.received).toBe('');
  first.close();
  await second.receives('hello');
  second.close();
  await (await connect()).exchange('three');
  await interrupt(server);
});

test('02 fork returns twice', async () => {
  const [child, parent] = await lines('02-fork');
  const [, childPid, itsParent] = /^child: {2}fork\(\) returned 0, I am (\d+), my parent is (\d+)$/.exec(
    child!,
  )!;
  expect(parent).toBe(`parent: fork() returned ${childPid}, I am ${itsParent}`);
});

test('03 forking server: clients side by side, each in a process; no zombie is left', async () => {
  const { server, connect } = await serve('03-forking-server');
  const clients = [await connect(), await connect(), await connect()];
  for (const client of clients.reverse()) await client.exchange('hello');
  expect(children(server.pid)).toHaveLength(3);
  for (const client of clients) client.close();
  await eventually('all to be reaped', () => children(server.pid).length === 0);
  await server.says(/(child \d+ terminated\n){3}/);
  server.signal('SIGTERM');
  expect(await server.ended).toEqual({ code: null, signal: 'SIGTERM' });
});

test('04 termination handler: three signals are logged, and the program goes on', async () => {
  const cwd = fs.mkdtempSync(`${scriptFolder}/log-`);
  const subject = new Subject(node, [cli, 'run', file('04-termination-handler')], { cwd });
  await subject.says(/Begin of program/);
  const log = () => fs.readFileSync(`${cwd}/log.txt`, { encoding: 'utf8', flag: 'a+' });
  let expected = '';
  for (const [name, signo] of [
    ['SIGINT', 2],
    ['SIGTSTP', 20],
    ['SIGTERM', 15],
  ] as const) {
    await eventually('it to wait', () => stat(subject.pid)?.state === 'S');
    subject.signal(name);
    expected += `SIGINT:2\t SIGTSTP:20\t SIGTERM:15\nIn termination handler Signal:${signo}\n`;
    await eventually(`the log of ${name}`, () => log() === expected);
  }
  subject.signal('SIGKILL');
  expect(await subject.ended).toEqual({ code: null, signal: 'SIGKILL' });
});

test('05 signal: counts seconds until Ctrl-C', async () => {
  const subject = program('05-signal');
  await subject.says(/(Going to sleep for a second\.\.\.\n){2}/);
  subject.signal('SIGINT');
  expect(await subject.ended).toEqual({ code: 1, signal: null });
  expect(subject.stdout).toMatch(
    /^(Going to sleep for a second\.\.\.\n){2,}Caught signal 2, coming out\.\.\.\n$/,
  );
});

test('06 the three dispositions', async () => {
  expect(await lines('06-dispositions')).toEqual([
    'SIG_IGN: lived on',
    'handler: signal 15',
    'a handler: lived on',
    'SIG_DFL: ended by signal 15',
  ]);
});

test('07 a zombie, until somebody waits for it', async () => {
  const [before, after] = await lines('07-zombie');
  expect(before).toMatch(/^child \d+ has ended: Z \(zombie\)$/);
  expect(after).toBe('after waitpid(): no such process');
});

/** Five clients that end at once, while the server cannot handle a signal: so the kernel has five to tell of. */
async function fiveAtOnce(name: string) {
  const { server, connect } = await serve(name);
  const clients = [];
  for (let i = 0; i < 5; i++) clients.push(await connect());
  for (const client of clients) await client.exchange('hello');
  server.signal('SIGSTOP');
  await eventually('the server to stop', () => stat(server.pid)?.state === 'T');
  for (const client of clients) client.close();
  const zombies = () => children(server.pid).filter(({ state }) => state === 'Z').length;
  await eventually('five zombies', () => zombies() === 5);
  server.signal('SIGCONT');
  await server.says(/terminated/);
  const last = await connect();
  await last.exchange('the server lives');
  return { server, zombies, last };
}

test('08 one wait() in the handler: four of five children stay zombies', async () => {
  const { server, zombies, last } = await fiveAtOnce('08-wait-in-handler');
  expect(zombies()).toBe(4);
  expect(server.stdout.match(/terminated/g)).toHaveLength(1);
  last.close();
  await interrupt(server);
});

test('09 waitpid() in a loop: none', async () => {
  const { server, zombies, last } = await fiveAtOnce('09-waitpid-in-handler');
  expect(zombies()).toBe(0);
  expect(server.stdout.match(/terminated/g)).toHaveLength(5);
  last.close();
  await interrupt(server);
});

test('10 the wait status after exit, stop, continue and kill', async () => {
  expect(await lines('10-wait-status')).toEqual([
    'exited with status 7',
    'stopped by signal 19',
    'continued',
    'ended by signal 9',
  ]);
});

test('11 select server: many clients in one process', async () => {
  const { server, connect } = await serve('11-select-server');
  const clients = [];
  for (let i = 0; i < 50; i++) clients.push(await connect());
  for (const client of clients.reverse()) await client.exchange(`hello ${clients.indexOf(client)}`);
  clients.pop()!.reset();
  clients.pop()!.close();
  for (const client of clients) await client.exchange('again');
  expect(children(server.pid)).toEqual([]);
  await interrupt(server);
});

test('12 iterative against forking: two slow requests take two seconds, or one', async () => {
  const [iterative, forking] = await lines('12-iterative-against-forking');
  const seconds = (line: string, name: string) => Number(new RegExp(`^${name}: ([\\d.]+) s$`).exec(line)![1]);
  // A request takes a second or, on a machine that has other things to do, more: two at once are still the shorter.
  expect(seconds(iterative!, 'iterative')).toBeGreaterThanOrEqual(2);
  expect(seconds(forking!, 'forking')).toBeGreaterThanOrEqual(1);
  expect(seconds(forking!, 'forking')).toBeLessThan(seconds(iterative!, 'iterative'));
});

test('13 exercise 1, the echo server: a reset and a kill concern one client only', async () => {
  const { server, connect } = await serve('13-echo-server');
  const [reset, killed, kept] = [await connect(), await connect(), await connect()];
  for (const client of [reset, killed, kept]) await client.exchange('hello');
  await server.says(/(served by process \d+\n[\s\S]*?){3}/);
  const pids = [...server.stdout.matchAll(/served by process (\d+)/g)].map(([, pid]) => Number(pid));
  expect(pids).toHaveLength(3);
  reset.reset();
  await server.says(new RegExp(`process ${pids[0]} exited with 1`));
  process.kill(pids[1]!, 'SIGKILL');
  await server.says(new RegExp(`process ${pids[1]} was ended by signal 9`));
  await kept.exchange('x'.repeat(300_000));
  kept.close();
  await server.says(new RegExp(`process ${pids[2]} exited with 0`));
  expect(children(server.pid)).toEqual([]);
  server.signal('SIGINT');
  expect(await server.ended).toEqual({ code: 0, signal: null });
  expect(server.stdout).toMatch(/served 3 clients\n$/);
});
