/**
 * Serves a connection by a callbacks handler: with blocking calls as long as the handler does nothing but answer, and by
 * events from the moment that it starts something else (a timer, a file, another socket).
 */
import type net from 'node:net';
import { native } from '../binding/native.js';
import { Connection, type Transport } from './connection.js';
import type { CallbacksHandler } from './handler.js';
import { LazyDescription } from './lazy-description.js';
import { type ConnectionServer, openSocket, socketError } from './sockets.js';
import { Turns } from './turns.js';

/** What is to be done next, by the numbers of `native/binding/blocking.cc`. */
const GoOn = 0;
const Pending = 1;
const Ended = 2;

/**
 * How long the connection stays open for reading after the server has ended it, in milliseconds: closed at once, with
 * data of the client unread, it would be reset, and the client could lose the answer (lingering close).
 */
const lingerMs = 2000;

/** Bytes that Node itself reads at once. */
const roomSize = 64 * 1024;
/** With less than this left, a new room is allocated. */
const leastRoom = 8 * 1024;

/** The class of all buffers. `subarray()` would make one too, but through three functions of Node's. */
const FastBuffer = (Buffer as unknown as { [Symbol.species]: new () => Buffer })[Symbol.species];

/** The one connection that this process serves by blocking calls. */
let serving: Blocking;

class Blocking implements Transport {
  /** Shared with C++: what is to be done next, and how many bytes of the room are used. */
  static readonly state = new Uint32Array(2);
  static #room = Buffer.allocUnsafeSlow(roomSize);

  readonly #handler: CallbacksHandler;
  readonly #conn: Connection;
  readonly #isOneOfSeveral: boolean;
  readonly #description = new LazyDescription();
  #fd = -1;
  #failure = 0;
  readonly #turns = new Turns({
    pause() {
      if (Blocking.state[0] === GoOn) Blocking.state[0] = Pending;
    },
    resume() {
      if (Blocking.state[0] === Pending) Blocking.state[0] = GoOn;
    },
  });

  constructor(handler: CallbacksHandler, isOneOfSeveral: boolean) {
    this.#handler = handler;
    this.#isOneOfSeveral = isOneOfSeveral;
    this.#conn = new Connection(this.#description, this);
  }

  static prepare(): void {
    native.prepareBlocking(Blocking.state, {
      data: size => serving.#data(Blocking.#take(size)),
      end: errno => serving.#end(errno),
      handOver: () => serving.#handOver(),
    });
    native.readInto(Blocking.#room);
  }

  static #take(size: number): Buffer {
    const start = Blocking.state[1]!;
    const chunk: Buffer = Reflect.construct(Uint8Array, [Blocking.#room.buffer, start, size], FastBuffer);
    const used = (start + size + 7) & ~7;
    Blocking.state[1] = used;
    if (roomSize - used < leastRoom) {
      native.readInto((Blocking.#room = Buffer.allocUnsafeSlow(roomSize)));
      Blocking.state[1] = 0;
    }
    return chunk;
  }

  start(fd: number): void {
    this.#fd = fd;
    Blocking.state[0] = GoOn;
    const result: unknown = this.#handler.open?.(this.#conn);
    if (result !== undefined) this.#turns.follow(result);
    native.serveBlocking(fd);
  }

  write(data: Uint8Array): boolean {
    if (this.#failure === 0 && (this.#failure = native.writeAll(this.#fd, data)) !== 0)
      Blocking.state[0] = Ended;
    return this.#failure === 0;
  }

  end(): void {
    Blocking.state[0] = Ended;
  }

  destroy(): void {
    Blocking.state[0] = Ended;
  }

  #data(chunk: Buffer): void {
    const result: unknown = this.#handler.data?.(this.#conn, chunk);
    if (result !== undefined) this.#turns.follow(result);
  }

  #end(errno: number): void {
    const error = this.#failure || errno;
    if (error !== 0) this.#handler.error?.(this.#conn, socketError(error));
    this.#turns.call(() => this.#handler.close?.(this.#conn));
    this.#turns.call(() => this.#finish(() => native.close(this.#fd)));
  }

  #handOver(): void {
    const socket = openSocket(this.#fd, { allowHalfOpen: true });
    goOnByEvents(this.#handler, this.#conn, socket, this.#turns, () => this.#finish(() => socket.end()));
  }

  /** The connection is closed here, and not by the end of this process, which may serve others after it. */
  #finish(close: () => void): void {
    if (this.#isOneOfSeveral) this.#description.settle();
    close();
    this.#conn.finish();
  }
}

Blocking.prepare();

/**
 * It is made in the zygote, with the objects that the first connection will need: each object that a child makes, and
 * each function that it is the first to run, makes it copy a page or two (copy-on-write).
 */
export class CallbacksServer implements ConnectionServer {
  readonly #handler: CallbacksHandler;
  readonly #servesSeveral: boolean;
  #next: Blocking | undefined;

  constructor(handler: CallbacksHandler, { servesSeveral }: { servesSeveral: boolean }) {
    this.#handler = handler;
    this.#servesSeveral = servesSeveral;
    this.#next = new Blocking(handler, servesSeveral);
  }

  serve(fd: number): void {
    serving = this.#next ?? new Blocking(this.#handler, this.#servesSeveral);
    this.#next = undefined;
    serving.start(fd);
  }
}

function goOnByEvents(
  handler: CallbacksHandler,
  conn: Connection,
  socket: net.Socket,
  turns: Turns,
  finish: () => void,
): void {
  let ended = false;
  const end = () => {
    ended = true;
    socket.end();
    setTimeout(() => socket.destroy(), lingerMs).unref();
  };
  conn.carryBy({ write: data => socket.write(data), end, destroy: () => socket.destroy() });

  let closed = false;
  const close = () => {
    if (closed) return;
    closed = true;
    turns.call(() => handler.close?.(conn));
    turns.call(finish);
  };
  socket.on('data', chunk => {
    if (!ended) turns.call(() => handler.data?.(conn, chunk));
  });
  socket.on('error', error => turns.call(() => handler.error?.(conn, error)));
  socket.on('end', close);
  socket.on('close', close);
  turns.redirect({ pause: () => socket.pause(), resume: () => socket.resume() });
}
