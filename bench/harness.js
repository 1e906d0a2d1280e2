/** Builds the C programs, starts and ends servers, and puts load on them. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { family, stillRuns } from '../scripts/proc.js';
import { benchDirectory } from './servers.js';

/** @typedef {import('./servers.js').Server} Server */
/**
 * @typedef {object} Running
 * @property {Server} server
 * @property {number} pid also the id of its process group
 * @property {number} port
 * @property {number} atRest how many processes it has without a connection
 * @property {() => string | undefined} trouble what it printed before it ended by itself
 */
/**
 * @typedef {object} Load what bench/build/load prints; times in µs
 * @property {number} connections
 * @property {Record<string, number>} errors
 * @property {number} seconds
 * @property {number} perSecond
 * @property {number} p50
 * @property {number} p90
 * @property {number} p99
 * @property {number} max
 */

const loadProgram = path.join(benchDirectory, 'build/load');

export function build() {
  fs.mkdirSync(path.join(benchDirectory, 'build'), { recursive: true });
  for (const program of ['echo-fork', 'load'])
    execFileSync('cc', ['-O2', '-o', `build/${program}`, `c/${program}.c`], {
      cwd: benchDirectory,
      stdio: 'inherit',
    });
}

export function installed(/** @type {Server} */ { check }) {
  return !check?.length || spawnSync(check[0], check.slice(1), { stdio: 'ignore' }).status === 0;
}

async function freePort() {
  const probe = net.createServer().listen(0, '127.0.0.1');
  await new Promise(resolve => probe.once('listening', resolve));
  const { port } = /** @type {net.AddressInfo} */ (probe.address());
  await new Promise(resolve => probe.close(resolve));
  return port;
}

/** @returns {Promise<boolean>} */
function answers(/** @type {number} */ port) {
  return new Promise(resolve => {
    const socket = net.connect(port, '127.0.0.1', () => socket.end(() => resolve(true)));
    socket.on('error', () => resolve(false)).resume();
  });
}

/** @type {Set<Running>} */
const started = new Set();

/**
 * Starts a server in a session, and so a process group, of its own, and waits until it listens. Its output goes
 * to /dev/null, so its port is chosen here: not every peer could tell which one it got.
 *
 * @returns {Promise<Running>}
 */
export async function start(/** @type {Server} */ server) {
  const port = await freePort();
  const [command, ...args] = server.command(port);
  const child = spawn(command, args, { detached: true, stdio: ['ignore', 'ignore', 'pipe'] });
  const pid = child.pid;
  if (pid === undefined) throw new Error(`${server.name}: cannot start ${command}`);
  let printed = '';
  child.stderr.on('data', data => {
    printed = (printed + data).slice(-2000);
  });
  const trouble = () =>
    child.exitCode === null && child.signalCode === null
      ? undefined
      : `${server.name} ended by itself (${child.signalCode ?? child.exitCode}): ${printed.trim()}`;
  const running = { server, pid, port, atRest: 1, trouble };
  started.add(running);
  for (let waited = 0; !(await answers(port)); waited += 10) {
    if (trouble() || waited > 10_000) {
      started.delete(running);
      throw new Error(trouble() ?? `${server.name} does not listen after 10 s`);
    }
    await sleep(10);
  }
  await sleep(300); // the connection that found it listening ends
  running.atRest = family(pid).length;
  return running;
}

/** Waits for a state that is near, up to a deadline. */
async function until(
  /** @type {() => boolean | Promise<boolean>} */ state,
  /** @type {number} */ milliseconds,
) {
  for (const deadline = Date.now() + milliseconds; Date.now() < deadline; await sleep(20))
    if (await state()) return true;
  return false;
}

/** Waits until the children of the connections so far have ended, so that their CPU time is told in full. */
export function settle(/** @type {Running} */ { pid, atRest }) {
  return until(() => family(pid).length <= atRest, 5000);
}

