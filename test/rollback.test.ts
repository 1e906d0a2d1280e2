/** A worker that is rolled back: each connection finds what the first one found, or another worker. */
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import { describe, expect, test } from 'vitest';
import { replacing, works } from '../stress/torture.js';
import { makeCertificate } from './harness/certificates.ts';
import { ask, Client } from './harness/client.ts';
import { children, descriptors } from './harness/proc.ts';
import { script } from './harness/scripts.ts';
import { type Served, serve } from './harness/served.ts';
import { runScript } from './harness/subject.ts';
import { eventually } from './harness/wait.ts';

const torture = path.resolve('stress/torture.js');
const verified = { TRUEFORK_ROLLBACK: 'verify' };

const rollbacks = (server: Served) =>
  server.events.filter(event => event.event === 'end').filter(({ rollback }) => rollback !== undefined);

/** Until so many connections are over, and their workers free for the next. */
const over = (server: Served, count: number) =>
  eventually(`${count} ends`, () => rollbacks(server).length + server.exits.length >= count);

function request(port: number, url: string, agent?: http.Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = http.get({ port, path: url, ...(agent ? { agent } : { agent: false }) }, response => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', chunk => {
        text += chunk;
      });
      response.on('end', () => resolve(text));
    });
    asked.on('error', reject);
  });
}

describe.each(['callbacks', 'stream', 'http'])('%s', form => {
  const say = (port: number, work: string) =>
    form === 'http' ? request(port, `/${work}`) : answerTo(port, work);

  test('whatever one connection does to its process, the next finds nothing of it', async () => {
    const server = await serve(torture, ['--rollback'], { env: { ...verified, TORTURE_FORM: form } });
    const names = Object.keys(works);
    const answers = new Map<string, string[]>();
    let asked = 0;
    for (const name of names) {
      for (const work of [name, 'nothing', name, 'nothing']) {
        const answer = await say(server.port, work).catch(
          (error: NodeJS.ErrnoException) => error.code ?? 'failed',
        );
        if (!(work === 'thrown' && !answer.startsWith('{')))
          answers.set(answer, [...(answers.get(answer) ?? []), work]);
        await over(server, ++asked);
      }
    }
    // One state, found by all: that of a fresh fork.
    expect([...answers.keys()].map(text => JSON.parse(text))).toMatchObject([
      { served: 1, kept: 0, value: 1, threads: 1 },
    ]);
    const { replacedFor } = tally(server);
    expect(replacedFor.verify ?? 0).toBe(0);
    // Two connections each of what starts a thread or a process, and of 'thrown', which ends with 1 by itself.
    const byNature = [...replacing].length * 2;
    expect(server.exits.length).toBeGreaterThanOrEqual(byNature);
    expect(server.exits.filter(({ code }) => code === 0).length).toBeLessThanOrEqual(byNature + 4);
    expect(server.exits.filter(({ signal }) => signal !== null)).toEqual([]);
    await server.stop();
  });
});

/** Without a half-close, which a stream handler answers by closing. */
async function answerTo(port: number, text: string): Promise<string> {
  const client = await Client.connect(port);
  client.send(text);
  await client.closed;
  return client.received;
}

function tally(server: Served): { replacedFor: Record<string, number> } {
  const replacedFor: Record<string, number> = {};
  for (const { replacedFor: reason } of server.exits)
    if (reason !== undefined) replacedFor[reason] = (replacedFor[reason] ?? 0) + 1;
  return { replacedFor };
}

test('one process serves many connections, and counts each by itself', async () => {
  const server = await serve('export default { data(conn, chunk) { conn.end(String(process.pid)); } };', [
    '--rollback',
  ]);
  const pids = new Set<string>();
  for (let n = 1; n <= 50; n++) {
    pids.add(await ask(server.port, 'x'.repeat(n)));
    await over(server, n);
  }
  expect(pids.size).toBe(1);
  expect(server.exits).toEqual([]);
  const ends = rollbacks(server);
  expect(ends.map(({ rollback }) => rollback?.bytesRead)).toEqual(
    Array.from({ length: 50 }, (_, n) => n + 1),
  );
  expect(new Set(ends.map(({ rollback }) => rollback?.bytesWritten))).toEqual(
    new Set([String([...pids][0]).length]),
  );
  for (const { rollback } of ends) expect(rollback!.rusage.userCPUTime).toBeLessThan(60e6);
  // Once its pages are known it does not look for changes any more.
  expect(ends.slice(25).filter(({ rollback }) => rollback?.searched).length).toBeLessThanOrEqual(3);
  await server.stop();
});

test('a child leaves after connectionsPerChild, and another serves the next', async () => {
  const server = await serve('export default { data(conn) { conn.end(String(process.pid)); } };', [
    ...['--rollback', '--connections-per-child', '3'],
  ]);
  const pids: string[] = [];
  for (let n = 1; n <= 7; n++) {
    pids.push(await ask(server.port, 'x'));
    await over(server, n);
  }
  expect(pids.slice(0, 3)).toEqual(Array(3).fill(pids[0]));
  expect(pids.slice(3, 6)).toEqual(Array(3).fill(pids[3]));
  expect(new Set(pids).size).toBe(3);
  expect(server.exits).toMatchObject([
    { id: 3, code: 0 },
    { id: 6, code: 0 },
  ]);
  for (const exit of server.exits) expect(exit.replacedFor).toBeUndefined();
  await server.stop();
});

