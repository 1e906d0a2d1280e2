/** Connections as Node's own sockets: for stream handlers, and for servers of net, http, https and tls. */
import type http from 'node:http';
import net from 'node:net';
import { native } from '../binding/native.js';
import type { StreamHandler } from './handler.js';

/** Serves connections in the process that it is in: each form of a handler has its own. */
export interface ConnectionServer {
  serve(fd: number): unknown;
}

/** A socket on a descriptor that a serve loop accepted. */
export function openSocket(fd: number, options: { allowHalfOpen: boolean }): net.Socket {
  const socket = new net.Socket({ fd, readable: true, writable: true, ...options });
  reportTraffic(socket);
  return socket;
}

/** What Node counts of the connection anyway goes to the serve loop, which alone lives on if this process does not. */
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

/** What `net.Server` knows of the options it was made with, and applies to each socket that it accepts itself. */
interface ServerInternals {
  allowHalfOpen?: boolean;
  noDelay?: boolean;
  keepAlive?: boolean;
  keepAliveInitialDelay?: number;
}

/** By a server of net, http, https or tls, which never listens itself. */
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
 * Asks a server of another kind nothing that would load `node:http`: a script that uses it has loaded it. An import of it
 * here would cost every zygote 30 to 100 ms from Node 22 on, where the names that it exports bring undici, http2 and tls.
 */
export function isHttpServer(server: object): server is http.Server {
  return 'closeIdleConnections' in server && server instanceof process.getBuiltinModule('node:http').Server;
}

/**
 * http's header and request timeouts are started by a listener of its own for 'listening'. That event does not come in
 * a child, and emitting it would also call the user's listeners, which may ask for the address of a listener.
 */
function starterOfTimeouts(server: http.Server): (() => void) | undefined {
  const listeners = server.listeners('listening') as (() => void)[];
  return listeners.find(listener => listener.name === 'setupConnectionsTracking');
}

/**
 * In a server of many connections an 'error' that nobody listens to ends the program, and should. Here the connection
 * is all there is: that its client went away is the end of the work, not a fault of the script.
 */
function outliveTheClient(socket: net.Socket): void {
  socket.on('error', () => {});
}

/** The error of a connection that was read and written without a socket of Node's. */
export function socketError(errno: number): NodeJS.ErrnoException {
  const code = process.getBuiltinModule('node:util').getSystemErrorName(errno);
  const syscall = code === 'EPIPE' ? 'write' : 'read';
  return Object.assign(new Error(`${syscall} ${code}`), { code, errno, syscall });
}