/** Ends a server and whatever it left behind, which is an error. */
export async function stop(/** @type {Running} */ running) {
  const { pid, port, server, trouble } = running;
  const members = family(pid);
  if (members.length) process.kill(pid, 'SIGTERM');
  const ended = await until(() => trouble() !== undefined && !members.some(stillRuns), 7000);
  killGroup(pid);
  for (const member of members.filter(stillRuns)) process.kill(member.pid, 'SIGKILL');
  started.delete(running);
  if (!ended) throw new Error(`${server.name} left processes behind`);
  if (!(await until(async () => !(await answers(port)), 1000)))
    throw new Error(`${server.name} is gone, but its port still answers`);
}

function killGroup(/** @type {number} */ id) {
  try {
    process.kill(-id, 'SIGKILL');
  } catch {} // nobody is left in it
}

// However this program ends, its servers end with it.
process.on('exit', () => {
  for (const { pid } of started) killGroup(pid);
});
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
  process.on(signal, () => process.exit(1));

/** @returns {string[]} */
function loadArguments(/** @type {Running} */ { server, port }, /** @type {string[]} */ options) {
  return [...options, '--timeout', '15000', ...(server.http ? ['--http'] : []), String(port)];
}

/** One run of the load generator. */
export async function load(/** @type {Running} */ running, /** @type {string[]} */ options) {
  const child = spawn(loadProgram, loadArguments(running, options), { stdio: ['ignore', 'pipe', 'inherit'] });
  return (await lines(child).next()).value ?? fail(running);
}

/** µs of CPU that a server and its children took, those that ended and were waited for included. */
function cpuMicrosOf(/** @type {number} */ root) {
  return family(root).reduce((sum, { cpuMicros }) => sum + cpuMicros, 0);
}

/** One run, and the CPU time that the server with its children took for it. */
export async function measure(/** @type {Running} */ running, /** @type {string[]} */ options) {
  const before = cpuMicrosOf(running.pid);
  const result = await load(running, options);
  await settle(running);
  return { ...result, cpu: cpuMicrosOf(running.pid) - before };
}

/** Opens connections and keeps them idle; `ask` has each answer once more, `release` closes them. */
export async function hold(/** @type {Running} */ running, /** @type {number} */ count) {
  const options = ['--hold', String(count), '--seconds', '300', '--clients', '32'];
  const child = spawn(loadProgram, loadArguments(running, options), { stdio: ['pipe', 'pipe', 'inherit'] });
  const answersOf = lines(child);
  const next = async () => (await answersOf.next()).value ?? fail(running);
  return {
    opened: /** @type {Load} */ (await next()),
    /** @returns {Promise<Load>} */
    ask() {
      child.stdin.write('\n');
      return next();
    },
    async release() {
      child.stdin.end();
      await answersOf.next();
      await settle(running);
    },
  };
}

/** @returns {AsyncGenerator<Load, undefined>} */
async function* lines(/** @type {import('node:child_process').ChildProcess} */ { stdout }) {
  for await (const line of createInterface({ input: /** @type {import('node:stream').Readable} */ (stdout) }))
    yield JSON.parse(line);
}

/** @returns {never} */
function fail(/** @type {Running} */ running) {
  throw new Error(running.trouble() ?? `no result of the load on ${running.server.name}`);
}

/**
 * Measures servers one after the other. One that fails is told of and left out.
 *
 * @template Row
 * @param {Server[]} list
 * @param {(running: Running) => Promise<Row>} work
 */
export async function oneByOne(list, work) {
  const rows = [];
  for (const server of list.filter(installed)) {
    try {
      const running = await start(server);
      try {
        rows.push(await work(running));
      } finally {
        await stop(running);
      }
    } catch (error) {
      complain(error);
    }
  }
  progress('');
  return rows;
}

/** What went wrong does not end the run, but shows in the exit code. */
export function complain(/** @type {unknown} */ error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

/** The middle one; of two, the mean. */
export function median(/** @type {number[]} */ values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2;
}

/** A line on stderr that says what is happening; on a terminal it overwrites the one before. */
export function progress(/** @type {string} */ text) {
  process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${text}` : `${text}\n`);
}
