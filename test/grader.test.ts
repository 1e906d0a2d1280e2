/** `truefork grade` names the mistake of a server, finds none in a right one, and survives what a server may do. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commandFor } from '../dist/grade/programs.js';
import { descendants } from './harness/proc.ts';
import { cli, node, run, Subject } from './harness/subject.ts';

const samples = fileURLToPath(new URL('./grade', import.meta.url));
const seconds = 240;
let temporary: string;

beforeAll(() => {
  temporary = fs.mkdtempSync(path.join(os.tmpdir(), 'truefork-grader-'));
});

afterAll(() => fs.rmSync(temporary, { recursive: true }));

async function graded(sample: string, ...options: string[]) {
  const command = commandFor(path.join(samples, sample), temporary);
  const args = [cli, 'grade', '--format', 'json', '--time', String(seconds), ...options, '--', ...command];
  const subject = new Subject(node, args, { deadline: (seconds + 30) * 1000 });
  const { code } = await subject.ended;
  const report = JSON.parse(subject.stdout || '{}');
  return { code, stderr: subject.stderr, ids: report.findings?.map(({ id }: { id: string }) => id), report };
}

/** The whole corpus is graded by `npm run grade:corpus`: this is one of each kind of scenario. */
describe('a wrong server', { timeout: (seconds + 60) * 1000 }, () => {
  test.each([
    ['connfd-leak', 'wrong/connfd-leak/plain.c'],
    ['zombies', 'wrong/zombies/plain.py'],
    ['wait-once', 'wrong/wait-once/wait.c'],
    ['eintr-accept', 'wrong/eintr-accept/exits.c'],
    ['select-set', 'wrong/select-set/not-rebuilt.c'],
    ['slow-client', 'wrong/slow-client/half-line.c'],
    ['sigpipe', 'wrong/sigpipe/no-error-listener.mjs'],
    ['short-write', 'wrong/short-write/unchecked.c'],
    ['fork-failure', 'wrong/fork-failure/uncaught.py'],
    ['unsafe-handler', 'wrong/unsafe-handler/printf.c'],
    ['stdio-twice', 'wrong/stdio-twice/banner.c'],
    ['no-reuseaddr', 'wrong/no-reuseaddr/fork.c'],
    ['fd-setsize', 'wrong/fd-setsize/select.c'],
  ])('has %s, and nothing else', async (id, sample) => {
    const { ids, code, report } = await graded(sample);
    expect(ids).toEqual([id]);
    expect(code).toBe(1);
    expect(report.findings[0]).toMatchObject({
      severity: 'error',
      mend: expect.any(String),
      lecture: expect.any(String),
    });
    expect(report.findings[0].evidence).toMatch(/\d/);
  });
});

describe('a right server', { timeout: (seconds + 60) * 1000 }, () => {
  test.each(['right/fork.c', 'right/select.c', 'right/asyncio-streams.py', 'right/net.mjs'])(
    '%s has no finding',
    async sample => {
      const { ids, code, report } = await graded(sample);
      expect(ids).toEqual([]);
      expect(report.conduct).toEqual([]);
      expect(code).toBe(0);
    },
  );
});

describe('a hostile server is named, and nothing is left running', { timeout: (seconds + 60) * 1000 }, () => {
  test.each([
    ['kills-strangers', 'hostile/kills-all.c'],
    ['daemonises', 'hostile/daemon.c'],
    ['floods-output', 'hostile/floods.c'],
    ['fills-disk', 'hostile/fills-disk.c'],
    ['hangs', 'hostile/hangs.c'],
  ])('%s', async (conduct, sample) => {
    const before = new Set(descendants(1));
    const { report, stderr } = await graded(sample, '--only', 'zombies,unsafe-handler');
    expect(report.conduct, stderr).toEqual([conduct]);
    const program = path.parse(sample).name;
    const left = descendants(1).filter(
      pid => !before.has(pid) && titleOf(pid).includes(`hostile-${program}`),
    );
    expect(left).toEqual([]);
  });

  test('a fork bomb is one finding', async () => {
    const { ids } = await graded('wrong/fork-bomb/before-accept.c');
    expect(ids).toEqual(['fork-bomb']);
  });
});

function titleOf(pid: number): string {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

describe('what is asked for', { timeout: (seconds + 60) * 1000 }, () => {
  test('without the tracer, what it alone can tell is not tested', async () => {
    const { report } = await graded('right/fork.c', '--no-trace');
    expect(report.notTested).toEqual(['fork-failure', 'short-write', 'unsafe-handler']);
  });

  test('in the profile of the lecture, what it does not teach is a note', async () => {
    const { ids, code, report } = await graded(
      'wrong/no-reuseaddr/fork.c',
      '--profile',
      'lecture',
      '--only',
      'no-reuseaddr',
    );
    expect(ids).toEqual([]);
    expect(report.notes).toEqual([{ id: 'no-reuseaddr', text: expect.stringContaining('started again') }]);
    expect(code).toBe(0);
  });

  test.each([
    [[], 'which server?'],
    [['--only', 'bad', '--', 'x'], 'there is no finding "bad"'],
    [['--format', 'pdf', '--', 'x'], '--format is terminal, json, junit'],
    [['--profile', 'none.json', '--', 'x'], '--profile is lecture, robust or a JSON file'],
    [['--time', 'soon', '--', 'x'], '--time is a number of seconds'],
    [['--batch', '.'], '--batch needs --csv FILE'],
  ])('%j is refused', async (args, message) => {
    const { code, stderr } = await run(node, [cli, 'grade', ...args]);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });

  test('a program that does not listen cannot be graded', async () => {
    const { code, stdout } = await run(node, [cli, 'grade', '--', 'true'], { deadline: 60_000 });
    expect(stdout).toContain('cannot be graded: it ended before it listened');
    expect(code).toBe(2);
  });

  test('a batch is a table', async () => {
    const folder = fs.mkdtempSync(path.join(temporary, 'batch-'));
    fs.writeFileSync(path.join(folder, 'anna.py'), 'raise SystemExit(1)\n');
    fs.writeFileSync(path.join(folder, 'ben.c'), 'int main(void) { return broken }\n');
    const csv = path.join(folder, 'marks.csv');
    const { code, stderr } = await run(node, [cli, 'grade', '--batch', folder, '--csv', csv], {
      deadline: 60_000,
    });
    expect(code, stderr).toBe(0);
    const [head, anna, ben] = fs.readFileSync(csv, 'utf8').split('\n');
    expect(head).toBe('submission,score,max,findings,conduct,not tested,not gradable,seconds');
    expect(anna).toMatch(/^anna\.py,0,21,.*it ended before it listened/);
    expect(ben).toMatch(/^ben\.c,0,.*does not compile/);
  });
});
