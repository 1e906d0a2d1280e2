/** What a forked child does: one of these. Each checks its own result, and throws if it is wrong. */
import assert from 'node:assert/strict';
import childProcess from 'node:child_process';
import { pbkdf2, scrypt } from 'node:crypto';
import dgram from 'node:dgram';
import dns from 'node:dns';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { Readable, Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate as immediate, setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import v8 from 'node:v8';
import vm from 'node:vm';
import { Worker } from 'node:worker_threads';
import zlib from 'node:zlib';
import { exit, fork, WEXITSTATUS, waitpid } from 'truefork/posix';
import { wasmModule } from './wasm.js';

/** @typedef {import('./random.js').Draws} Draws */

v8.setFlagsFromString('--expose-gc'); // for the context below, not for this one
const gc = vm.runInNewContext('gc');

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'truefork-stress-'));
let files = 0;
const ownFile = (/** @type {string} */ extension) =>
  path.join(folder, `${process.pid}-${++files}${extension}`);
export const removeFiles = () => fs.rmSync(folder, { recursive: true, force: true });

function churn(/** @type {number} */ objects) {
  let kept = /** @type {object[]} */ ([]);
  for (let n = 0; n < objects; n++) {
    kept.push({ n, text: `object ${n}`, next: kept[n % 7] });
    if (kept.length > 1000) kept = kept.slice(900);
  }
  return kept.length;
}

/** A server in this very process, asked once. @param {(url: string) => Promise<string>} ask */
async function serveOnce(ask) {
  const server = http.createServer((request, response) => response.end(`you asked for ${request.url}`));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  assert.equal(await ask(`http://127.0.0.1:${port}/stress`), 'you asked for /stress');
  server.close();
  server.closeAllConnections();
}

