/** `truefork grade`: which mistakes does a server make? */
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { gradeBatch } from '../grade/batch.js';
import { type FindingId, findingIds, isFindingId } from '../grade/findings.js';
import { formatNamed, formatNames } from '../grade/formats.js';
import { grade, type Report } from '../grade/grade.js';
import type { Model } from '../grade/grading.js';
import { profileNamed } from '../grade/profiles.js';
import { protocolNamed } from '../grade/protocol.js';
import { confusion, selfTest } from '../grade/self-test.js';
import { UsageError } from './usage.js';

const usage = `Usage
  truefork grade [options] -- COMMAND [ARGUMENTS]

Starts a TCP server, in any language, again and again, and tells which mistakes it makes. In its arguments, {port} becomes the
port that it is to listen on; without it, the port of its first listen() counts. PORT is set as well.

Options
      --model NAME      iterative, forking, select or threads: what it is meant to be
      --profile NAME    robust (default): all findings are errors; lecture: what the slides teach; or a JSON file
      --protocol NAME   echo (default), line, or a JSON file of requests and answers
      --only ID         look for these findings alone; may be repeated, or a list with commas
      --no-trace        without the tracer; what it alone can tell is not tested
      --time SECONDS    for all of it; what is unfinished then is not tested (default 60)
      --format NAME     ${formatNames.join(', ')} (default terminal)
      --out FILE        write there instead of to the standard output
      --self-test DIR   grade each wrong server in DIR: one in DIR/zombies must have that finding, and no other
      --batch DIR       grade each submission in DIR, four at once: COMMAND in each folder, or without it each file
      --csv FILE        with --batch: a row for each submission
  -h, --help            this text

Exit code: 0 when there is no finding of severity error, 1 when there is, 2 when it cannot be graded.
`;

const models = ['iterative', 'forking', 'select', 'threads'] as const;

export async function gradeCommand(args: string[]): Promise<number> {
  const { values, positionals } = parse(args);
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  try {
    if (values['self-test'] !== undefined) return await runSelfTest(values['self-test'], values);
    if (values.batch !== undefined) return await runBatch(values.batch, positionals, values);
    return await gradeOne(positionals, values);
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_TRUEFORK_GRADE')
      throw new UsageError((error as Error).message);
    throw error;
  }
}

type Values = ReturnType<typeof parse>['values'];

async function gradeOne(command: string[], values: Values): Promise<number> {
  if (command.length === 0) throw new UsageError('which server? truefork grade -- ./server {port}');
  const format = formatNamed(values.format ?? 'terminal');
  const report = await grade({
    command,
    protocol: protocolNamed(values.protocol ?? 'echo'),
    profile: profileNamed(values.profile ?? 'robust'),
    expected: modelNamed(values.model),
    traces: !values['no-trace'],
    budget: { until: performance.now() + secondsOf(values.time) * 1000 },
    ...(values.only && { only: idsOf(values.only) }),
  });
  const text = format(report, { command, isTerminal: process.stdout.isTTY && !values.out });
  if (values.out) fs.writeFileSync(values.out, text);
  else process.stdout.write(text);
  // A grading that gave up at the end of its time has left sockets and children open, which keep a process alive.
  setTimeout(() => process.exit(), lingerMs).unref();
  return exitCode(report);
}

/** After the report is written. */
const lingerMs = 1000;

async function runSelfTest(folder: string, values: Values): Promise<number> {
  const verdicts = await selfTest(folder, {
    options: passedOn(values),
    time: secondsOf(values.time),
    log: line => console.error(line),
  });
  process.stdout.write(confusion(verdicts));
  return verdicts.every(({ isRight }) => isRight) ? 0 : 1;
}

async function runBatch(folder: string, command: string[], values: Values): Promise<number> {
  if (values.csv === undefined) throw new UsageError('--batch needs --csv FILE, for its table');
  const table = await gradeBatch(folder, {
    command,
    options: passedOn(values),
    time: secondsOf(values.time),
    log: line => console.error(line),
  });
  fs.writeFileSync(values.csv, table);
  return 0;
}

/** Options for the grader of each server. A file is named from here, not from the folder that it runs in. */
function passedOn(values: Values): string[] {
  const options: string[] = [];
  if (values.model) options.push('--model', values.model);
  for (const name of ['profile', 'protocol'] as const) {
    const value = values[name];
    if (value) options.push(`--${name}`, fs.existsSync(value) ? path.resolve(value) : value);
  }
  for (const id of values.only ?? []) options.push('--only', id);
  if (values['no-trace']) options.push('--no-trace');
  return options;
}

export function exitCode({ findings, notGradable }: Report): number {
  if (findings.some(({ severity }) => severity === 'error')) return 1;
  return notGradable === undefined ? 0 : 2;
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        model: { type: 'string' },
        profile: { type: 'string' },
        protocol: { type: 'string' },
        only: { type: 'string', multiple: true },
        'no-trace': { type: 'boolean' },
        time: { type: 'string' },
        format: { type: 'string' },
        out: { type: 'string' },
        'self-test': { type: 'string' },
        batch: { type: 'string' },
        csv: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageError(`${(error as Error).message.split(/\.\s/)[0]} (truefork grade --help)`);
  }
}

function modelNamed(name: string | undefined): Model | undefined {
  if (name === undefined) return undefined;
  const found = models.find(each => each === name);
  if (found === undefined) throw new UsageError(`--model is ${models.join(', ')}; not "${name}"`);
  return found;
}

function secondsOf(text = '60'): number {
  const seconds = Number(text);
  if (!(seconds > 0)) throw new UsageError(`--time is a number of seconds; not "${text}"`);
  return seconds;
}

function idsOf(lists: readonly string[]): Set<FindingId> {
  const ids = lists.flatMap(list => list.split(','));
  for (const id of ids)
    if (!isFindingId(id))
      throw new UsageError(`there is no finding "${id}"; they are ${findingIds.join(', ')}`);
  return new Set(ids as FindingId[]);
}
