/** truefork: true `fork()` for Node on Linux, and servers that fork a warm JavaScript process for each connection. */

export type { Family } from './binding/native.js';
export type { Connection } from './child/connection.js';
export type {
  CallbacksHandler,
  Handler,
  HandlerModule,
  ServerHandler,
  StreamHandler,
} from './child/handler.js';
export { type CommandOptions, type Config, defineConfig } from './define-config.js';
export type { TrueforkError } from './errors.js';
export { type AtForkHandlers, registerAtFork } from './fork/at-fork.js';
export type { ServerOptions } from './options/check.js';
export type { Duration, GlobalPolicy, Policy, Size, SpareCount } from './options/kinds.js';
export type { CheckedLimits, LimitOptions, NewLimits } from './options/limits.js';
export type { ListenOptions } from './options/places.js';
export { ForkingServer, type ForkingServerOptions } from './owner/forking-server.js';
export { IterativeServer, type IterativeServerOptions } from './owner/iterative-server.js';
export type { ListenAddress } from './owner/listener.js';
export type {
  ChildUsage,
  ConnectionInfo,
  EndInfo,
  EndingLimit,
  ExitInfo,
  RefusalReason,
  RefusedInfo,
} from './owner/records.js';
export { SelectServer, type SelectServerOptions } from './owner/select-server.js';
export type { CloseOptions, Server, ServerEvents, ServerState, ZygoteState } from './owner/server.js';
export type { ServerStats } from './owner/stats.js';
export { listenFds } from './owner/systemd.js';
