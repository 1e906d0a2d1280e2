/** The first message to a zygote: what it is to serve, and how. */
import type { Isolation, Privileges } from '../binding/native.js';
import type { ServerKind } from '../options/option.js';

/** The descriptor of a zygote's end of the channel: the first after the three standard ones. */
export const channel = 3;

/**
 * With this variable in the environment, Node's loaders report every module that they load to `process.send`, as for
 * `node --watch`. The owner sets it for a zygote whose handler's files it watches.
 */
export const reportImportsVariable = 'WATCH_REPORT_DEPENDENCIES';

/** A program that serves instead of a handler script. */
export interface Program {
  /** The file, found. */
  path: string;
  /** From argv[0] on. */
  arguments: string[];
}

export interface ZygoteConfig {
  /** How connections are served: each in a forked child; or, in one process, one after the other or all at once. */
  mode: ServerKind;
  /** URL of the handler module, unless a program serves. */
  handler: string | undefined;
  program: Program | undefined;
  /** The backlog of each listener; 0 for one that listens already. */
  backlogs: number[];
  /** What is given up once the handler is loaded. */
  privileges: Privileges | undefined;
  isolation: Isolation;
  /** Whether the owner watches the files that the handler is loaded from. */
  watch: boolean;
  /** Of a select server: the system call that it waits with. */
  multiplexer: 'select' | 'poll';
  /** Of a forking server. */
  spare: { min: number; max: number };
  connectionsPerChild: number;
  /** Whether a child puts its memory back to what it was after each of them. */
  rollback: boolean;
  /** Of a forking server: whether each child waits for a debugger before it serves. */
  inspectChild: boolean;
  /** Variables that the process was started with other values of, as the script is to see them; null: it is unset. */
  environment: Record<string, string | null>;
  /** How many commands with settings follow, which a forking server obeys before its first client. */
  settings: number;
}
