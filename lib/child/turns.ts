/** How the reading of a connection is held up, and goes on. */
export interface Flow {
  pause(): void;
  resume(): void;
}

/**
 * Calls the callbacks of one connection one after the other. A callback may return a promise: until that has settled,
 * the connection is not read from, and the next callback waits. A rejection is left unhandled, so that Node reports it.
 */
export class Turns {
  #flow: Flow;
  /** What the last of the callbacks that wait has begun; undefined when none does. */
  #last: Promise<unknown> | undefined;

  constructor(flow: Flow) {
    this.#flow = flow;
  }

  /** Calls back at once if nothing waits, and else when it is this callback's turn. */
  call(callback: () => unknown): void {
    this.follow(this.#last === undefined ? callback() : this.#last.then(callback));
  }

  /** What a callback returned that has been called: the next one waits for it. */
  follow(result: unknown): void {
    if (typeof (result as PromiseLike<unknown> | null | undefined)?.then !== 'function') return;
    this.#flow.pause();
    const settled = Promise.resolve(result).then(() => {
      if (this.#last !== settled) return;
      this.#last = undefined;
      this.#flow.resume();
    });
    this.#last = settled;
  }

  /** The connection is read in another way from now on. */
  redirect(flow: Flow): void {
    this.#flow = flow;
    if (this.#last !== undefined) flow.pause();
  }
}
