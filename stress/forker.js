/**
 * The process that forks, under `truefork run`: it forks children, a few at once, waits for each, and tells in lines of
 * JSON how far it is and what went wrong. Between some forks it works itself: it allocates, compiles, collects garbage
 * and uses its thread pool, so that no two children begin alike.
 */
import fs from 'node:fs';
import { setImmediate as immediate } from 'node:timers/promises';
import * as posix from 'truefork/posix';
import { Draws } from './random.js';
import { betweenForks, removeFiles, works } from './works.js';

/** @typedef {{ index: number, kind: string, way: string, code: number, since: number, told: boolean }} Child */

const { forks, seed, only, atOnce, deadlineMs } = JSON.parse(process.argv[2]);
/** @type {string[]} */
const kinds = only ?? Object.keys(works);
const reportEveryMs = 500;
const lookEveryMs = 500;

const exitWith = (/** @type {number} */ code) =>
  process.on('exit', () => {
    process.exitCode = code;
  });

/** The ways in which a child ends with its code. */
const ways = {
  'natural end'(/** @type {number} */ code) {
    process.exitCode = code;
  },
  'process.exit()': (/** @type {number} */ code) => process.exit(code),
  'exit listener': exitWith,
  'uncaught throw'(/** @type {number} */ code) {
    posix.dup2(fs.openSync('/dev/null', 'w'), 2); // Node prints it, and nobody needs to read it
    exitWith(code);
    setImmediate(() => {
      throw new Error('expected');
    });
  },
  '_exit()': (/** @type {number} */ code) => posix._exit(code),
};

const say = (/** @type {object} */ message) => process.stdout.write(`${JSON.stringify(message)}\n`);

/** @type {Map<number, Child>} */
const live = new Map();
const tally = Object.fromEntries(kinds.map(kind => [kind, 0]));

function drawChild(/** @type {Draws} */ draws, /** @type {number} */ index) {
  const drawn = draws.upTo(255);
  return {
    index,
    kind: draws.oneOf(weighted),
    way: draws.oneOf(/** @type {(keyof typeof ways)[]} */ (Object.keys(ways))),
    code: drawn === 1 ? 255 : drawn, // 1 is what a failure ends with
  };
}
const weighted = kinds.flatMap(kind => Array(works[kind].weight).fill(kind));

async function beChild(
  /** @type {ReturnType<typeof drawChild>} */ { index, kind, way, code },
  /** @type {Draws} */ draws,
) {
  posix.signal(posix.SIGCHLD, posix.SIG_DFL); // or node:child_process would refuse to start anything
  try {
    await works[kind].work(draws);
  } catch (error) {
    console.error(`fork ${index}, ${kind}:`, error);
    posix._exit(1);
  }
  ways[/** @type {keyof typeof ways} */ (way)](code);
}

/** Waits for all that have ended; whether any had. */
function reap() {
  for (let found = false; ; found = true) {
    const { pid, status } = posix.waitpid(-1, posix.WNOHANG);
    if (pid <= 0) return found;
    const child = live.get(pid);
    if (child === undefined) throw new Error(`a child that nobody forked: ${pid}`);
    live.delete(pid);
    tally[child.kind]++;
    const { index, kind, way, code, told } = child;
    if (told) continue; // it hung, and was killed for it
    if (posix.WIFSIGNALED(status)) say({ signal: posix.WTERMSIG(status), index, kind, way });
    else if (posix.WEXITSTATUS(status) !== code)
      say({ wrongCode: posix.WEXITSTATUS(status), expected: code, index, kind, way });
  }
}

let awake = 0;
let looked = Date.now();

/** Milliseconds of this run, without the time for which the whole machine was suspended: that is no child's fault. */
function awakeMs() {
  const now = Date.now();
  awake += Math.min(now - looked, 2 * lookEveryMs);
  looked = now;
  return awake;
}

/** Sleeps until a child has ended, or one has used its time up. */
function waitForAChild() {
  // The event loop may have heard the signal already. One that comes after this look ends the poll below.
  if (reap()) return;
  try {
    posix.poll([], lookEveryMs);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EINTR') throw error;
  }
  reap();
  const now = awakeMs();
  for (const [pid, child] of live) {
    if (child.told || now - child.since < deadlineMs) continue;
    child.told = true;
    const { index, kind, way } = child;
    say({ hung: pid, index, kind, way }); // whoever reads this looks at it, and kills it
  }
}

/** Whether this process is the one that forks, still: a child comes back as well, to end as its way out has it. */
async function forkAll() {
  const draws = new Draws(seed);
  let reported = Date.now();
  for (let index = 0; index < forks; index++) {
    if (draws.upTo(8) === 0) await draws.oneOf(betweenForks)(draws);
    while (live.size >= atOnce) waitForAChild();
    await immediate(); // a fork belongs at the top of the event loop
    const child = drawChild(draws, index);
    const drawsOfChild = new Draws(draws.upTo(2 ** 32));
    const pid = posix.fork();
    if (pid === 0) {
      await beChild(child, drawsOfChild);
      return false;
    }
    live.set(pid, { ...child, since: awakeMs(), told: false });
    reap();
    if (Date.now() - reported < reportEveryMs) continue;
    reported = Date.now();
    say({ tally });
  }
  while (live.size > 0) waitForAChild();
  return true;
}

const unknown = kinds.find(kind => works[kind] === undefined);
if (unknown !== undefined) throw new Error(`no work is "${unknown}": ${Object.keys(works).join(', ')}`);
posix.sigaction(posix.SIGCHLD, { sa_handler() {} });
if (await forkAll()) {
  removeFiles();
  say({ tally });
}
