/** The forking server: each connection in a child, which begins with all the script had in memory. */
import type net from 'node:net';
import { leave } from '../fork/exits.js';
import { becomeChild } from '../fork/prepare.js';
import { type Accepted, native } from '../native.js';
import { serveByCallbacks } from './callbacks.js';
import { descriptors, type ZygoteConfig } from './config.js';
import type { CallbacksHandler, StreamHandler } from './handler.js';
import { waitForDebugger } from './inspect.js';
import type { LoadedHandler } from './load.js';
import { serveByServer, serveByStream } from './sockets.js';

/** To be called from setImmediate: a fork inside another callback of the event loop would do its work twice. */
export function serveByForking(loaded: LoadedHandler, config: ZygoteConfig): void {
  const { backlog, firstId, most } = config;
  const accepted = native.serve({ ...descriptors, backlog, firstId, maxChildren: most });
  // Here the script goes on in each child, with the connection it is to serve, and once in the zygote, at the end.
  if (accepted === undefined) leave(0);
  becomeChild();
  if (config.inspectChild) waitForDebugger(accepted);
  const began = loaded.afterFork?.();
  if (began === undefined) serveConnection(loaded, accepted);
  else began.then(() => serveConnection(loaded, accepted));
}

function serveConnection({ form, handler }: LoadedHandler, accepted: Accepted): void {
  switch (form) {
    case 'callbacks':
      serveByCallbacks(handler as CallbacksHandler, accepted);
      break;
    case 'stream':
      serveByStream(handler as StreamHandler, accepted.fd);
      break;
    case 'server':
      serveByServer(handler as net.Server, accepted.fd);
  }
}
