/** The boundary to the C++ addon: everything that crosses it is typed here, and nowhere else. */

import { loadAddon } from './load.js';
import type { PosixCalls } from './posix.js';
import { isTraced, locatingCalls } from './traced-calls.js';

export type Family = 'IPv4' | 'IPv6' | 'Unix';

/** A connection as a serve loop hands it to whom is to serve it. */
export interface Accepted extends ConnectionDescription {
  readonly fd: number;
}

export interface ConnectionDescription {
  readonly id: number;
  readonly family: Family;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
}

export interface ServeOptions {
  /** Descriptors of bound, non-blocking listeners, and the backlog of each. */
  listeners: [fd: number, backlog: number][];
  /** Descriptor of the stream socket to the owner. */
  channel: number;
  /** What the children are to become. */
  program?: { path: string; arguments: string[] };
  /** How many children are kept ready, and how many when there were too few. */
  spareMin: number;
  spareMax: number;
  connectionsPerChild: number;
  /** Whether each child goes back to what it was after each connection, and checks that it has. */
  rollback: boolean;
  verifiesRollback: boolean;
  /** In each child, with its connection's descriptor, or -1: then it was forked ahead, and is to await one. */
  onChild?(fd: number): void;
  /** In a child, with each connection that it awaited. */
  onConnection?(fd: number): void;
  /** In a child that is to serve others: nothing is left to do for its connection. */
  onServed?(): void;
  /** In the zygote, when the server has ended. */
  onEnd(): void;
  /** How many commands say how to serve: they are obeyed before the first client. */
  settings: number;
  /** What to give up before the first client is served. */
  privileges: Privileges | undefined;
  isolation: Isolation;
}

/** Whom the serving process becomes, and where; what is undefined stays as it is. */
export interface Privileges {
  user?: number | undefined;
  group?: number | undefined;
  /** The supplementary groups, with `group`. */
  groups?: number[] | undefined;
  root?: string | undefined;
  folder?: string | undefined;
  umask?: number | undefined;
  noNewPrivs: boolean;
  /** With `user`: the right to give children users of their own is kept. */
  startsUsers?: boolean | undefined;
}

/** What children of a forking server are confined by (native/server/child_isolation.h). */
export interface Isolation {
  /** Whether what a connection leaves running is ended. */
  leftovers: boolean;
  /** Landlock's scope: 0 not at all, 1 as far as there is one, 2 required. */
  scope: number;
  sandbox?: SandboxRules | undefined;
}

export interface SandboxRules {
  read: readonly string[];
  write: readonly string[];
  /** Undefined: no restriction. */
  network?:
    | { connect: readonly number[]; listen: readonly number[]; udp: boolean; unix: boolean }
    | undefined;
  maxFileSize?: number | undefined;
  maxProcesses?: number | undefined;
  uids?: { from: number; to: number } | undefined;
  bestEffort: boolean;
}

/** What the blocking server calls, each from the event loop's top. */
export interface BlockingCallbacks {
  /** So many bytes were read. */
  data(size: number): void;
  /** The peer has finished (0), or the connection failed (a negative errno). */
  end(errno: number): void;
  handOver(): void;
}

export type MultiplexOptions = Pick<ServeOptions, 'listeners' | 'channel'> & {
  usePoll: boolean;
};

/** What the multiplexer calls, each from the event loop's top. */
export interface MultiplexCallbacks {
  open(accepted: Accepted): void;
  data(id: number, chunk: Buffer): void;
  /** The peer has finished (0), or the connection has failed and is closed (a negative errno). */
  end(id: number, errno: number): void;
  /** The server was stopped, and no connection is left. */
  ended(): void;
}

/** System calls that can be made to fail (`native/support/faults.h`). */
export type FaultyCall = 'fork' | 'accept' | 'read' | 'write';

/** The measures for speed of `native/speed/switches.h` that TypeScript takes part in. */
export type SpeedMeasure = 'heap-placement' | 'rehearsal' | 'prespawn';

export interface MessageLayout {
  kind: number;
  size: number;
  fields: Record<string, [offset: number, size: number]>;
}

/** What the tracer is to run, watch and change. */
export interface TracerSettings {
  command: readonly string[];
  environment: readonly string[];
  folder: string;
  newSession: boolean;
  readWrite: boolean;
  injections: readonly string[];
  maxProcesses: number;
  confineSignals: boolean;
  addresses: boolean;
  dataLength: number;
  watchedSignals: readonly number[];
  unsafeFunctions: readonly string[];
}

