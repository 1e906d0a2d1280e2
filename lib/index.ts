/** truefork: true `fork()` for Node on Linux, and servers that fork a warm JavaScript process for each connection. */

export { type CommandOptions, type Config, defineConfig } from './config.js';
export type { TrueforkError } from './errors.js';
export { type AtForkHandlers, registerAtFork } from './fork/at-fork.js';
export type { Family } from './native.js';
export { ForkingServer, type ForkingServerOptions } from './server/forking-server.js';
export { IterativeServer, type IterativeServerOptions } from './server/iterative-server.js';
export type { CheckedLimits, LimitOptions, NewLimits } from './server/limit-options.js';
export type { ListenOptions } from './server/listen-options.js';
export type { ListenAddress } from './server/listener.js';
export type { Duration, GlobalPolicy, Policy, PoolSize, Size } from './server/option-kinds.js';
export type { ServerOptions } from './server/options.js';
export type {
  ChildUsage,
  ConnectionInfo,
  EndInfo,
  EndingLimit,
  ExitInfo,
  RefusalReason,
  RefusedInfo,
} from './server/records.js';
export { SelectServer, type SelectServerOptions } from './server/select-server.js';
export type { CloseOptions, Server, ServerEvents, ServerState, ZygoteState } from './server/server.js';
export type { ServerStats } from './server/stats.js';
export { listenFds } from './server/systemd.js';
export type { Connection } from './zygote/connection.js';
export type {
  CallbacksHandler,
  Handler,
  HandlerModule,
  ServerHandler,
  StreamHandler,
} from './zygote/handler.js';
