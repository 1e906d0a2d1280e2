/** The forking server: each connection in a child, which begins with all the script had in memory. */
import type net from 'node:net';
import { leave } from '../fork/exits.js';
import { becomeChild } from '../fork/prepare.js';
import { native, type Privileges } from '../native.js';
import { serveByCallbacks } from './callbacks.js';
import { forkingOptions, type ZygoteConfig } from './config.js';
import { finishWhenTold } from './finish.js';
import { ForkedFor } from './forked-for.js';
import type { CallbacksHandler, StreamHandler } from './handler.js';
import { waitForDebugger } from './inspect.js';
import type { LoadedHandler } from './load.js';
import { rehearse } from './rehearse.js';
import { serveByServer, serveByStream } from './sockets.js';

/** To be called from setImmediate: a fork inside another callback of the event loop would do its work twice. */
export function serveByForking(loaded: LoadedHandler, config: ZygoteConfig): void {
  const { inspectChild, privileges } = config;
  const serve = (fd: number) => {
    if (inspectChild) waitForDebugger();
    serveConnection(loaded, fd);
  };
  const fd = native.serve({
    ...forkingOptions(config),
    onConnection: fd => serve(fd),
  });
  // Here the script goes on in each child, with the connection it is to serve, and once in the zygote, at the end.
  if (fd === undefined) leave(0);
  becomeChild();
  forgetFolder(privileges);
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

/** Node keeps the name of the working directory in mind, and has not seen it change. */
export function forgetFolder(dropped: Privileges | undefined): void {
  if (dropped?.folder !== undefined || dropped?.root !== undefined) process.chdir('.');
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
      finishWhenTold(handler as net.Server);
      serveByServer(handler as net.Server, fd);
  }
}
