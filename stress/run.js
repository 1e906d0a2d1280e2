/** `npm run stress`: a hundred thousand forks on each line of Node, and of each child its exact exit code. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import os from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { record } from '../scripts/fork-safety.js';
import { allLines, lineOf, nodeOfLine, versionOf } from '../scripts/node-lines.js';
import { backtrace } from './backtrace.js';

/**
 * @typedef {object} Result
 * @property {string} node its version
 * @property {number} seed
 * @property {number} forks children that were forked and have ended
 * @property {Record<string, number>} tally how many children did what
 * @property {number} hung
 * @property {number} signals
 * @property {number} wrongCodes
 * @property {number} seconds
 */

const usage = `npm run stress -- [options]
  --forks N        forks on each line of Node           (100000)
  --seed S         repeats the run that printed it       (one of the clock's)
  --node PATH      on this Node; may be given again      (lines ${allLines.join(', ')}, fetched where missing)
  --only WORK      this work alone; may be given again   (all)
  --at-once N      children at once                      (as many as there are cores)
  --deadline S     seconds for each child                (60)
  --write          into docs/fork-safety.md, too
^C ends the run with what it has seen so far.`;

const { values } = parseArgs({
  options: {
    forks: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    node: { type: 'string', multiple: true },
    only: { type: 'string', multiple: true },
    'at-once': { type: 'string', default: String(os.availableParallelism()) },
    deadline: { type: 'string', default: '60' },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

function whole(/** @type {'forks' | 'seed' | 'at-once' | 'deadline'} */ option) {
  const value = Number(values[option]);
  if (Number.isInteger(value) && value >= (option === 'seed' ? 0 : 1)) return value;
  console.error(`--${option} takes a whole number, not "${values[option]}"\n${usage}`);
  process.exit(2);
}

let interrupted = false;
const forks = whole('forks');
const seed = whole('seed');
const deadlineMs = whole('deadline') * 1000;
const work = { forks, seed, only: values.only, atOnce: whole('at-once'), deadlineMs };
const cli = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const forker = fileURLToPath(new URL('forker.js', import.meta.url));

/** What the forker says; each line has one of these. */
/** @typedef {{ tally?: Record<string, number>, hung?: number, signal?: number, wrongCode?: number }} Message */

/** The line that is written over and over; where nobody watches, one in half a minute. */
function progressOf(/** @type {string} */ version) {
  const began = Date.now();
  let told = began;
  return (/** @type {number} */ forked, /** @type {number} */ failures) => {
    const perSecond = forked / Math.max(0.001, (Date.now() - began) / 1000);
    const text = `Node ${version}: ${forked} of ${forks}, ${perSecond.toFixed(0)}/s, ${failures} failures`;
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
    else if (Date.now() - told > 30_000) {
      told = Date.now();
      console.error(text);
    }
  };
}

function killHard(/** @type {number} */ pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it ended while we looked
  }
}

/** @param {string} node */
async function stress(node) {
  const version = versionOf(node);
  const began = Date.now();
  /** @type {Result} */
  const result = { node: version, seed, forks: 0, tally: {}, hung: 0, signals: 0, wrongCodes: 0, seconds: 0 };
  const progress = progressOf(version);
  const subject = spawn(node, [cli, 'run', forker, JSON.stringify(work)], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const pid = /** @type {number} */ (subject.pid);
  const ended = once(subject, 'close');
  // The forker itself may hang, too: it has its deadline from one word to the next, in ticks of a timer that stand still
  // while the machine is suspended.
  let silentSeconds = 0;
  const clock = setInterval(() => {
    if (++silentSeconds < (2 * deadlineMs) / 1000) return;
    console.error(`the process that forks has been silent for too long:\n${backtrace(pid)}`);
    killHard(-pid);
  }, 1000);
  const cutShort = () => {
    interrupted = true;
    killHard(-pid);
  };
  process.once('SIGINT', cutShort).once('SIGTERM', cutShort);
  for await (const line of createInterface({ input: subject.stdout })) {
    silentSeconds = 0;
    /** @type {Message} */
    const { tally, hung, signal, wrongCode } = JSON.parse(line);
    if (tally === undefined) console.error(`\n${version}: ${line}`);
    else {
      result.tally = tally;
      result.forks = Object.values(tally).reduce((sum, n) => sum + n);
    }
    if (signal !== undefined) result.signals++;
    if (wrongCode !== undefined) result.wrongCodes++;
    if (hung !== undefined) {
      result.hung++;
      console.error(backtrace(hung));
      killHard(hung);
    }
    progress(result.forks, result.hung + result.signals + result.wrongCodes);
  }
  clearInterval(clock);
  const [code, signal] = await ended;
  killHard(-pid); // what a failed run may have left
  if (process.stderr.isTTY) console.error();
  process.off('SIGINT', cutShort).off('SIGTERM', cutShort);
  if (code !== 0 && !interrupted)
    throw new Error(`Node ${version}: the process that forks ended with ${signal ?? code}`);
  result.seconds = Math.round((Date.now() - began) / 1000);
  return result;
}

/** A column for each line, a row for each work and each kind of failure. */
function draw(/** @type {Map<string, Result>} */ byLine) {
  const results = [...byLine.values()];
  const number = (/** @type {number | undefined} */ n) => (n ?? 0).toLocaleString('en');
  const row = (/** @type {string} */ name, /** @type {(result: Result) => string} */ cell) => [
    name,
    ...results.map(cell),
  ];
  const kinds = [...new Set(results.flatMap(({ tally }) => Object.keys(tally)))];
  return [
    row('', ({ node }) => `Node ${node.slice(1)}`),
    ...kinds.map(kind => row(kind, ({ tally }) => number(tally[kind]))),
    row('**all**', result => `**${number(result.forks)}**`),
    row('hung', ({ hung }) => number(hung)),
    row('ended by a signal', ({ signals }) => number(signals)),
    row('another exit code', ({ wrongCodes }) => number(wrongCodes)),
    row('seed', result => String(result.seed)),
    row('minutes', ({ seconds }) => (seconds / 60).toFixed(1)),
  ];
}

if (values.help) {
  console.log(usage);
  process.exit();
}
console.log(`seed ${seed}: ${forks} forks on each line of Node`);
/** @type {Map<string, Result>} */
const byLine = new Map();
for (const node of values.node ?? allLines.map(nodeOfLine)) {
  const result = await stress(node);
  byLine.set(result.node, result);
  if (values.write) record('stress', lineOf(node), result, draw);
  if (interrupted) break;
}
const [head, ...rows] = draw(byLine);
const table = new Table({ head, style: { head: [], border: [] } });
table.push(...rows);
console.log(table.toString());
const failed = [...byLine.values()].some(({ hung, signals, wrongCodes }) => hung + signals + wrongCodes > 0);
process.exitCode = failed ? 1 : 0;
