/**
 * Serves a connection by a callbacks handler: with blocking calls for as long as nothing else goes on in this process,
 * and by events from the moment that something does.
 */
import type net from 'node:net';
import { type Accepted, native } from '../native.js';
import { Connection, type Transport } from './connection.js';
import type { CallbacksHandler } from './handler.js';
import { openSocket, socketError } from './sockets.js';

/** What the native loop asks after each callback; the same numbers stand in `native/serve/blocking.cc`. */
const GoOn = 0;
const Pending = 1;
const Ended = 2;

/** How long a client may go on sending after the server has ended the connection, in milliseconds. */
const lingerMs = 2000;

export function serveByCallbacks(handler: CallbacksHandler, accepted: Accepted): void {
  const { fd } = accepted;
  const state = new Uint8Array([GoOn]);
  let failure = 0;
  let pending: Promise<void> | undefined;

  const transport: Transport = {
    write(data) {
      if (failure === 0 && (failure = native.writeAll(fd, data)) !== 0) state[0] = Ended;
      return failure === 0;
    },
    end() {
      state[0] = Ended;
    },
    destroy() {
      state[0] = Ended;
    },
  };
  const conn = new Connection(accepted, transport);

  /** Holds the next callback back until what this one began has settled. A rejection stays unhandled, and tells so. */
  const settle = (result: unknown) => {
    if (!isThenable(result)) return;
    if (state[0] === GoOn) state[0] = Pending;
    pending = Promise.resolve(result).then(() => {
      if (state[0] === Pending) state[0] = GoOn;
    });
  };

  settle(handler.open?.(conn));
  native.serveBlocking(fd, state, {
    data: chunk => settle(handler.data?.(conn, chunk)),
    end(errno) {
      const error = failure || errno;
      if (error !== 0) handler.error?.(conn, socketError(error));
      return handler.close?.(conn);
    },
    handOver: () => goOnByEvents(handler, conn, openSocket(fd, { allowHalfOpen: true }), pending),
  });
}

function goOnByEvents(
  handler: CallbacksHandler,
  conn: Connection,
  socket: net.Socket,
  pending: Promise<void> | undefined,
): void {
  let ended = false;
  const end = () => {
    ended = true;
    socket.end();
    setTimeout(() => socket.destroy(), lingerMs).unref();
  };
  conn.carryBy({ write: data => socket.write(data), end, destroy: () => socket.destroy() });

  let turn = Promise.resolve(pending);
  let closed = false;
  const inTurn = (callback: () => unknown) => {
    turn = turn.then(callback) as Promise<void>;
    return turn;
  };
  const close = () => {
    if (closed) return;
    closed = true;
    inTurn(() => handler.close?.(conn));
  };
  socket.on('data', chunk => {
    if (ended) return;
    socket.pause();
    inTurn(() => handler.data?.(conn, chunk)).then(() => socket.resume());
  });
  socket.on('error', error => inTurn(() => handler.error?.(conn, error)));
  socket.on('end', close);
  socket.on('close', close);
}

function isThenable(value: unknown): value is PromiseLike<void> {
  return typeof (value as PromiseLike<void> | undefined)?.then === 'function';
}
