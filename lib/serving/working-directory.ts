import type { Privileges } from '../binding/native.js';

/**
 * Node caches the path of the working directory (`process.cwd()`) and has not seen the addon change it, together with
 * the privileges: chdir() of Node's own empties the cache.
 */
export function refreshCwdCache(dropped: Privileges | undefined): void {
  if (dropped?.folder !== undefined || dropped?.root !== undefined) process.chdir('.');
}
