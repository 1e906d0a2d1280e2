/** The boundary to the C++ addon: everything that crosses it is typed here, and nowhere else. */
import { createRequire } from 'node:module';
import type { PosixCalls } from './posix/native.js';

/** A connection as a serve loop hands it to whom is to serve it. */
export interface Accepted extends ConnectionDescription {
  readonly fd: number;
}

export interface ConnectionDescription {
  readonly id: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
}

export interface ServeOptions {
  /** Descriptor of the bound, non-blocking listener. */
  listener: number;
  /** Descriptor of the stream socket to the owner. */
  channel: number;
  backlog: number;
  maxChildren: number;
  firstId: number;
  /** How many children are kept ready, and how many when there were too few. */
  poolMin: number;
  poolMax: number;
  connectionsPerChild: number;
  onConnection(fd: number): void;
  /** How many commands say how to serve: they are obeyed before the first client. */
  settings: number;
}

/** What the blocking server calls, each from the event loop's top. */
export interface BlockingCallbacks {
  /** So many bytes were read. */
  data(size: number): void;
  /** The peer has finished (0), or the connection failed (a negative errno). */
  end(errno: number): void;
  handOver(): void;
}

export type MultiplexOptions = Pick<ServeOptions, 'listener' | 'channel' | 'backlog' | 'firstId'> & {
  maxConnections: number;
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

/** What the C++ side can be told to fail at (`native/support/faults.h`). */
export type FaultyCall = 'fork' | 'accept' | 'read' | 'write';

export interface MessageLayout {
  kind: number;
  size: number;
  fields: Record<string, [offset: number, size: number]>;
}

export interface Native {
  bindListener(options: { host: string; port: number; ipv6Only: boolean }): number;
  getsockname(fd: number): { address: string; family: 'IPv4' | 'IPv6'; port: number };
  getpid(): number;
  kill(pid: number, signal: number): void;
  close(fd: number): void;
  isatty(fd: number): boolean;
  onMainThread(): boolean;
  getrandom(into: Uint8Array): void;
  passOnDescriptors(): void;
  processLimit(): number;
  connectionThatSays(text: Uint8Array): [server: number, client: number];
  reapStrangers(known: number[]): number[];

  findUnsafeThread(): string;
  dieWithPeer(socket: number): void;
  prepareExits(callbacks: { beforeExit(): void; exit(): void }): void;
  emitExit(): number | undefined;
  exitAfterReport(code: number): boolean;
  exitNow(code: number): never;

  /**
   * Returns in each child, with the descriptor of its connection, and in the zygote when the server has ended. A child
   * that was forked ahead gets -1 here, and its connection by `onConnection`, once it awaits it.
   */
  serve(options: ServeOptions): number | undefined;
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
  writeAll(fd: number, data: Uint8Array): number;
  watchTraffic(handle: object): void;
  endTraffic(bytesRead: number, bytesWritten: number): void;
  ranOutOfMemory(): void;
  protocolLayouts(): Record<string, MessageLayout>;
  armFault(call: FaultyCall, errno: number, times: number, forMs: number): void;

  posix: PosixCalls;
}

const require = createRequire(import.meta.url);

/** `TRUEFORK_ADDON` names another build of it: the debug one, or one with sanitizers. */
export const addonFile = require.resolve(process.env.TRUEFORK_ADDON ?? '../build/Release/truefork.node');

export const native: Native = require(addonFile);
