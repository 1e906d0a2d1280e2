/** The events and the state of a server. */
import type { Duration } from '../options/kinds/quantities.js';
import type { LiveInfo } from './generation.js';
import type { ListenAddress } from './listener.js';
import type { ConnectionInfo, EndInfo, ExitInfo, RefusedInfo } from './records.js';

export interface ServerEvents {
  /** Clients are served. */
  listening: [];
  connection: [ConnectionInfo];
  /** In a forking server: the child that served a connection has ended. */
  exit: [ExitInfo];
  /** A connection has ended whose process goes on. */
  end: [EndInfo];
  /** In a forking server: clients were refused; at most once a second for each reason. */
  refused: [RefusedInfo];
  /** A zygote with the handler as it is now has taken over from the one before. */
  reload: [];
  /** Something failed, and the server goes on: a system call (`EMFILE`), or a zygote that was replaced. */
  warning: [Error];
  /** The server has failed, and is closing. */
  error: [Error];
  /** All of its processes have ended, and all events of them have been emitted. */
  close: [];
}

export interface CloseOptions {
  /** Instead of the server's own. 0: SIGTERM at once. */
  gracePeriod?: Duration;
}

/** What a server is doing. */
export interface ServerState {
  /** Empty when it does not listen. */
  addresses: ListenAddress[];
  /** The one that accepts, one that is loading, and earlier ones whose children finish. */
  zygotes: ZygoteState[];
}

export interface ZygoteState {
  pid: number;
  accepting: boolean;
  /** Milliseconds. */
  uptimeMs: number;
  connections: LiveInfo[];
}
