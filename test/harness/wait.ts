import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for a state, with a deadline: what `look` returns as soon as it is truthy. */
export async function eventually<T>(
  what: string,
  look: () => T | Promise<T>,
  deadlineMs = 30_000,
): Promise<NonNullable<T>> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    const found = await look();
    if (found) return found as NonNullable<T>;
    if (Date.now() > deadline) throw new Error(`waited ${deadlineMs} ms in vain for ${what}`);
    await sleep(5);
  }
}
