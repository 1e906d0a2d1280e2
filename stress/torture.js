/**
 * A handler for servers that roll back: whatever a client names, it does to its process, and it answers with what it
 * found before it did it. Served by callbacks, as a stream or by http: `TORTURE_FORM`.
 */
import cp from 'node:child_process';
import crypto from 'node:crypto';
import dns from 'node:dns';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import v8 from 'node:v8';
import vm from 'node:vm';
import { Worker } from 'node:worker_threads';
import zlib from 'node:zlib';

let served = 0;
/** @type {unknown[]} */
const kept = [];
const table = { value: 1 };
const folder = process.cwd();
/** @type {Record<string, any>} */
const globals = globalThis;

const adding = Uint8Array.of(
  ...[
    0, 97, 115, 109, 1, 0, 0, 0, 1, 7, 1, 96, 2, 127, 127, 1, 127, 3, 2, 1, 0, 7, 7, 1, 3, 97, 100, 100, 0, 0,
  ],
  ...[10, 9, 1, 7, 0, 32, 0, 32, 1, 106, 11],
);

/** @type {Record<string, () => unknown>} */
export const works = {
  nothing() {},
  hotLoop() {
    let sum = 0;
    for (let i = 0; i < 1e6; i++) sum += i % 7;
    return sum;
  },
  wasm() {
    const { add } = new WebAssembly.Instance(new WebAssembly.Module(adding)).exports;
    return /** @type {Function} */ (add)(1, 2);
  },
  garbage() {
    for (let i = 0; i < 100; i++) globals.garbage = new Array(10_000).fill(i);
  },
  retained() {
    for (let i = 0; i < 40_000; i++) kept.push({ i });
  },
  largeBuffer() {
    kept.push(Buffer.alloc(8 << 20));
  },
  manyBuffers() {
    for (let i = 0; i < 30; i++) kept.push(Buffer.alloc(1 << 20, 1));
  },
  code() {
    return new Function('a', 'return a + 1')(1);
  },
  contexts() {
    return vm.runInNewContext('a + 1', { a: 1 });
  },
  stackOverflow() {
    const deeper = /** @returns {void} */ () => deeper();
    try {
      deeper();
    } catch {}
  },
  descriptors() {
    for (let i = 0; i < 10; i++) fs.openSync('/dev/null', 'r');
  },
  timers() {
    setTimeout(() => {}, 1_000_000).unref();
    setInterval(() => {}, 1_000_000).unref();
  },
  signalHandlers() {
    process.on('SIGUSR2', () => {});
    process.on('SIGHUP', () => {});
  },
  folder() {
    process.chdir('/');
  },
  umask() {
    process.umask(0o777);
  },
  environment() {
    process.env.TORTURED = 'yes';
  },
  title() {
    process.title = 'tortured';
  },
  pollution() {
    Object.defineProperty(Object.prototype, 'tortured', { value: 1, configurable: true, writable: true });
    globals.tortured = 'yes';
    table.value = 2;
  },
  closedDescriptor() {
    fs.closeSync(0);
    fs.openSync('/etc/hostname', 'r');
  },
  exit() {
    setImmediate(() => process.exit(0));
  },
  priority() {
    os.setPriority(5);
  },
  locale() {
    return (1234.5).toLocaleString('de') + new Intl.DateTimeFormat('fr').format(0);
  },
  regularExpression() {
    return /(a+)+b/.test('aaaaaaaaaaaaaa');
  },
  hash() {
    return crypto.createHash('sha256').update('x').digest('hex');
  },
  key() {
    return crypto.generateKeyPairSync('ed25519');
  },
  compression() {
    return zlib.gzipSync(Buffer.alloc(100_000));
  },
  heapStatistics() {
    return v8.getHeapStatistics();
  },
  promises() {
    return Promise.all(Array.from({ length: 1000 }, async () => new Promise(setImmediate)));
  },
  watcher() {
    fs.watch('/tmp', () => {}).unref();
  },
  spawned() {
    cp.execFileSync('true');
  },
  threadPool() {
    return fs.promises.readFile('/etc/hostname');
  },
  lookup() {
    return dns.promises.lookup('localhost');
  },
  worker() {
    return new Promise(done => new Worker('', { eval: true }).once('exit', done));
  },
  thrown() {
    setImmediate(() => {
      throw new Error('thrown to be tortured');
    });
  },
};

/** What replaces the worker by its nature: it leaves a thread, has started a process, or ends with an exit code. */
export const replacing = new Set(['spawned', 'threadPool', 'lookup', 'thrown']);

function found() {
  return JSON.stringify({
    served: ++served,
    kept: kept.length,
    value: table.value,
    global: globals.tortured ?? 'no',
    prototype: /** @type {any} */ ({}).tortured ?? 'no',
    environment: process.env.TORTURED ?? 'no',
    folder: process.cwd() === folder,
    umask: process.umask().toString(8),
    title: process.title.startsWith('truefork'),
    handlers: process.listenerCount('SIGUSR2') + process.listenerCount('SIGHUP'),
    descriptors: fs.readdirSync('/proc/self/fd').length,
    standardInput: fs.readlinkSync('/proc/self/fd/0'),
    threads: fs.readdirSync('/proc/self/task').length,
    priority: os.getPriority(),
    status: fs
      .readFileSync('/proc/self/status', 'utf8')
      .split('\n')
      .filter(line =>
        /^(Sig[PBIC]|Shd|Uid|Gid|Groups|NoNewPrivs|Seccomp|Cpus_allowed|Umask|VmLck)/.test(line),
      )
      .join('|'),
  });
}

/** Runs the work of that name; resolves to what was there before. */
async function torture(/** @type {string} */ name) {
  const state = found();
  await works[name]?.();
  return state;
}

const callbacks = {
  /** @param {import('truefork').Connection} conn @param {Buffer} chunk */
  async data(conn, chunk) {
    conn.end(await torture(String(chunk).trim()));
  },
};

/** @param {import('node:net').Socket} socket */
function stream(socket) {
  socket.once('data', async chunk => socket.end(await torture(String(chunk).trim())));
}

const server = http.createServer(async (request, response) => {
  response.end(await torture(String(request.url).slice(1)));
});

const forms = { callbacks, stream, http: server };
export default forms[/** @type {keyof typeof forms} */ (process.env.TORTURE_FORM ?? 'callbacks')];
