/**
 * Waiting for a server that may be slow because the machine is. Patience is spent only while the server could have acted and did
 * not: all its threads sleep, or it has used CPU time of its own. A server that waits for a CPU spends none. So "it never came"
 * means the same on an idle machine and at a load average of 20.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Activity, activity, type ProcessStat } from './system/proc.js';

/** The machine was too busy to tell: the scenario is not tested. */
export class Unfinished extends Error {
  override name = 'Unfinished';
}

export interface Budget {
  /** By performance.now(). */
  readonly until: number;
}

const intervalMs = 20;

export interface Patience {
  /** Milliseconds in which the server does nothing about it. */
  readonly ms?: number;
  /** How many looks there are at most, for what does not depend on the server. */
  readonly atMost?: number;
}

/** As long as a server that polls needs: Python's socketserver looks for ended children every 0.5 s. */
export const defaultPatienceMs = 1300;

/**
 * The first value of `look` that is neither undefined nor false; undefined when patience is at its end.
 * @throws {Unfinished} when the time of the whole grading is
 */
export async function patiently<T>(
  look: () => T | undefined | false,
  processes: () => readonly ProcessStat[],
  budget: Budget,
  { ms = defaultPatienceMs, atMost = Number.POSITIVE_INFINITY }: Patience = {},
): Promise<T | undefined> {
  let spent = 0;
  let before: Activity | undefined;
  for (let looks = 1; ; looks++) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    if (spent >= ms || looks >= atMost) return undefined;
    if (performance.now() > budget.until) throw new Unfinished('the time for the whole grading is over');
    await sleep(intervalMs);
    const now = activity(processes());
    spent += spentBetween(before, now);
    before = now;
  }
}

/** Milliseconds of the interval in which the server had its chance. */
function spentBetween(before: Activity | undefined, now: Activity): number {
  if (before === undefined) return 0;
  if (now.asleep && now.turns === before.turns) return intervalMs;
  return Math.min(intervalMs, Math.max(0, now.cpu - before.cpu) / 1e6);
}

/** Until the server has come to rest: a few intervals in a row without a step of any of its threads. False: it never rests. */
export async function settled(
  processes: () => readonly ProcessStat[],
  budget: Budget,
  { ms = 80, atMostMs = 600 }: { ms?: number; atMostMs?: number } = {},
): Promise<boolean> {
  let quiet = 0;
  let spent = 0;
  let before: Activity | undefined;
  // What never rests (a server that polls without a pause) has rested enough when it has had `atMostMs` of CPU time.
  while (quiet < ms && spent < atMostMs) {
    if (performance.now() > budget.until) throw new Unfinished('the time for the whole grading is over');
    await sleep(intervalMs);
    const now = activity(processes());
    const rested = before !== undefined && now.asleep && now.turns === before.turns;
    quiet = rested ? quiet + intervalMs : 0;
    spent += spentBetween(before, now);
    before = now;
  }
  return quiet >= ms;
}
