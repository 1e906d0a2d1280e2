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
export { type Config, defineConfig } from './define-config.js';
export type { TrueforkError } from './errors.js';
export { type AtForkHandlers, registerAtFork } from './fork/at-fork.js';
export type {
  CheckedLimits,
  CommandOptions,
  ForkingServerOptions,
  LimitOptions,
  ListenOptions,
  NewLimits,
  SelectServerOptions,
  ServerOptions,
} from './options/interfaces.js';
export type { SpareCount } from './options/kinds/numbers.js';
export type { GlobalPolicy, Policy } from './options/kinds/policies.js';
export type { Duration, Size } from './options/kinds/quantities.js';
export type { Sandbox, SandboxNetwork } from './options/kinds/sandbox.js';
export { ForkingServer } from './owner/forking-server.js';
export { IterativeServer, type IterativeServerOptions } from './owner/iterative-server.js';
export type { ListenAddress } from './owner/listener.js';
export type {
  ChildUsage,
  ConnectionInfo,
  EndInfo,
  ExitInfo,
  RefusedInfo,
  ReplacementReason,
  RollbackInfo,
} from './owner/records.js';
export { SelectServer } from './owner/select-server.js';
export type { Server } from './owner/server.js';
export type { CloseOptions, ServerEvents, ServerState, ZygoteState } from './owner/server-types.js';
export type { ServerStats } from './owner/stats.js';
export { listenFds } from './owner/systemd.js';
export type { EndingLimit, RefusalReason } from './wire/messages.js';
