/**
 * `npm run matrix -- [LINE…] [--quick] [--write]`: the tests of the fork on several lines of Node, all of one addon build,
 * and a table of what they promise. vitest itself runs on the Node that is installed; TRUEFORK_NODE is what the subjects
 * of the tests run on.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { record } from './fork-safety.js';
import { allLines, nodeOfLine, versionOf } from './node-lines.js';

/** @typedef {{ passed: number, failed: number, skipped: number }} Count */
/** @typedef {{ node: string, files: Record<string, Count> }} Result */

/** What each test file promises. The quick ones run in a minute and go through every part of the fork. */
const promises = {
  'test/every-exit': 'every way out of a child: the right code, no output lost',
  'test/distinct-randomness': 'siblings draw different random numbers',
  'test/crash-isolation': 'a crash in one child is the end of that child alone',
  'test/pending-work': 'what is under way at the fork is finished in the child, or refused',
  'test/debug-and-profile': 'coverage, debugger and profile of a child',
  'test/child-state': 'what a child knows of itself; what it prints straight before its end',
  'test/memory-is-shared': 'a long-lived child does not grow; a big heap is shared',
  'test/posix/fork': 'fork() in a script: memory, files, event loop, fuse',
  'test/posix/wait': 'waiting for children',
  'test/posix/signals': 'signals',
  'test/posix/beside-node': "beside Node's own signals and child processes",
  'test/handler-forms': 'every form of handler script',
  'test/unmodified-frameworks': 'http, https, express, ws from forked children',
  'test/stops-and-crashes': 'stops, crashes and ends of servers',
  'test/nothing-piles-up': 'ten thousands of connections',
};
const quick = [
  'test/every-exit',
  'test/distinct-randomness',
  'test/pending-work',
  'test/child-state',
  'test/posix/fork',
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false }, write: { type: 'boolean', default: false } },
});
const lines = positionals.length > 0 ? positionals.map(Number) : allLines;
const files = values.quick ? quick : Object.keys(promises);
const report = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'truefork-matrix-')), 'report.json');

/** @param {number} line @returns {Result} */
function test(line) {
  const node = nodeOfLine(line);
  console.log(`\n== Node ${versionOf(node)}`);
  fs.rmSync(report, { force: true });
  spawnSync(
    'npx',
    ['vitest', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...files],
    {
      stdio: 'inherit',
      env: { ...process.env, TRUEFORK_NODE: node },
    },
  );
  /** @type {{ testResults: { name: string, status: string, assertionResults: { status: string }[] }[] }} */
  const { testResults } = JSON.parse(fs.readFileSync(report, 'utf8'));
  const counts = files.map(file => {
    const ran = testResults.filter(({ name }) => name.includes(`/${file}.`));
    const statuses = ran.flatMap(({ assertionResults }) => assertionResults.map(({ status }) => status));
    const count = (/** @type {string} */ wanted) => statuses.filter(status => status === wanted).length;
    const passed = count('passed');
    const failed = count('failed') || Number(passed === 0); // a file that did not even load
    return /** @type {const} */ ([
      file,
      { passed, failed, skipped: statuses.length - passed - count('failed') },
    ]);
  });
  return { node: versionOf(node), files: Object.fromEntries(counts) };
}

function draw(/** @type {Map<string, Result>} */ byLine) {
  const results = [...byLine.values()];
  const cell = (/** @type {Count | undefined} */ count) => {
    if (count === undefined) return '';
    const { passed, failed, skipped } = count;
    return failed > 0 ? `${failed} FAILED` : skipped > 0 ? `${passed}, ${skipped} skipped` : String(passed);
  };
  return [
    ['promise', 'tests', ...results.map(({ node }) => `Node ${node.slice(1)}`)],
    ...Object.entries(promises)
      .filter(([file]) => results.some(result => result.files[file] !== undefined))
      .map(([file, promise]) => [promise, file.slice(5), ...results.map(result => cell(result.files[file]))]),
  ];
}

/** @type {Map<string, Result>} */
const byLine = new Map();
for (const line of lines) {
  const result = test(line);
  byLine.set(String(line), result);
  if (values.write) record('matrix', line, result, draw);
}
const [head, ...rows] = draw(byLine);
const table = new Table({ head, style: { head: [], border: [] } });
table.push(...rows);
console.log(`\nHow many tests passed\n${table}`);
const failed = [...byLine.values()].some(result =>
  Object.values(result.files).some(count => count.failed > 0),
);
process.exitCode = failed ? 1 : 0;
