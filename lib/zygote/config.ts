/** What the owner tells a zygote when it starts it: one JSON argument. */
export interface ZygoteConfig {
  /** URL of the handler module. */
  handler: string;
  backlog: number;
  maxChildren: number;
  firstId: number;
}

/** The descriptors that a zygote begins with, beside the three standard ones. */
export const descriptors = { channel: 3, listener: 4 } as const;
