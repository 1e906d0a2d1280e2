/**
 * `npm run node-suite -- FOLDER NODE [NAME…]`: Node's own tests, each twice: as the main script of a Node with the flags that a
 * fork needs, and of a forked child of such a Node. FOLDER is the `test` folder of Node's sources of the same release as NODE,
 * the path of a Node. Of `parallel`, the tests run that ask for no flags of their own. What passes with the flags has to
 * pass forked; names that need not are in node-suite.json, each with the assertion that depends on not being forked.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    jobs: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '60' },
    out: { type: 'string' },
  },
});
const [folder, node, ...only] = positionals;
if (folder === undefined || node === undefined) {
  console.error(
    "npm run node-suite -- FOLDER NODE [NAME…]: FOLDER is the test folder of Node's sources, NODE a Node",
  );
  process.exit(2);
}
const parallel = path.resolve(folder, 'parallel');
const launcher = fileURLToPath(new URL('forked-main.cjs', import.meta.url));
const flags = ['--single-threaded', '--v8-pool-size=1', '--disable-sigusr1'];
const limitMs = Number(values.seconds) * 1000;

const tests = fs
  .readdirSync(parallel)
  .filter(name => /^test-.*\.m?js$/.test(name))
  .filter(name => !/^\/\/ Flags:/m.test(fs.readFileSync(path.join(parallel, name), 'utf8')))
  .filter(name => only.length === 0 || only.includes(name) || only.includes(name.replace(/\.m?js$/, '')));

/** Each run has a folder for its temporary files, and a group of processes that is ended with it. */
async function run(/** @type {string[]} */ command, /** @type {number} */ lane) {
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'node-suite-'));
  const child = spawn(node, command, {
    cwd: folder,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      ...process.env,
      TEST_SERIAL_ID: String(lane),
      TEST_THREAD_ID: String(lane),
      NODE_TEST_DIR: scratch,
    },
  });
  child.stdin.on('error', () => {});
  child.stdin.end();
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', chunk => {
      if (output.length < 20_000) output += chunk;
    });
  let isLate = false;
  const endGroup = () => {
    try {
      process.kill(-(/** @type {number} */ (child.pid)), 'SIGKILL');
    } catch {}
  };
  const deadline = setTimeout(() => {
    isLate = true;
    endGroup();
  }, limitMs);
  const [code, signal] = await once(child, 'exit');
  clearTimeout(deadline);
  endGroup();
  fs.rmSync(scratch, { recursive: true, force: true, maxRetries: 3 });
  const result = isLate ? `no end after ${limitMs / 1000} s` : signal !== null ? signal : code;
  return { passed: result === 0, result, output };
}

/** @typedef {{ name: string, flags: string | number, forked: string | number, output: string }} Verdict */
/** Those of a run that was interrupted are in the file already. @type {Verdict[]} */
const verdicts =
  values.out && fs.existsSync(values.out) ? JSON.parse(fs.readFileSync(values.out, 'utf8')) : [];
const judged = new Set(verdicts.map(({ name }) => name));
const queue = tests.filter(name => !judged.has(name));

function judge(/** @type {Verdict} */ verdict) {
  verdicts.push(verdict);
  if (values.out) fs.writeFileSync(values.out, JSON.stringify(verdicts, null, 1));
  if (verdict.forked !== 0 && verdict.flags === 0) console.log(`✗ ${verdict.name}: ${verdict.forked}`);
  if (process.stderr.isTTY) process.stderr.write(`\r${verdicts.length} of ${tests.length} `);
}

async function work(/** @type {number} */ lane) {
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    const file = path.join(parallel, name);
    const plain = await run([...flags, file], lane);
    if (!plain.passed) {
      judge({ name, flags: plain.result, forked: '', output: '' });
      continue;
    }
    const { passed, result, output } = await run([...flags, launcher, file], lane);
    judge({ name, flags: 0, forked: result, output: passed ? '' : output });
  }
}

await Promise.all(Array.from({ length: Number(values.jobs) }, (_, lane) => work(lane + 1)));
const withFlags = verdicts.filter(({ flags }) => flags === 0);
const forked = withFlags.filter(({ forked }) => forked === 0);
console.log(
  `${tests.length} tests · ${withFlags.length} pass with the flags · ${forked.length} of these pass forked`,
);
process.exitCode = forked.length === withFlags.length ? 0 : 1;
