import { setTimeout as sleep } from 'node:timers/promises';

/** What a turn may count: a machine that stood still has not waited. */
const longestTurnMs = 1000;

/** Waits for a state, with a deadline: what `look` returns as soon as it is truthy. */
export async function eventually<T>(
  what: string,
  look: () => T | Promise<T>,
  deadlineMs = 60_000,
): Promise<NonNullable<T>> {
  for (let waited = 0; ; ) {
    const began = performance.now();
    const found = await look();
    if (found) return found as NonNullable<T>;
    if (waited > deadlineMs) throw new Error(`waited ${deadlineMs} ms in vain for ${what}`);
    await sleep(5);
    waited += Math.min(performance.now() - began, longestTurnMs);
  }
}
