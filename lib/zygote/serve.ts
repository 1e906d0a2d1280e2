/** The forking server: each connection in a child, which begins with all the script had in memory. */
import type net from 'node:net';
import { native } from '../binding/native.js';
import { CallbacksServer } from '../child/callbacks.js';
import { drainOnSignal } from '../child/drain-http.js';
import type { CallbacksHandler, StreamHandler } from '../child/handler.js';
import { waitForDebugger } from '../child/inspect.js';
import { type ConnectionServer, NetServer, StreamServer } from '../child/sockets.js';
import { handlesFork, runAtFork } from '../fork/at-fork.js';
import { exitNow } from '../fork/exits.js';
import { becomeZygote } from '../fork/prepare.js';
import { forkingOptions, type ReceivedConfig } from '../serving/config.js';
import type { LoadedHandler } from '../serving/load.js';
import { refreshCwdCache } from '../serving/working-directory.js';
import { rehearse } from './rehearse.js';

/** Hands this process over to the loop in C++. From then on JavaScript runs in the children only. */
export function serveByForking(loaded: LoadedHandler, config: ReceivedConfig): void {
  becomeZygote();
  const server = serverFor(loaded, config.connectionsPerChild > 1);
  const hasHandlers = handlesFork('afterInChild');
  const serve = config.inspectChild ? serveInspected : server.serve.bind(server);
  // Every function that a child calls first costs it page faults. Where there is nothing to do but serve, begin() is not
  // called.
  const hasMoreToDo = hasHandlers || config.privileges !== undefined || loaded.afterFork !== undefined;
  native.serve({
    ...forkingOptions(config),
    onChild: hasMoreToDo || config.spare.max > 0 ? begin : serve,
    onConnection: config.rollback && hasMoreToDo ? begin : serve,
    onEnd: () => exitNow(0),
  });

  function begin(fd: number): void {
    if (hasHandlers) runAtFork('afterInChild');
    refreshCwdCache(config.privileges);
    const began = loaded.afterFork?.();
    if (began === undefined) serveOrWait(fd);
    else began.then(() => serveOrWait(fd));
  }

  function serveOrWait(fd: number): void {
    if (fd < 0) awaitConnection(loaded);
    else serve(fd);
  }

  function serveInspected(fd: number): void {
    waitForDebugger();
    server.serve(fd);
  }
}

/** In a spare child: touches the memory that a connection will need, and waits for one. */
async function awaitConnection(loaded: LoadedHandler): Promise<void> {
  await rehearse(loaded, 1);
  native.awaitConnection();
}

function serverFor({ form, handler }: LoadedHandler, servesSeveral: boolean): ConnectionServer {
  switch (form) {
    case 'callbacks':
      return new CallbacksServer(handler as CallbacksHandler, { servesSeveral });
    case 'stream':
      return new StreamServer(handler as StreamHandler);
    case 'server':
      drainOnSignal(handler as net.Server);
      return new NetServer(handler as net.Server);
  }
}
