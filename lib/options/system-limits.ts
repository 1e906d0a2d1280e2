/** How much this machine can bear: how many children, so that a mistake cannot lock it, and how many waiting clients. */
import fs from 'node:fs';
import { native } from '../binding/native.js';

/** Processes left to the user when a server takes all it may: enough for a shell, an editor and `kill`. */
const marginForTheUser = 64;

export const defaultMaxChildren = 256;

/** The most children that a server may have here: the user's process limit, or the container's, less a margin. */
export function mostChildren(): number {
  const limit = Math.min(native.processLimit(), containerLimit());
  return limit === Number.POSITIVE_INFINITY ? limit : Math.max(1, Math.floor(limit) - marginForTheUser);
}

/** `pids.max` of the control group, version 2 (kernel documentation, admin-guide/cgroup-v2). */
function containerLimit(): number {
  try {
    const group = /^0::(.*)$/m.exec(fs.readFileSync('/proc/self/cgroup', 'utf8'))?.[1] ?? '/';
    const limit = fs.readFileSync(`/sys/fs/cgroup${group}/pids.max`, 'utf8').trim();
    return limit === 'max' ? Number.POSITIVE_INFINITY : Number(limit);
  } catch {
    return Number.POSITIVE_INFINITY; // no such controller here
  }
}

/** What listen(2) cuts every backlog to. */
export function mostBacklog(): number {
  return Number(fs.readFileSync('/proc/sys/net/core/somaxconn', 'utf8'));
}
