/** A server of one process, iterative or select, from its start to its loop. */
import { native } from '../binding/native.js';
import { startServing } from '../serving/start.js';
import { refreshCwdCache } from '../serving/working-directory.js';
import { serveInOneProcess } from './serve.js';

await startServing({
  async settle(loaded, { privileges }) {
    if (privileges !== undefined) native.dropPrivileges(privileges);
    refreshCwdCache(privileges);
    await loaded.afterFork?.();
  },
  title: ({ mode }) => mode,
  serve: serveInOneProcess,
});
