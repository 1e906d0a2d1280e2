/** The forms of a handler script's default export, and how to tell which one it is. */
import net from 'node:net';
import type { Connection } from './connection.js';

/**
 * The portable form: the same object serves in every kind of server. A callback may return a promise; the next one is
 * not called before it has settled.
 */
export interface CallbacksHandler {
  /** A client has connected. */
  open?(conn: Connection): void | Promise<void>;
  /** The client has sent bytes: as many as had arrived, not one message each. */
  data?(conn: Connection, chunk: Buffer): void | Promise<void>;
  /** The connection failed (`ECONNRESET`, `EPIPE`, …). `close` follows. */
  error?(conn: Connection, error: NodeJS.ErrnoException): void;
  /** The client has finished sending, or is gone. In the first case it can still be written to. */
  close?(conn: Connection): void | Promise<void>;
}

/** As the listener of `net.createServer`. */
export type StreamHandler = (socket: net.Socket) => void | Promise<void>;

/** A net, http, https or tls server. Only as much of its type as no other form has: `close` is a callback, too. */
export type ServerHandler = Pick<net.Server, 'listening' | 'getConnections' | 'emit'>;

/** What a handler script may export as default. */
export type Handler = CallbacksHandler | StreamHandler | ServerHandler;

/** The module of a handler script. */
export interface HandlerModule {
  default: Handler;
  /** Runs once, before the first client: to open files, load models, fill caches. */
  beforeServe?(): void | Promise<void>;
  /** Runs first in each process that serves: in each child, and once in a server of one process. */
  afterFork?(): void | Promise<void>;
}

export type HandlerForm = 'callbacks' | 'stream' | 'server';

const callbackNames = ['open', 'data', 'error', 'close'];

/** The form of a default export, or a sentence that says what is wrong with it. */
export function classifyHandler(handler: unknown): { form: HandlerForm } | { problem: string } {
  if (handler instanceof net.Server) {
    return handler.listening
      ? { problem: 'its server listens by itself: export it without calling listen()' }
      : { form: 'server' };
  }
  if (typeof handler === 'function') {
    const asksForRequests =
      handler.length >= 2 || typeof (handler as { listen?: unknown }).listen === 'function';
    return asksForRequests
      ? { problem: 'it looks like an application or request listener: export http.createServer(app)' }
      : { form: 'stream' };
  }
  if (handler === undefined) return { problem: 'it has no default export' };
  const named = Object.entries(handler ?? {}).filter(([name]) => callbackNames.includes(name));
  const isCallbacks = named.length > 0 && named.every(([, callback]) => typeof callback === 'function');
  return isCallbacks
    ? { form: 'callbacks' }
    : { problem: `an object needs one of the functions ${callbackNames.join(', ')}` };
}
