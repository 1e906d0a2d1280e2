/** Where in its source a program made a call: what a script says itself, otherwise addr2line(1) for what has line numbers. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { CodeAddress, Enter, SourceLine } from './events.js';
import { baseName } from './words.js';

/** Its own lines say nothing of the script that it runs. */
export function isInterpreter(file: string): boolean {
  return /^(node|nodejs|python|perl|ruby|bash|sh|dash|busybox)[\d.]*$/.test(baseName(file));
}

/** addr2line for one file: it answers each address with a function's name and a place, a line each. */
class Addr2Line {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #waiting: ((line: string | undefined) => void)[] = [];
  #isOver = false;

  constructor(file: string) {
    this.#process = spawn('addr2line', ['--functions', '--exe', file]);
    const end = () => {
      this.#isOver = true;
      for (const resolve of this.#waiting.splice(0)) resolve(undefined);
    };
    // Without binutils there are no lines, and the trace is as good as without debug information.
    this.#process.once('error', end);
    this.#process.stdin.on('error', end);
    this.#process.once('close', end);
    this.#process.stderr.resume();
    createInterface({ input: this.#process.stdout }).on('line', line => this.#waiting.shift()?.(line));
  }

  async find(address: number): Promise<SourceLine | undefined> {
    if (this.#isOver) return undefined;
    const lines = [1, 2].map(() => new Promise<string | undefined>(resolve => this.#waiting.push(resolve)));
    this.#process.stdin.write(`0x${address.toString(16)}\n`);
    const [name, place] = await Promise.all(lines);
    const parts = /^(?<file>[^?].*):(?<line>\d+)( \(.*\))?$/.exec(place ?? '')?.groups;
    if (parts === undefined || parts.line === '0') return undefined;
    const named = name !== undefined && name !== '??' ? { function: name } : {};
    return { file: parts.file!, line: Number(parts.line), ...named };
  }

  end(): void {
    this.#process.stdin.end();
    this.#process.kill();
  }
}

export class SourceLines {
  readonly #files = new Map<string, Addr2Line>();
  readonly #known = new Map<string, Promise<SourceLine | undefined>>();

  /** The line of the call itself; undefined where nothing is known. */
  async of(enter: Enter): Promise<SourceLine | undefined> {
    return enter.where ?? (await this.callers(enter))[0];
  }

  /** That line, and those of the functions it was called from, nearest first. */
  async callers(enter: Enter): Promise<SourceLine[]> {
    if (enter.where) return [enter.where];
    const found = await Promise.all((enter.addresses ?? []).map(address => this.#find(address)));
    return found.filter(line => line !== undefined);
  }

  #find({ file, address }: CodeAddress): Promise<SourceLine | undefined> {
    if (isInterpreter(file)) return Promise.resolve(undefined);
    const key = `${file}:${address}`;
    const known = this.#known.get(key);
    if (known) return known;
    let program = this.#files.get(file);
    if (program === undefined) {
      program = new Addr2Line(file);
      this.#files.set(file, program);
    }
    // The address is where the call returns to: the call itself is in front of it.
    const found = program.find(address - 1);
    this.#known.set(key, found);
    return found;
  }

  /** Ends its helpers. */
  end(): void {
    for (const program of this.#files.values()) program.end();
    this.#files.clear();
  }
}

/** "server.c:73". */
export function shortPlace({ file, line }: SourceLine): string {
  return `${baseName(file)}:${line}`;
}
