/** How connections are served: each in a forked child; one after the other; all in one process, by select or poll. */
export type Mode = 'fork' | 'iterative' | 'select' | 'poll';

/** What the owner tells a zygote when it starts it: one JSON argument. */
export interface ZygoteConfig {
  mode: Mode;
  /** URL of the handler module. */
  handler: string;
  backlog: number;
  /** In a forking server, the most children; else the most connections. */
  most: number;
  firstId: number;
  /** Whether each child waits for a debugger before it serves. */
  inspectChild: boolean;
}

/** The descriptors that a zygote begins with, beside the three standard ones. */
export const descriptors = { channel: 3, listener: 4 } as const;
