/** The forking server: each connection in a child, which begins with all the script had in memory. */
import type net from 'node:net';
import { leave } from '../fork/exits.js';
import { becomeChild } from '../fork/prepare.js';
import { native } from '../native.js';
import { serveByCallbacks } from './callbacks.js';
import { descriptors, type ZygoteConfig } from './config.js';
import { ForkedFor } from './forked-for.js';
import type { CallbacksHandler, StreamHandler } from './handler.js';
import { waitForDebugger } from './inspect.js';
import type { LoadedHandler } from './load.js';
import { rehearse } from './rehearse.js';
import { serveByServer, serveByStream } from './sockets.js';

/** To be called from setImmediate: a fork inside another callback of the event loop would do its work twice. */
export function serveByForking(loaded: LoadedHandler, config: ZygoteConfig): void {
  const { backlog, connectionsPerChild, firstId, inspectChild, most, pool, settings } = config;
  const serve = (fd: number) => {
    if (inspectChild) waitForDebugger();
    serveConnection(loaded, fd);
  };
  const fd = native.serve({
    ...descriptors,
    backlog,
    firstId,
    maxChildren: most,
    settings,
    poolMin: pool.min,
    poolMax: pool.max,
    connectionsPerChild,
    onConnection: fd => serve(fd),
  });
  // Here the script goes on in each child, with the connection it is to serve, and once in the zygote, at the end.
  if (fd === undefined) leave(0);
  becomeChild();
  const begin = () => (fd < 0 ? awaitConnection(loaded) : serve(fd));
  const began = loaded.afterFork?.();
  if (began === undefined) begin();
  else began.then(begin);
}

/** In a child that was forked ahead: touches the memory that a connection will need, and waits for it. */
async function awaitConnection(loaded: LoadedHandler): Promise<void> {
  await rehearse(loaded);
  native.awaitConnection();
}

function serveConnection({ form, handler }: LoadedHandler, fd: number): void {
  switch (form) {
    case 'callbacks':
      serveByCallbacks(handler as CallbacksHandler, new ForkedFor(fd));
      break;
    case 'stream':
      serveByStream(handler as StreamHandler, fd);
      break;
    case 'server':
      serveByServer(handler as net.Server, fd);
  }
}
