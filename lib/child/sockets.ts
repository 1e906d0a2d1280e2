/** Connections as Node's own sockets: for stream handlers, and for servers of net, http, https and tls. */
import type http from 'node:http';
import net from 'node:net';
import { native } from '../binding/native.js';
import type { StreamHandler } from './handler.js';

/** Serves connections in this process. There is one class for each form of handler. */
export interface ConnectionServer {
  serve(fd: number): unknown;
}

/** A socket on a descriptor that a serve loop accepted. */
export function openSocket(fd: number, options: { allowHalfOpen: boolean }): net.Socket {
  const socket = new net.Socket({ fd, readable: true, writable: true, ...options });
  reportTraffic(socket);
  return socket;
}

/** Passes the byte counts, which Node keeps anyway, to the serve loop: it reports them when this process has ended. */
function reportTraffic(socket: net.Socket): void {
  native.watchTraffic((socket as unknown as { _handle: object })._handle);
  socket.once('close', () => native.endTraffic(socket.bytesRead, socket.bytesWritten));
}

export class StreamServer implements ConnectionServer {
  readonly #handler: StreamHandler;

  constructor(handler: StreamHandler) {
    this.#handler = handler;
  }

  serve(fd: number): net.Socket {
    const socket = openSocket(fd, { allowHalfOpen: false });
    outliveTheClient(socket);
    this.#handler(socket);
    return socket;
  }
}

/** Options that `net.Server` keeps, and applies to each socket that it accepts itself. */
interface ServerInternals {
  allowHalfOpen?: boolean;
  noDelay?: boolean;
  keepAlive?: boolean;
  keepAliveInitialDelay?: number;
}

/** For a server of net, http, https or tls, which never listens itself. */
export class NetServer implements ConnectionServer {
  readonly #server: net.Server;
  readonly #startTimeouts: (() => void) | undefined;

  constructor(server: net.Server) {
    this.#server = server;
    if (isHttpServer(server)) this.#startTimeouts = starterOfTimeouts(server);
  }

  serve(fd: number): net.Socket {
    const server = this.#server;
    const options = server as unknown as ServerInternals;
    const socket = openSocket(fd, { allowHalfOpen: options.allowHalfOpen ?? false });
    if (options.noDelay) socket.setNoDelay(true);
    if (options.keepAlive) socket.setKeepAlive(true, options.keepAliveInitialDelay);
    outliveTheClient(socket);
    Object.assign(socket, { server });
    this.#startTimeouts?.call(server);
    server.emit('connection', socket);
    return socket;
  }
}

/**
 * Whether it is an http or https server. Only a script that has loaded `node:http` has one; an import of it here would
 * cost every zygote 30 to 100 ms from Node 22 on, where its exports load undici, http2 and tls.
 */
export function isHttpServer(server: object): server is http.Server {
  return 'closeIdleConnections' in server && server instanceof process.getBuiltinModule('node:http').Server;
}

/**
 * http starts its header and request timeouts in a listener for 'listening'. That event does not come in a child, and
 * emitting it would also call the user's listeners, which may ask for the address of the server.
 */
function starterOfTimeouts(server: http.Server): (() => void) | undefined {
  const listeners = server.listeners('listening') as (() => void)[];
  return listeners.find(listener => listener.name === 'setupConnectionsTracking');
}

/**
 * An 'error' without a listener ends the program. Here the connection is all that the process serves: that its client
 * went away ends the work, and is no fault of the script.
 */
function outliveTheClient(socket: net.Socket): void {
  socket.on('error', () => {});
}

/** The error of a connection that has no socket of Node's. */
export function socketError(errno: number): NodeJS.ErrnoException {
  const code = process.getBuiltinModule('node:util').getSystemErrorName(errno);
  const syscall = code === 'EPIPE' ? 'write' : 'read';
  return Object.assign(new Error(`${syscall} ${code}`), { code, errno, syscall });
}
