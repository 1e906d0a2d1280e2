/**
 * Does the grader find in a teacher's wrong servers what is wrong with them, and nothing else? The folder that a server is in, or
 * its name, says which finding it is to have; a line "expect: ID, ID" near its beginning says several, and "expect: none" none.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type FindingId, findingIds, isFindingId } from './findings.js';
import type { Report } from './grade.js';
import { gradeMany, type Job } from './many.js';
import { gradeMisuse } from './misuse.js';
import { commandFor, isServerFile } from './programs.js';

export interface Sample {
  readonly file: string;
  readonly name: string;
  readonly expected: readonly FindingId[];
}

export interface SelfTestOptions {
  readonly options: readonly string[];
  readonly time: number;
  readonly atOnce?: number;
  /** Only samples whose name it matches. */
  readonly only?: RegExp;
  readonly log: (line: string) => void;
}

export interface Verdict {
  readonly sample: Sample;
  readonly report: Report;
  readonly isRight: boolean;
}

/** All servers below a folder for which it is known what they have to fail. */
export function samplesIn(folder: string): Sample[] {
  let files: string[];
  try {
    files = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  } catch (error) {
    throw gradeMisuse(`--self-test: ${(error as Error).message}`);
  }
  const samples = files.flatMap(name => {
    const file = path.resolve(folder, name);
    const expected = isServerFile(file) ? expectedOf(file) : undefined;
    return expected === undefined ? [] : [{ file, name, expected }];
  });
  if (samples.length > 0) return samples;
  throw gradeMisuse(
    `--self-test ${folder}: no server there. Put each into a folder named after its finding, such as zombies/server.c`,
  );
}

function expectedOf(file: string): readonly FindingId[] | undefined {
  const head = fs.readFileSync(file, 'latin1').split('\n', 8).join('\n');
  const line = /\bexpect: *([a-z0-9, -]+)/.exec(head)?.[1];
  if (line !== undefined)
    return line
      .split(',')
      .map(word => word.trim())
      .filter(isFindingId);
  const folder = path.basename(path.dirname(file));
  if (folder === 'right') return [];
  if (isFindingId(folder)) return [folder];
  const { name } = path.parse(file);
  const id = findingIds.find(
    each => name === each || name.startsWith(`${each}-`) || name.startsWith(`${each}_`),
  );
  return id === undefined ? undefined : [id];
}

export async function selfTest(folder: string, options: SelfTestOptions): Promise<Verdict[]> {
  const samples = samplesIn(folder).filter(({ name }) => options.only?.test(name) ?? true);
  const temporary = fs.mkdtempSync(path.join(os.tmpdir(), 'truefork-grade-'));
  const verdicts: Verdict[] = [];
  try {
    const jobs = new Map<Job, Sample>(
      samples.map(sample => [{ name: sample.name, command: commandFor(sample.file, temporary) }, sample]),
    );
    await gradeMany([...jobs.keys()], {
      ...options,
      atOnce: options.atOnce ?? 2,
      onReport(job, report) {
        const sample = jobs.get(job)!;
        const verdict = { sample, report, isRight: isAsExpected(sample, report) };
        verdicts.push(verdict);
        options.log(lineOf(verdict, verdicts.length, jobs.size));
      },
    });
  } finally {
    fs.rmSync(temporary, { recursive: true, force: true });
  }
  return verdicts;
}

function isAsExpected({ expected }: Sample, { findings, notGradable }: Report): boolean {
  const found = findings.map(({ id }) => id);
  const same = found.length === expected.length && expected.every(id => found.includes(id));
  return same && (expected.length > 0 || notGradable === undefined);
}

function lineOf({ sample, report, isRight }: Verdict, number: number, total: number): string {
  const found = report.findings.map(({ id }) => id).join(', ') || 'none';
  const { notGradable } = report;
  const why = isRight
    ? ''
    : `: expected ${sample.expected.join(', ') || 'none'}, found ${found}${notGradable ? ` (${notGradable})` : ''}`;
  return `${number}/${total} ${isRight ? 'ok  ' : 'FAIL'} ${sample.name}${why} (${report.seconds} s)`;
}

/** For each finding: how often it was to be found, and was; and how often it was found where it is not. */
export function confusion(verdicts: readonly Verdict[]): string {
  const rows = findingIds.map(id => {
    const has = verdicts.filter(({ sample }) => sample.expected.includes(id));
    const found = (verdict: Verdict) => verdict.report.findings.some(each => each.id === id);
    const falsely = verdicts.filter(each => !each.sample.expected.includes(id) && found(each)).length;
    return [id, has.length, has.filter(found).length, falsely] as const;
  });
  const right = verdicts.filter(({ isRight }) => isRight).length;
  const clean = verdicts.filter(({ sample }) => sample.expected.length === 0);
  return [
    `${'finding'.padEnd(22)}samples  found  false`,
    ...rows.map(
      ([id, count, found, falsely]) =>
        `${id.padEnd(22)}${String(count).padStart(7)}${String(found).padStart(7)}${String(falsely).padStart(7)}`,
    ),
    `exact set: ${right} of ${verdicts.length}; right servers without an alarm: ${clean.filter(({ isRight }) => isRight).length} of ${clean.length}`,
    '',
  ].join('\n');
}
