/** What the system grants this user: how many processes, which resources, how long a backlog. */
import fs from 'node:fs';
import os from 'node:os';
import { native } from '../binding/native.js';
import { misuse } from '../errors.js';
import type { CheckedLimits } from '../options/interfaces.js';

const { getrlimit, constants } = native.posix;

/** Processes left to the user when a server takes all it may: enough for a shell, an editor and `kill`. */
const processesLeft = 64;

/** The most children that a server may have here: the user's process limit, or the container's, less a margin. */
export function mostChildren(): number {
  const limit = Math.min(getrlimit(constants.RLIMIT_NPROC).rlim_cur, containerLimit());
  return limit === Number.POSITIVE_INFINITY ? limit : Math.max(1, Math.floor(limit) - processesLeft);
}

/** `pids.max` of the control group, version 2 (kernel documentation, admin-guide/cgroup-v2). */
function containerLimit(): number {
  try {
    const group = /^0::(.*)$/m.exec(fs.readFileSync('/proc/self/cgroup', 'utf8'))?.[1] ?? '/';
    const limit = fs.readFileSync(`/sys/fs/cgroup${group}/pids.max`, 'utf8').trim();
    return limit === 'max' ? Number.POSITIVE_INFINITY : Number(limit);
  } catch {
    return Number.POSITIVE_INFINITY; // this controller is not in use here
  }
}

/** What listen(2) cuts every backlog to. */
export function mostBacklog(): number {
  return Number(fs.readFileSync('/proc/sys/net/core/somaxconn', 'utf8'));
}

/** @throws `ERR_TRUEFORK_LIMIT` for limits that the system does not let this process set for its children. */
export function assertGrantable({ maxChildren, maxOpenFiles, nice, oomScoreAdj }: CheckedLimits): void {
  const most = mostChildren();
  if (maxChildren > most)
    throw misuse(
      'ERR_TRUEFORK_LIMIT',
      `maxChildren ${maxChildren} is more than this user may start: ${most} processes, with some kept for a shell. ` +
        'Lower it, or raise the limit (ulimit -u, or pids.max of the container)',
    );
  // Root has the capabilities as a rule. A child that lacks one reports it, and does not serve.
  if (process.geteuid!() === 0) return;
  const mostFiles = getrlimit(constants.RLIMIT_NOFILE).rlim_max;
  if (maxOpenFiles !== undefined && maxOpenFiles > mostFiles)
    throw tooMuch('maxOpenFiles', maxOpenFiles, `at most ${mostFiles} (ulimit -Hn)`);
  // RLIMIT_NICE counts from 20 down, so that it is never negative (getrlimit(2)).
  const lowestNice = Math.min(os.getPriority(), 20 - getrlimit(constants.RLIMIT_NICE).rlim_max);
  if (nice !== undefined && nice < lowestNice) throw tooMuch('nice', nice, `at least ${lowestNice}`);
  const own = Number(fs.readFileSync('/proc/self/oom_score_adj', 'utf8'));
  if (oomScoreAdj !== undefined && oomScoreAdj < own)
    throw tooMuch('oomScoreAdj', oomScoreAdj, `at least ${own}, its own`);
}

function tooMuch(name: string, value: number, most: string): Error {
  return misuse('ERR_TRUEFORK_LIMIT', `${name} ${value} is more than this user may have: ${most}`);
}
