import type { Privileges } from '../native.js';

/** How connections are served: each in a forked child; one after the other; all in one process, by select or poll. */
export type Mode = 'fork' | 'iterative' | 'select' | 'poll';

/** What the owner tells a zygote when it starts it: one JSON argument. */
export interface ZygoteConfig {
  mode: Mode;
  /** URL of the handler module. */
  handler: string;
  backlog: number;
  /** What is given up once the handler is loaded. */
  privileges: Privileges | undefined;
  /** Whether the owner wants to know which files the handler was loaded from. */
  watch: boolean;
}

/** Nobody is let in before the owner says how many, and under which ids. */
export const untilBegin = { most: 0, firstId: 1 } as const;

/** The descriptors that a zygote begins with, beside the three standard ones. */
export const descriptors = { channel: 3, listener: 4 } as const;
