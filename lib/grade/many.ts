/** Grades many servers, each by a grader of its own: one that misbehaves touches no other. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Report } from './grade.js';

const cli = fileURLToPath(new URL('../cli/main.js', import.meta.url));

export interface Job {
  readonly name: string;
  readonly command: readonly string[];
  readonly cwd?: string;
}

export interface ManyOptions {
  /** Options of `truefork grade` for each of them. */
  readonly options: readonly string[];
  readonly atOnce: number;
  /** Seconds for each. */
  readonly time: number;
  onReport(job: Job, report: Report): void;
}

export async function gradeMany(jobs: readonly Job[], options: ManyOptions): Promise<void> {
  const waiting = [...jobs];
  const work = async () => {
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift())
      options.onReport(job, await gradeApart(job, options));
  };
  await Promise.all(Array.from({ length: options.atOnce }, work));
}

/** How long a grader may take beyond its time, to end what it has started. */
const grace = 60;

function gradeApart({ command, cwd }: Job, { options, time }: ManyOptions): Promise<Report> {
  const args = [cli, 'grade', '--format', 'json', '--time', String(time), ...options, '--', ...command];
  const child = spawn(process.execPath, args, {
    ...(cwd !== undefined && { cwd }),
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), (time + grace) * 1000);
  let text = '';
  let complaint = '';
  child.stdout.on('data', chunk => (text += chunk));
  child.stderr.on('data', chunk => (complaint += chunk));
  return new Promise(resolve => {
    child.once('error', error => resolve(failed(error.message)));
    child.once('close', () => {
      clearTimeout(timer);
      resolve(parsed(text) ?? failed(complaint.trim() || 'the grader has ended without a report'));
    });
  });
}

function parsed(text: string): Report | undefined {
  try {
    return JSON.parse(text) as Report;
  } catch {
    return undefined;
  }
}

const failed = (notGradable: string): Report => ({
  findings: [],
  notes: [],
  notTested: [],
  passed: [],
  conduct: [],
  notGradable,
  seconds: 0,
});
