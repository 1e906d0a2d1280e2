/** truefork: true `fork()` for Node on Linux, and servers that fork a warm JavaScript process for each connection. */

export type { TrueforkError } from './errors.js';
export { type AtForkHandlers, registerAtFork } from './fork/at-fork.js';
export { type CloseOptions, ForkingServer } from './server/forking-server.js';
export type { ForkingServerOptions, ListenOptions } from './server/options.js';
export type { ChildUsage, ConnectionInfo, ExitInfo } from './server/records.js';
export type { Connection } from './zygote/connection.js';
export type { CallbacksHandler, Handler, HandlerModule, StreamHandler } from './zygote/handler.js';
