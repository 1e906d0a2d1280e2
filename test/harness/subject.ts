/**
 * A process under test. No test forks in its own process: a child that fell through would report its own results as the
 * run's. So the subject runs in a process group of its own, has a deadline, and is judged from outside.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { signalIfThere, startedWith } from './proc.ts';
import { eventually } from './wait.ts';

/** The Node that subjects run on: the tests' own, unless another line is asked for. */
export const node = process.env.TRUEFORK_NODE ?? process.execPath;

export const cli = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface Ending {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface SubjectOptions {
  env?: Record<string, string>;
  cwd?: string;
  /** Milliseconds. */
  deadline?: number;
  /** How long a server may take until it listens, in milliseconds. */
  startsWithin?: number;
}

const running = new Set<Subject>();

let count = 0;

export class Subject {
  readonly process: ChildProcess;
  /** In the environment of the subject, and so of all that it starts: it finds what left the group and the family. */
  readonly #mark = `SUBJECT_OF_TEST=${process.pid}-${++count}`;
  readonly ended: Promise<Ending>;
  /** How it ended, once all that it said has been read. */
  #ending: Ending | undefined;
  stdout = '';
  stderr = '';

  constructor(
    command: string,
    args: readonly string[],
    { env, cwd, deadline = 150_000 }: SubjectOptions = {},
  ) {
    this.process = spawn(command, args, {
      cwd,
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, NODE_OPTIONS: '', ...Object.fromEntries([this.#mark.split('=')]), ...env },
    });
    this.process.stdout!.setEncoding('utf8').on('data', text => {
      this.stdout += text;
    });
    this.process.stderr!.setEncoding('utf8').on('data', text => {
      this.stderr += text;
    });
    // A program that this machine has not is one that ended with an error.
    this.process.on('error', error => {
      this.stderr += error.message;
    });
    const timer = setTimeout(() => this.killGroup(), deadline);
    this.ended = new Promise(resolve => {
      this.process.once('close', (code, signal) => {
        clearTimeout(timer);
        this.#ending = { code, signal };
        resolve(this.#ending);
      });
    });
    running.add(this);
  }

  get pid(): number {
    return this.process.pid!;
  }

  /** The subject's whole output of one stream matches, now or soon. */
  async says(
    pattern: RegExp,
    stream: 'stdout' | 'stderr' = 'stdout',
    deadlineMs?: number,
  ): Promise<RegExpExecArray> {
    const look = () => {
      const found = pattern.exec(this[stream]);
      if (found === null && this.#ending !== undefined)
        throw new Error(
          `ended with ${this.#ending.code ?? this.#ending.signal}; it said: ${this.stdout}${this.stderr}`,
        );
      return found;
    };
    return eventually(`${stream} to match ${pattern}`, look, deadlineMs);
  }

  signal(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }

  killGroup(): void {
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch {
      // it is gone already
    }
  }

  /** Ends it whatever it does, and expects that then nothing which it started is left. */
  async end(): Promise<void> {
    running.delete(this);
    this.killGroup();
    await this.ended;
    try {
      await eventually('every process of the subject to be gone', () => this.#remaining.length === 0);
    } catch (error) {
      for (const pid of this.#remaining) signalIfThere(pid, 'SIGKILL');
      throw error;
    }
  }

  get #remaining(): number[] {
    return startedWith(this.#mark);
  }
}

export async function endAll(): Promise<void> {
  for (const subject of running) await subject.end();
}

/** Runs a subject to its end. */
export async function run(command: string, args: readonly string[], options?: SubjectOptions) {
  const subject = new Subject(command, args, options);
  const ending = await subject.ended;
  return { ...ending, stdout: subject.stdout, stderr: subject.stderr };
}

/** Runs a script to its end. */
export function runScript(file: string, args: readonly string[] = [], options?: SubjectOptions) {
  return run(node, [file, ...args], options);
}

/** Runs a script that tests itself: it must say `pass` and nothing else, and exit with 0. */
export async function expectPass(file: string, options?: SubjectOptions): Promise<void> {
  const result = await runScript(file, [], options);
  expect(result).toEqual({ code: 0, signal: null, stdout: 'pass\n', stderr: '' });
}
