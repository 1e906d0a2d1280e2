/** The playground runs what strangers send: the attacks that it has to hold against. */
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { native } from '../lib/binding/native.ts';
import { Client } from './harness/client.ts';
import { children } from './harness/proc.ts';
import { node, Subject } from './harness/subject.ts';
import { eventually } from './harness/wait.ts';

const isRoot = process.getuid?.() === 0;
/** Version 6 is Linux 6.12, with every part. */
const canHold = isRoot && native.landlockVersion() >= 6;
const example = path.join(import.meta.dirname, '../examples/playground/server.js');

class Playground {
  readonly #server: Subject;
  #port = 0;

  constructor() {
    const first = 4_000_000 + (process.pid % 100_000) * 300;
    this.#server = new Subject(node, [example, '0'], { env: { PLAYGROUND_UIDS: `${first}-${first + 256}` } });
  }

  async listens(): Promise<this> {
    await this.says(/listening on port \d+\n/);
    this.#port = Number(/port (\d+)/.exec(this.#server.stdout)![1]);
    return this;
  }

  says(pattern: RegExp): Promise<unknown> {
    return this.#server.says(pattern, 'stdout');
  }

  get zygote(): number {
    return children(this.#server.pid)[0]!.pid;
  }

  connect(): Promise<Client> {
    return Client.connect(this.#port);
  }

  async runs(source: string): Promise<string> {
    const client = await this.connect();
    client.send(`${source}\n\n`);
    await client.closed;
    return client.received;
  }

  async stop(): Promise<void> {
    await eventually('nothing is left', () => children(this.zygote).length === 0);
    this.#server.signal('SIGTERM');
    expect(await this.#server.ended).toEqual({ code: 0, signal: null });
  }
}

const play = () => new Playground().listens();

describe.skipIf(!canHold)('the playground', () => {
  test('runs what it is sent', async () => {
    const playground = await play();
    expect(await playground.runs('return 6 * 7')).toBe('42\n');
    expect(await playground.runs('throw new RangeError("no")')).toBe('RangeError: no\n');
    await playground.stop();
  });

  test('kills neither the zygote nor a sibling, and reads neither', async () => {
    const playground = await play();
    const sibling = await playground.connect();
    const { zygote } = playground;
    const serving = await eventually('the sibling', () => children(zygote)[0]);
    for (const pid of [zygote, serving.pid]) {
      expect(await playground.runs(`process.kill(${pid}, 'SIGKILL')`)).toMatch(/^EPERM/);
      expect(await playground.runs(`modules.fs.openSync('/proc/${pid}/mem', 'r')`)).toMatch(/^EACCES/);
    }
    await playground.runs('process.kill(0, "SIGKILL")');
    await playground.runs('process.kill(-1, "SIGKILL")');
    sibling.send('return "still here"\n\n');
    await sibling.closed;
    expect(sibling.received).toBe('still here\n');
    expect(playground.zygote).toBe(zygote);
    await playground.stop();
  });

  test('opens no file, starts no program, and writes none', async () => {
    const playground = await play();
    for (const file of ['/etc/shadow', '/etc/passwd', '/proc/self/environ'])
      expect(await playground.runs(`modules.fs.openSync('${file}', 'r')`), file).toMatch(/^EACCES/);
    const large = `modules.fs.writeFileSync('/tmp/truefork-playground', Buffer.alloc(50 * 2 ** 20))`;
    expect(await playground.runs(large)).toMatch(/^EACCES/);
    const starts = 'return modules.child_process.execFileSync("/bin/true")';
    expect(await playground.runs(starts)).toMatch(/EACCES/);
    await playground.stop();
  });

  test('has no network: TCP, UDP, DNS, Unix sockets', async () => {
    const playground = await play();
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'truefork-playground-'));
    fs.chmodSync(folder, 0o777);
    const socket = path.join(folder, 'socket');
    const tcp = net.createServer().listen(0, '127.0.0.1');
    const local = net.createServer().listen(socket);
    await eventually('the servers', () => tcp.listening && local.listening);
    fs.chmodSync(socket, 0o777);
    const { port } = tcp.address() as net.AddressInfo;
    const attempt = (call: string) => `return await new Promise((yes, no) => ${call})`;
    const attacks = [
      attempt(`modules.net.connect(${port}, '127.0.0.1', () => yes('connected')).on('error', no)`),
      attempt(`modules.net.connect('${socket}', () => yes('connected')).on('error', no)`),
      attempt(`modules.net.createServer().on('error', no).listen(0, () => yes('listening'))`),
      attempt(
        `modules.dgram.createSocket('udp4').on('error', no).send('x', ${port}, '127.0.0.1', e => e ? no(e) : yes('sent'))`,
      ),
      `return await modules.dns.promises.resolve4('localhost')`,
      `return await modules.dns.promises.lookup('truefork.invalid')`,
    ];
    for (const attack of attacks) expect(await playground.runs(attack), attack).toMatch(/^E[A-Z_]+: /);
    tcp.close();
    local.close();
    fs.rmSync(folder, { recursive: true });
    await playground.stop();
  });

  test('an endless loop, 1 GB and 300 threads end the attacker alone', async () => {
    const playground = await play();
    expect(await playground.runs('for (;;);')).toBe('');
    await playground.says(/connection \d+ was ended: maxCpuTime/);
    const fills =
      'const all = []; for (let i = 0; i < 16; i++) all.push(Buffer.alloc(64 * 2 ** 20, 1)); return all.length';
    expect(await playground.runs(fills)).not.toBe('16\n');
    const sibling = await playground.connect();
    await playground.runs(
      'const all = []; for (let n = 0; n < 300; n++) all.push(new modules.worker_threads.Worker("1", { eval: true }));',
    );
    sibling.send('return "still here"\n\n');
    await sibling.closed;
    expect(sibling.received).toBe('still here\n');
    await playground.stop();
  });
});