/** A name server that knows one address, for c-ares to ask. */
async function nameServer() {
  const server = dgram.createSocket('udp4');
  server.on('message', (query, { port, address }) => {
    const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7]);
    const question = query.subarray(12, query.indexOf(0, 12) + 5);
    const header = Buffer.from([query[0], query[1], 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]);
    server.send(Buffer.concat([header, question, answer]), port, address);
  });
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** The weight of a work is how often it is drawn, against the others: less often where it takes long. */
/** @type {Record<string, { weight: number, work: (draws: Draws) => unknown }>} */
export const works = {
  scavenges: {
    weight: 8,
    work: () => assert.ok(churn(100_000) > 0),
  },
  'full collections': {
    weight: 8,
    async work() {
      churn(10_000);
      gc();
      gc({ type: 'minor' });
      await gc({ execution: 'async' });
    },
  },
  'hot loops': {
    weight: 8,
    work(draws) {
      const step = 1 + draws.upTo(1000);
      const add = new Function('n', `let sum = 0; for (let i = 0; i < n; i++) sum += ${step}; return sum;`);
      for (let n = 0; n < 2000; n++) assert.equal(add(100), 100 * step);
      assert.equal(add(100_000), 100_000 * step);
    },
  },
  WebAssembly: {
    weight: 8,
    async work(draws) {
      const constant = draws.upTo(1000);
      const compiled = new WebAssembly.Module(wasmModule(constant));
      const { exports } = await WebAssembly.instantiate(compiled);
      const { sum, load, fail } = /** @type {Record<string, (n?: number) => number>} */ (exports);
      assert.equal(sum(10_000), 10_000 * constant);
      assert.equal(load(0), 0);
      assert.throws(() => load(1 << 20), WebAssembly.RuntimeError);
      assert.throws(() => fail(), WebAssembly.RuntimeError);
      const later = await WebAssembly.instantiate(wasmModule(constant + 1));
      assert.equal(/** @type {any} */ (later.instance.exports).sum(3), 3 * (constant + 1));
    },
  },
  'regular expressions': {
    weight: 8,
    work(draws) {
      const word = `w${draws.upTo(1000)}`;
      const pattern = new RegExp(`(?<=\\s)(${word}|x+y)(?<digits>\\d*)`, 'gu');
      const line = ` ${word}12 xxxy34 none `.repeat(200);
      for (let n = 0; n < 20; n++) assert.equal([...line.matchAll(pattern)].length, 400);
    },
  },
  fs: {
    weight: 8,
    async work() {
      const file = ownFile('.txt');
      fs.writeFileSync(file, 'written');
      assert.equal(await promisify(fs.readFile)(file, 'utf8'), 'written');
      assert.equal((await promisify(fs.stat)(file)).size, 7);
      fs.unlinkSync(file);
    },
  },
  'fs/promises': {
    weight: 8,
    async work() {
      const file = ownFile('.dat');
      await fs.promises.writeFile(file, Buffer.alloc(100_000, 'x'));
      const handle = await fs.promises.open(file);
      const { bytesRead } = await handle.read(Buffer.alloc(200_000), 0, 200_000, 0);
      assert.equal(bytesRead, 100_000);
      await handle.close();
      await fs.promises.rm(file);
    },
  },
  dns: {
    weight: 4,
    async work() {
      assert.match((await dns.promises.lookup('localhost')).address, /^(127\.0\.0\.1|::1)$/);
      const server = await nameServer();
      const resolver = new dns.promises.Resolver();
      resolver.setServers([`127.0.0.1:${server.address().port}`]);
      assert.deepEqual(await resolver.resolve4('stress.example'), ['192.0.2.7']);
      server.close();
    },
  },
  zlib: {
    weight: 8,
    async work() {
      const text = Buffer.from('all work and no play '.repeat(500));
      assert.deepEqual(await promisify(zlib.gunzip)(await promisify(zlib.gzip)(text)), text);
      assert.deepEqual(zlib.brotliDecompressSync(zlib.brotliCompressSync(text, fastBrotli)), text);
    },
  },
  'pbkdf2, scrypt': {
    weight: 8,
    async work() {
      // The test vectors of RFC 7914, sections 11 and 12.
      const derived = await promisify(pbkdf2)('passwd', 'salt', 1, 64, 'sha256');
      assert.match(derived.toString('hex'), /^55ac046e56e3089fec1691c22544b605/);
      const stretched = await new Promise((resolve, reject) => {
        scrypt('', '', 64, { N: 16, r: 1, p: 1 }, (error, key) => (error ? reject(error) : resolve(key)));
      });
      assert.match(stretched.toString('hex'), /^77d6576238657b203b19ca42c18a0497/);
    },
  },
  http: {
    weight: 4,
    work: () =>
      serveOnce(async url => {
        const [response] = await once(http.get(url, { agent: false }), 'response');
        return (await response.setEncoding('utf8').toArray()).join('');
      }),
  },
  fetch: {
    weight: 1,
    work: () => serveOnce(async url => (await fetch(url)).text()),
  },
  timers: {
    weight: 8,
    async work() {
      const order = /** @type {string[]} */ ([]);
      setImmediate(() => order.push('immediate'));
      process.nextTick(() => order.push('tick'));
      queueMicrotask(() => order.push('microtask'));
      await sleep(2);
      await immediate();
      assert.deepEqual(order.sort(), ['immediate', 'microtask', 'tick']);
      let beats = 0;
      await new Promise(resolve => {
        const interval = setInterval(() => {
          if (++beats < 3) return;
          clearInterval(interval);
          resolve(undefined);
        }, 1);
      });
    },
  },
  child_process: {
    weight: 1,
    async work() {
      assert.equal(childProcess.execFileSync('echo', ['hello'], { encoding: 'utf8' }), 'hello\n');
      const cat = childProcess.spawn('cat');
      cat.stdin.end('through cat');
      const [said, [code]] = await Promise.all([
        cat.stdout.setEncoding('utf8').toArray(),
        once(cat, 'close'),
      ]);
      assert.deepEqual([said.join(''), code], ['through cat', 0]);
    },
  },
  Worker: {
    weight: 1,
    async work() {
      const worker = new Worker(
        "const { parentPort } = require('worker_threads'); parentPort.once('message', n => parentPort.postMessage(n + 1));",
        { eval: true },
      );
      worker.postMessage(41);
      const ended = once(worker, 'exit');
      assert.deepEqual(await once(worker, 'message'), [42]);
      assert.deepEqual(await ended, [0]);
    },
  },
  import: {
    weight: 8,
    async work(draws) {
      const number = draws.upTo(1000);
      const file = ownFile('.mjs');
      fs.writeFileSync(file, `export const value = await Promise.resolve(${number});`);
      assert.equal((await import(file)).value, number);
      assert.equal((await import(`data:text/javascript,export default ${number}`)).default, number);
      fs.unlinkSync(file);
    },
  },
  streams: {
    weight: 4,
    async work() {
      let bytes = 0;
      const upper = new Transform({
        transform: (chunk, _encoding, done) => done(null, String(chunk).toUpperCase()),
      });
      const count = new Writable({
        write(chunk, _encoding, done) {
          bytes += chunk.length;
          setImmediate(done);
        },
      });
      await pipeline(Readable.from(Array.from({ length: 20 }, () => 'x'.repeat(500))), upper, count);
      assert.equal(bytes, 10_000);
      const chunks = await Readable.fromWeb(/** @type {any} */ (new Blob(['a web stream']).stream()))
        .setEncoding('utf8')
        .toArray();
      assert.equal(chunks.join(''), 'a web stream');
    },
  },
  'a fork': {
    weight: 4,
    async work(draws) {
      const code = draws.upTo(256);
      await immediate();
      const pid = fork();
      if (pid === 0) {
        churn(1000);
        exit(code);
      }
      assert.equal(WEXITSTATUS(waitpid(pid).status), code);
    },
  },
};

const fastBrotli = { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 1 } };

/** What the process that forks does itself between some forks: it allocates, compiles, collects, uses its threads. */
export const betweenForks = [
  () => void churn(20_000),
  works['hot loops'].work,
  works.WebAssembly.work,
  works['regular expressions'].work,
  works['fs/promises'].work,
  works.import.work,
  works.zlib.work,
  works.timers.work,
  () => gc({ type: 'minor' }),
  () => gc(),
];