export interface Native {
  bindListener(options: {
    host: string;
    port: number;
    ipv6Only: boolean;
    noDelay: boolean;
    keepAlive: boolean;
    keepAliveSeconds: number;
    deferSeconds: number;
  }): number;
  bindUnixListener(path: string): number;
  /** Whether it listens already. */
  adoptListener(fd: number): boolean;
  getsockname(fd: number): { address: string; family: Family; port: number };
  userId(name: string): number | undefined;
  groupId(name: string): number | undefined;
  notify(socket: string, text: string): void;
  monotonicMicros(): number;
  getpid(): number;
  kill(pid: number, signal: number): void;
  close(fd: number): void;
  isatty(fd: number): boolean;
  onMainThread(): boolean;
  getrandom(into: Uint8Array): void;
  passOnDescriptors(): void;
  passwdEntry(uid: number): { name: string; gid: number; home: string } | undefined;
  socketPairWithInput(text: Uint8Array): [server: number, client: number];
  reapOrphans(known: number[]): number[];

  findUnsafeThread(): string;
  dieWithPeer(socket: number): void;
  prepareExits(callbacks: { nothingLeft(): void; beforeExit(): void; exit(): void }): void;
  emitExit(): number | undefined;
  exitAfterReport(code: number): boolean;
  /** Has V8 collect all garbage and give back what it can spare. */
  collectAllGarbage(): void;
  speedIsOn(measure: SpeedMeasure): boolean;
  speedNames(): string;
  unknownSpeedSwitch(): string;
  exitNow(code: number): never;

  /** The first message to a zygote: its header, with the listeners. False where that has ended already. */
  sendConfig(socket: number, header: Uint8Array, listeners: readonly number[]): boolean;
  /** Waits for it, and its body; undefined where the owner has ended instead. */
  receiveConfig(socket: number): { body: string; listeners: number[] } | undefined;
  dropPrivileges(privileges: Privileges): void;
  /** Moves it to a high free number with FD_CLOEXEC, and returns that. */
  moveDescriptorUp(fd: number): number;
  /** The version of the kernel's Landlock, or a negative errno. */
  landlockVersion(): number;
  /** Returns at once; the loop begins with the next turn of the event loop, and calls the functions of the options. */
  serve(options: ServeOptions): void;
  awaitConnection(): void;
  /** In a child: the connection that it was forked for. */
  describeConnection(): ConnectionDescription;
  prepareBlocking(state: Uint32Array, callbacks: BlockingCallbacks): void;
  readInto(buffer: Uint8Array): void;
  serveBlocking(fd: number): void;
  multiplex(options: MultiplexOptions, callbacks: MultiplexCallbacks): void;
  peerWrite(id: number, data: Uint8Array): boolean;
  peerRead(id: number, reading: boolean): void;
  peerEnd(id: number): void;
  peerDestroy(id: number): void;
  peerRelease(id: number): void;
  /** Whether this server, or the one that this child is of, takes no new client any more. */
  toldToFinish(): boolean;
  writeAll(fd: number, data: Uint8Array): number;
  watchTraffic(handle: object): void;
  endTraffic(bytesRead: number, bytesWritten: number): void;
  ranOutOfMemory(): void;
  protocolLayouts(): Record<string, MessageLayout>;

  /** Orphans of all descendants become children of this process. */
  becomeSubreaper(): void;
  /** Whether that child was a zombie; it is gone now. */
  reapProcess(pid: number): boolean;
  openTerminal(): [master: number, slave: number];
  /** This thread, and what it executes, reaches no stranger by a signal, and dies with its parent. */
  confineSignals(): void;

  armFault(call: FaultyCall, errno: number, times: number, forMs: number): void;
  /** Runs a program under the tracer until nothing of it is left. For a process of its own. */
  trace(settings: TracerSettings, socket: number): void;
  /** Where in its source a traced program is. */
  traceLocation(text: string): void;

  posix: PosixCalls;
}

const loaded = loadAddon();

/** The file that the addon was loaded from. */
export const addonFile: string | undefined = 'addon' in loaded ? loaded.file : undefined;

/** @throws `ERR_TRUEFORK_PLATFORM` or `ERR_TRUEFORK_ADDON`, where every call would. */
export function assertAvailable(): void {
  if ('error' in loaded) throw loaded.error();
}

/**
 * Without the addon the package can still be imported, and its types used: an editor on another system, a program that
 * asks first. Every call throws, and the constants are undefined.
 */
function unavailable(): Native {
  const refusing = <Known extends object>(known: Known) =>
    new Proxy(known, { get: (_, name) => known[name as keyof Known] ?? assertAvailable });
  return refusing({ posix: refusing({ constants: {} }) }) as unknown as Native;
}

function available(addon: Native): Native {
  return isTraced ? { ...addon, posix: locatingCalls(addon.posix, addon.traceLocation) } : addon;
}

export const native: Native = 'addon' in loaded ? available(loaded.addon as Native) : unavailable();
