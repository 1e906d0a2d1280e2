/**
 * Looks at a running server all the time, and ends it when it leaves its limits: processes, output, files, memory. Also keeps what
 * it printed.
 */
import fs from 'node:fs';
import { bytesToDisk, filesWrittenBy, type ProcessStat } from './system/proc.js';

export type Conduct = 'hangs' | 'daemonises' | 'kills-strangers' | 'floods-output' | 'fills-disk';

/** What it looks at. */
export interface Watched {
  readonly root: number;
  tree(): readonly ProcessStat[];
  signal(pid: number, signal: NodeJS.Signals): void;
}

const intervalMs = 40;
const maxProcesses = 150;
/** More than this that use too much memory together are too many, not too large. */
const manyProcesses = 25;
const maxOutput = 4 * 2 ** 20;
const keptOutput = 256 * 2 ** 10;
const maxFileBytes = 24 * 2 ** 20;
const maxPages = (3 * 2 ** 30) / 4096;

export class Watch {
  /** More processes than any server of a course needs: it forks without end. */
  isBomb = false;
  usesTooMuchMemory = false;
  conduct: Conduct | undefined;
  output = '';
  /** How many processes there were at most. */
  most = 0;
  readonly #server: Watched;
  #heard = 0;
  #timer: NodeJS.Timeout | undefined;
  #startedAtMs = Date.now();

  constructor(server: Watched) {
    this.#server = server;
    this.#timer = setInterval(() => this.#look(), intervalMs);
  }

  /** The server was ended for what it did. */
  get stopped(): boolean {
    return this.isBomb || this.usesTooMuchMemory || this.conduct !== undefined;
  }

  begin(): void {
    this.#look();
  }

  end(): void {
    clearInterval(this.#timer);
  }

  hear(chunk: Buffer): void {
    this.#heard += chunk.length;
    if (this.output.length < keptOutput) this.output += chunk.toString('latin1');
    if (this.#heard > maxOutput) this.#stop('floods-output');
  }

  #look(): void {
    const tree = this.#server.tree();
    this.most = Math.max(this.most, tree.length);
    const pages = tree.reduce((sum, { residentPages }) => sum + residentPages, 0);
    if (tree.length > maxProcesses || (pages > maxPages && tree.length > manyProcesses)) this.isBomb = true;
    else if (pages > maxPages) this.usesTooMuchMemory = true;
    if (this.stopped) this.#kill();
    if (this.#fillsDisk(tree)) this.#stop('fills-disk');
  }

  #fillsDisk(tree: readonly ProcessStat[]): boolean {
    let written = 0;
    const files = new Set<string>();
    for (const { pid } of tree.slice(0, 20)) {
      written += bytesToDisk(pid);
      for (const file of filesWrittenBy(pid)) files.add(file);
    }
    let size = 0;
    for (const file of files) size += this.#sizeOfNew(file);
    if (Math.max(written, size) < maxFileBytes) return false;
    for (const file of files) this.#removeIfNewAndLarge(file);
    return true;
  }

  /** What a file that existed before has grown by is in bytesToDisk() alone. */
  #sizeOfNew(file: string): number {
    const stats = fs.statSync(file, { throwIfNoEntry: false });
    return stats?.isFile() && stats.birthtimeMs >= this.#startedAtMs ? stats.size : 0;
  }

  #removeIfNewAndLarge(file: string): void {
    const stats = fs.statSync(file, { throwIfNoEntry: false });
    if (stats?.isFile() && stats.birthtimeMs >= this.#startedAtMs && stats.size > 2 ** 20) fs.rmSync(file);
  }

  #stop(conduct: Conduct): void {
    this.conduct ??= conduct;
    this.#kill();
  }

  #kill(): void {
    const { root } = this.#server;
    if (root > 0) this.#server.signal(-root, 'SIGKILL');
    for (const { pid } of this.#server.tree()) this.#server.signal(pid, 'SIGKILL');
  }
}
