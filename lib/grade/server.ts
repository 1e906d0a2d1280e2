/** The server under test: started within limits, watched, and ended with all that it left. */
import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import tty from 'node:tty';
import { fileURLToPath } from 'node:url';
import { native } from '../binding/native.js';
import type { Client } from './client.js';
import { serverEnvironment } from './environment.js';
import type { LaunchLimits } from './launcher.js';
import { type Budget, patiently, settled } from './patience.js';
import { type BlockedIn, blockedIn } from './system/calls.js';
import { descendants, isRunning, type ProcessStat, socketsOf, stat } from './system/proc.js';
import { type TcpSocket, tcpSockets } from './system/tcp.js';
import { Watch } from './watch.js';

export interface ServerCommand {
  readonly command: readonly string[];
  readonly cwd?: string;
}

export interface StartOptions {
  readonly output?: 'pipe' | 'terminal';
  /** How many descriptors are taken before the program starts. */
  readonly taken?: number;
  readonly port?: number;
}

/** It does not listen, or ended before it did. */
export class NotListening extends Error {
  override name = 'NotListening';
  readonly hangs: boolean;
  constructor(message: string, hangs: boolean) {
    super(message);
    this.hangs = hangs;
  }
}

const launcher = fileURLToPath(new URL('./launcher.js', import.meta.url));
const fileSize = 32 * 2 ** 20;
const openFiles = 4096;
const startPatienceMs = 6000;

/** Children that Node waits for. Reaped by anything else, they would never get their 'exit' event. */
const waitedForByNode = new Set<number>();

/** The processes of one start of the server. */
export abstract class Server {
  port = 0;
  host = '127.0.0.1';
  /** Inodes of the sockets that listen on the port. */
  listeners = new Set<number>();
  /** The processes that were there before the first client. */
  idle: ReadonlyMap<number, BlockedIn | undefined> = new Map();
  /** Those of them that hold the listening socket. */
  acceptors: readonly number[] = [];
  /** The first process has ended, and left one that listens in a session of its own. */
  isDaemon = false;
  readonly watch: Watch;
  readonly budget: Budget;

  constructor(budget: Budget) {
    this.budget = budget;
    this.watch = new Watch(this);
  }

  /** The first process that was started. */
  abstract readonly root: number;
  abstract readonly rootEnded: boolean;
  /** The process that all of the server descend from. */
  protected abstract readonly ancestor: number;

  /** All processes of the server, zombies among them. Orphans that ended are waited for: they are nobody's zombies. */
  tree(): ProcessStat[] {
    return descendants(this.ancestor).filter(each => !this.isOrphanThatEnded(each));
  }

  protected isOrphanThatEnded({ pid, parent, state }: ProcessStat): boolean {
    if (parent !== this.ancestor || waitedForByNode.has(pid)) return state === 'Z';
    return state === 'Z' && native.reapProcess(pid);
  }

  readonly processes = () => this.tree();

  /**
   * Waits until it listens, and comes to rest.
   * @throws {NotListening}
   */
  async listens(wanted?: number): Promise<void> {
    const found = await patiently(
      () => this.findListener(wanted) ?? (this.hasEnded ? 'ended' : undefined),
      this.processes,
      this.budget,
      { ms: startPatienceMs },
    );
    if (found === undefined) throw new NotListening('it runs, but does not listen on any TCP port', true);
    if (found === 'ended') throw new NotListening('it ended before it listened', false);
    this.port = found.localPort;
    this.host = found.host;
    await settled(this.processes, this.budget);
    this.listeners = new Set(
      tcpSockets(this.port).flatMap(({ state, inode }) => (state === 'LISTEN' ? [inode] : [])),
    );
    const tree = this.tree();
    this.idle = new Map(tree.map(({ pid }) => [pid, blockedIn(pid)]));
    this.acceptors = tree.filter(({ pid }) => this.holdsListener(pid)).map(({ pid }) => pid);
    this.isDaemon = this.rootEnded && stat(this.acceptors[0] ?? 0)?.session !== this.root;
    this.watch.begin();
  }

  private findListener(wanted: number | undefined): TcpSocket | undefined {
    const listening = tcpSockets().filter(({ state }) => state === 'LISTEN');
    const own = new Set(this.tree().flatMap(({ pid }) => [...socketsOf(pid).keys()]));
    const found = listening.filter(({ inode }) => own.has(inode));
    return found.find(({ localPort }) => localPort === wanted) ?? found[0];
  }