test('afterFork and at-fork handlers run once for each connection', async () => {
  const server = await serve(
    `import { registerAtFork } from 'truefork';
    let forked = 0, handled = 0;
    registerAtFork({ afterInChild: () => void handled++ });
    export async function afterFork() { await null; forked++; }
    export default { data(conn) { conn.end(forked + ' ' + handled); } };`,
    ['--rollback'],
    { env: verified },
  );
  for (let n = 1; n <= 5; n++) {
    expect(await ask(server.port, 'x')).toBe('1 1');
    await over(server, n);
  }
  expect(server.exits).toEqual([]);
  await server.stop();
});

test('an http connection is kept alive through its requests, and then rolled back', async () => {
  const server = await serve(
    `import http from 'node:http';
    let count = 0;
    export default http.createServer((_, response) => response.end(String(++count)));`,
    ['--rollback'],
    { env: verified },
  );
  for (let n = 1; n <= 4; n++) {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    for (const expected of ['1', '2', '3']) expect(await request(server.port, '/', agent)).toBe(expected);
    agent.destroy();
    await over(server, n);
  }
  expect(server.exits).toEqual([]);
  await server.stop();
});

test('spare children are rolled back, too, and a reload replaces them in the midst of it', async () => {
  const server = await serve(
    'let count = 0; export default { data(conn) { conn.end(String(++count)); } };',
    ['--rollback', '--spare', '2'],
    { env: verified },
  );
  let stopped = false;
  const answers: string[] = [];
  const client = async () => {
    while (!stopped) answers.push(await ask(server.port, 'x'));
  };
  const clients = [client(), client()];
  for (let reload = 1; reload <= 3; reload++) {
    const before = answers.length;
    server.signal('SIGHUP');
    await eventually('the reload', () => server.reloads === reload);
    await eventually('more answers', () => answers.length > before + 20);
  }
  stopped = true;
  await Promise.all(clients);
  expect(new Set(answers)).toEqual(new Set(['1']));
  await eventually('one zygote', () => server.zygotePids.length === 1);
  await server.stop();
});

test('a worker that is killed ends its own connection alone', async () => {
  const server = await serve(
    `export default { data(conn, chunk) { if (String(chunk) === 'abort') process.abort(); conn.end(chunk); } };`,
    ['--rollback'],
    { env: verified },
  );
  for (const text of ['one', 'abort', 'two']) {
    expect(await ask(server.port, text).catch(() => '')).toBe(text === 'abort' ? '' : text);
  }
  await eventually('the exit', () => server.exits.length === 1);
  expect(server.exits).toMatchObject([{ id: 2, signal: 'SIGABRT' }]);
  await server.stop();
});

test('a secret of one connection is nowhere in the memory of its worker afterwards', async () => {
  const secret = `secret-${process.pid}-${Date.now()}-of-this-connection`;
  const server = await serve(
    `const kept = [];
    export default { data(conn, chunk) {
      const text = String(chunk);
      kept.push(text, Buffer.from(text), [...text], { [text]: text }, new Uint8Array(chunk), text + text, Symbol(text));
      globalThis[text] = JSON.stringify(kept.map(String));
      process.env.SECRET = text;
      conn.end('kept');
    } };`,
    ['--rollback'],
  );
  const occurrences = () => children(server.zygotePid).map(({ pid }) => countInMemory(pid, secret));
  for (let n = 0; n < 3; n++) {
    expect(await ask(server.port, secret)).toBe('kept');
    await over(server, n + 1);
    expect(occurrences().reduce((sum, count) => sum + count, 0)).toBe(0);
  }
  await server.stop();
});

/** In all memory of a process that can be read. */
function countInMemory(pid: number, text: string): number {
  const wanted = Buffer.from(text);
  const memory = fs.openSync(`/proc/${pid}/mem`, 'r');
  let count = 0;
  for (const line of fs.readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
    const [, start, end] = /^([0-9a-f]+)-([0-9a-f]+) rw.p/.exec(line) ?? [];
    if (start === undefined) continue;
    const size = Number(BigInt(`0x${end}`) - BigInt(`0x${start}`));
    const bytes = Buffer.alloc(size);
    try {
      fs.readSync(memory, bytes, 0, size, BigInt(`0x${start}`) as unknown as number);
    } catch {
      continue;
    }
    for (let at = bytes.indexOf(wanted); at >= 0; at = bytes.indexOf(wanted, at + 1)) count++;
  }
  fs.closeSync(memory);
  return count;
}

