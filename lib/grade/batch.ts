/** Grades a folder of submissions, and writes a table of them. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { checksOf, scoreOf } from './formats/checks.js';
import type { Report } from './grade.js';
import { gradeMany, type Job } from './many.js';
import { gradeMisuse } from './misuse.js';
import { commandFor, isServerFile } from './programs.js';

export interface BatchOptions {
  /** What is run in each submission's folder. Without it each submission is one file. */
  readonly command: readonly string[];
  readonly options: readonly string[];
  readonly time: number;
  readonly log: (line: string) => void;
}

const atOnce = 4;
const columns = [
  'submission',
  'score',
  'max',
  'findings',
  'conduct',
  'not tested',
  'not gradable',
  'seconds',
];

/** The table, as CSV, in the order of the names. */
export async function gradeBatch(
  folder: string,
  { command, options, time, log }: BatchOptions,
): Promise<string> {
  const temporary = fs.mkdtempSync(path.join(os.tmpdir(), 'truefork-grade-'));
  try {
    const rows = new Map<string, string[]>();
    const jobs: Job[] = [];
    for (const entry of entriesOf(folder, command)) {
      try {
        jobs.push(jobFor(entry, command, temporary));
      } catch (error) {
        rows.set(entry.name, [entry.name, '0', '', '', '', '', (error as Error).message, '0']);
      }
    }
    const total = jobs.length + rows.size;
    const onReport = ({ name }: Job, report: Report) => {
      rows.set(name, rowOf(name, report));
      log(`${rows.size}/${total} ${name}: ${inShort(report)}`);
    };
    // A server that chooses its port itself would meet the others there.
    const sharesPort = command.length > 0 && !command.some(word => word.includes('{port}'));
    await gradeMany(jobs, { options, time, atOnce: sharesPort ? 1 : atOnce, onReport });
    const sorted = [...rows.values()].sort(([a = ''], [b = '']) => a.localeCompare(b));
    return [columns, ...sorted].map(row => `${row.map(cell).join(',')}\n`).join('');
  } finally {
    fs.rmSync(temporary, { recursive: true, force: true });
  }
}

function entriesOf(folder: string, command: readonly string[]): fs.Dirent[] {
  let entries: fs.Dirent[];
  try {
    entries = fs.readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    throw gradeMisuse(`--batch: ${(error as Error).message}`);
  }
  const wanted = entries.filter(entry =>
    command.length > 0 ? entry.isDirectory() : isServerFile(path.join(folder, entry.name)),
  );
  if (wanted.length > 0) return wanted;
  throw gradeMisuse(
    command.length > 0
      ? `--batch ${folder}: it has no folders; each submission is one`
      : `--batch ${folder}: it has no servers (.c .py .js .ts .pl .sh, or a program). If each submission is a folder, say what to run in it: -- ./server {port}`,
  );
}

function jobFor({ name, parentPath }: fs.Dirent, command: readonly string[], temporary: string): Job {
  const file = path.resolve(parentPath, name);
  return command.length > 0 ? { name, command, cwd: file } : { name, command: commandFor(file, temporary) };
}

function rowOf(name: string, report: Report): string[] {
  const { score, max } = scoreOf(checksOf(report));
  return [
    name,
    String(score),
    String(max),
    report.findings.map(({ id }) => id).join(' '),
    report.conduct.join(' '),
    report.notTested.join(' '),
    report.notGradable ?? '',
    String(report.seconds),
  ];
}

export function inShort({ findings, notGradable, conduct, seconds }: Report): string {
  const ids = findings.map(({ id }) => id).join(', ');
  const what = ids || (notGradable === undefined ? 'no findings' : `not gradable: ${notGradable}`);
  return `${what}${conduct.length === 0 ? '' : ` [${conduct.join(', ')}]`} (${seconds} s)`;
}

/** RFC 4180. */
const cell = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
