import { native, type Privileges } from '../binding/native.js';
import type { Program } from '../owner/program.js';

/** How connections are served: each in a forked child; one after the other in one process; all at once in one process. */
export type Mode = 'fork' | 'iterative' | 'select';

/** What the owner tells a zygote first. */
export interface ZygoteConfig {
  mode: Mode;
  /** URL of the handler module, where no program serves in its place. */
  handler: string | undefined;
  program: Program | undefined;
  /** The backlog of each listener; 0 for one that listens already. */
  backlogs: number[];
  /** What is given up once the handler is loaded. */
  privileges: Privileges | undefined;
  /** Whether the owner wants to know which files the handler was loaded from. */
  watch: boolean;
  /** The system call that a server of one process waits with. */
  multiplexer: 'select' | 'poll';
  /** In a forking server, the most children; else the most connections. */
  most: number;
  /** Of a forking server: the children that are forked ahead, and how many connections each serves. */
  spare: { min: number; max: number };
  connectionsPerChild: number;
  /** Of a forking server: whether each child waits for a debugger before it serves. */
  inspectChild: boolean;
  /** Variables that were other for the start of a process that forks, as they are meant to be. */
  environment: Record<string, string | null>;
  /** How many commands follow that say how to serve. */
  settings: number;
}

/** What a zygote begins with beside the three standard descriptors: the socket to its owner. */
export const channel = 3;

/** The listeners come with it. */
export interface ReceivedConfig extends ZygoteConfig {
  listeners: number[];
}

/** In the zygote: waits until its owner knows what it is to serve. */
export function receiveConfig(): ReceivedConfig {
  native.dieWithPeer(channel);
  const received = native.receiveConfig(channel) ?? native.exitNow(0);
  return { ...JSON.parse(received.body), listeners: received.listeners };
}

/** What all serve loops take. */
export function loopOptions({ listeners, backlogs }: ReceivedConfig) {
  return { listeners: listeners.map((fd, n): [number, number] => [fd, backlogs[n]!]), channel };
}

/** And what those of a forking server take. */
export function forkingOptions(config: ReceivedConfig) {
  const { connectionsPerChild, most, spare, privileges, settings } = config;
  return {
    ...loopOptions(config),
    maxChildren: most,
    settings,
    privileges,
    spareMin: spare.min,
    spareMax: spare.max,
    connectionsPerChild,
  };
}