test('nothing is drawn twice, though each connection begins with the same memory', async () => {
  const server = await serve(
    `import { createECDH, generateKeyPairSync, randomBytes, randomInt, randomUUID, webcrypto } from 'node:crypto';
    const draws = {
      'Math.random': () => Math.random(),
      randomUUID: () => randomUUID(),
      webcrypto: () => webcrypto.randomUUID(),
      randomInt: () => randomInt(2 ** 47),
      randomBytes: () => randomBytes(8).toString('hex'),
      getRandomValues: () => String(crypto.getRandomValues(new Uint32Array(2))),
      ecdh: () => createECDH('prime256v1').generateKeys('hex'),
      ed25519: () => generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }).x,
    };
    export function beforeServe() { for (const draw of Object.values(draws)) for (let n = 0; n < 10; n++) draw(); }
    export default { open(conn) { conn.end(JSON.stringify(Object.entries(draws).map(([name, draw]) => [name, draw(), draw()]))); } };`,
    ['--rollback'],
  );
  const drawn = new Map<string, unknown[]>();
  for (let n = 1; n <= 200; n++) {
    for (const [name, ...values] of JSON.parse(await ask(server.port)))
      drawn.set(name, [...(drawn.get(name) ?? []), ...values]);
    await over(server, n);
  }
  expect(drawn.size).toBe(8);
  for (const [name, values] of drawn) expect([name, new Set(values).size]).toEqual([name, 400]);
  expect(server.exits).toEqual([]);
  await server.stop();
});

test('no TLS handshake has the server random, the key share or the ticket of another', async () => {
  const { cert, key } = makeCertificate('server.test');
  const server = await serve(
    `import fs from 'node:fs';
    import tls from 'node:tls';
    export default tls.createServer({ cert: fs.readFileSync(${JSON.stringify(cert)}), key: fs.readFileSync(${JSON.stringify(key)}) },
      socket => socket.end('x'));`,
    ['--rollback'],
  );
  const randoms = new Set<string>();
  const shares = new Set<string>();
  const tickets = new Set<string>();
  const connections = 150;
  for (let n = 1; n <= connections; n++) {
    let hello = Buffer.alloc(0);
    // In between, to see what goes over the wire.
    const proxy = net.createServer(client => {
      const upstream = net.connect(server.port, '127.0.0.1');
      upstream.on('data', chunk => {
        hello = Buffer.concat([hello, chunk]);
      });
      client.pipe(upstream).pipe(client);
      for (const end of [client, upstream]) end.on('error', () => {});
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const { port } = proxy.address() as net.AddressInfo;
    const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    socket.on('session', session => tickets.add(session.toString('hex')));
    socket.resume().once('end', () => socket.destroy());
    await once(socket, 'close');
    const { random, share } = parseServerHello(hello);
    randoms.add(random);
    shares.add(share);
    await over(server, n);
  }
  expect([randoms.size, shares.size]).toEqual([connections, connections]);
  expect(tickets.size).toBeGreaterThanOrEqual(connections);
  expect(server.exits).toEqual([]);
  await server.stop();
});

/** RFC 8446, 4.1.3: behind the headers of the record and the message, a version, 32 bytes, and extensions. */
function parseServerHello(bytes: Buffer): { random: string; share: string } {
  expect([bytes[0], bytes[5]]).toEqual([22, 2]);
  const random = bytes.subarray(11, 43).toString('hex');
  let at = 43 + 1 + bytes[43]! + 2 + 1; // the session id, the cipher suite, the compression
  const end = at + 2 + bytes.readUInt16BE(at);
  for (at += 2; at < end; at += 4 + bytes.readUInt16BE(at + 2)) {
    if (bytes.readUInt16BE(at) !== 51) continue; // key_share
    return { random, share: bytes.subarray(at + 4, at + 4 + bytes.readUInt16BE(at + 2)).toString('hex') };
  }
  throw new Error('there is no key share in what the server said first');
}

test('a worker keeps no descriptor of the zygote, nor of a connection', async () => {
  const server = await serve('export default { data(conn, chunk) { conn.end(chunk); } };', ['--rollback']);
  await ask(server.port, 'x');
  await over(server, 1);
  const [worker] = children(server.zygotePid);
  const before = descriptors(worker!.pid);
  for (let n = 2; n <= 10; n++) {
    await ask(server.port, 'x');
    await over(server, n);
  }
  expect(descriptors(worker!.pid)).toEqual(before);
  await server.stop();
});

test('what cannot be is refused with a sentence that says what to do', async () => {
  const { stdout } = await runScript(
    script(`
    import { ForkingServer } from 'truefork';
    for (const options of [{ connectionsPerChild: 1 }, { inspectChild: true }, { handler: undefined, exec: ['cat'] }]) {
      try { new ForkingServer({ handler: 'stress/torture.js', rollback: true, ...options }); console.log('taken'); }
      catch (error) { console.log(error.code, error.message); }
    }
  `),
  );
  expect(stdout.split('\n')).toMatchObject([
    expect.stringMatching(/^ERR_TRUEFORK_ARGUMENT rollback is for children that serve several connections/),
    expect.stringMatching(/^ERR_TRUEFORK_ARGUMENT a child that is being debugged cannot be rolled back/),
    expect.stringMatching(/^ERR_TRUEFORK_ARGUMENT rollback is for a handler script/),
    '',
  ]);
});