  private get hasEnded(): boolean {
    return this.rootEnded && this.tree().length === 0;
  }

  holdsListener(pid: number): boolean {
    return [...socketsOf(pid).keys()].some(inode => this.listeners.has(inode));
  }

  /** The server's end of a client's connection. */
  connectionOf(client: Client): TcpSocket | undefined {
    const { localPort } = client;
    if (localPort === 0) return undefined;
    return tcpSockets(this.port).find(({ remotePort }) => remotePort === localPort);
  }

  /** Which processes have that socket open. */
  holdersOf(inode: number): number[] {
    return inode === 0 ? [] : this.tree().flatMap(({ pid }) => (socketsOf(pid).has(inode) ? [pid] : []));
  }

  /** Processes that were born after the first client came, and have not ended. */
  younger(): ProcessStat[] {
    return this.tree().filter(({ pid, state }) => !this.idle.has(pid) && state !== 'Z');
  }

  /** Whether every process that accepted clients at the beginning still runs. */
  get isWhole(): boolean {
    return this.acceptors.length > 0 && this.acceptors.every(isRunning);
  }

  signal(pid: number, signal: NodeJS.Signals): void {
    try {
      process.kill(pid, signal);
    } catch {
      // it has ended
    }
  }

  /** Kills everything that is left of it. */
  async end(): Promise<void> {
    this.watch.end();
    const deadline = performance.now() + 10_000;
    for (;;) {
      this.killGroup();
      const left = this.tree();
      for (const { pid } of left) this.signal(pid, 'SIGKILL');
      if (left.length === 0 && this.rootEnded) return;
      if (performance.now() > deadline) return;
      await new Promise(resolve => setTimeout(resolve, 4));
    }
  }

  /** Atomic for all that stayed in the group: a process that forks cannot outrun it. */
  private killGroup(): void {
    if (this.root === 0) return; // it could not be started, and kill(0) means the grader's own group
    try {
      process.kill(-this.root, 'SIGKILL');
    } catch {
      // it is gone
    }
  }
}

/** Kills all that the grader has started, and waits for nothing: for a grading whose time is over. */
export function killAll(): void {
  for (const { pid } of descendants(process.pid)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // it has ended
    }
  }
}

/** Without a tracer. */
export class PlainServer extends Server {
  protected readonly ancestor = process.pid;
  readonly #child: ChildProcess;
  #terminal: tty.ReadStream | undefined;
  readonly #closed: Promise<unknown>;

  constructor({ command, cwd }: ServerCommand, budget: Budget, options: StartOptions) {
    super(budget);
    const { output = 'pipe', taken = 0, port = 0 } = options;
    const limits: LaunchLimits = { fileSize, openFiles };
    const ends = output === 'terminal' ? native.openTerminal() : undefined;
    const nothing = taken > 0 ? fs.openSync('/dev/null', 'r+') : -1;
    this.#child = spawn(
      process.execPath,
      [launcher, JSON.stringify(limits), ...command.map(word => word.replaceAll('{port}', String(port)))],
      {
        cwd,
        detached: true,
        stdio: ['ignore', ends?.[1] ?? 'pipe', ends?.[1] ?? 'pipe', ...Array<number>(taken).fill(nothing)],
        env: serverEnvironment(port),
      },
    );
    // Without a process there is no 'exit', only the error that says why.
    this.#closed = new Promise(resolve => this.#child.once('exit', resolve).on('error', resolve));
    const { root } = this;
    if (root > 0) {
      waitedForByNode.add(root);
      this.#child.once('exit', () => waitedForByNode.delete(root));
    }
    if (nothing >= 0) fs.closeSync(nothing);
    const hear = (chunk: Buffer) => this.watch.hear(chunk);
    if (ends !== undefined) {
      fs.closeSync(ends[1]);
      this.#terminal = new tty.ReadStream(ends[0]);
      this.#terminal.on('data', hear).on('error', () => this.#terminal?.destroy());
    } else {
      this.#child.stdout!.on('data', hear);
      this.#child.stderr!.on('data', hear);
    }
  }

  get root(): number {
    return this.#child.pid ?? 0;
  }

  get rootEnded(): boolean {
    return this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  get endedBy(): NodeJS.Signals | null {
    return this.#child.signalCode;
  }

  override async end(): Promise<void> {
    await super.end();
    await this.#closed;
    this.#terminal?.destroy();
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
  }
}
