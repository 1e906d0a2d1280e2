/** The forking server: each connection in a child, which begins with all the script had in memory. */
import type net from 'node:net';
import { handlesFork, runAtFork } from '../fork/at-fork.js';
import { leave } from '../fork/exits.js';
import { becomeZygote } from '../fork/prepare.js';
import { native, type Privileges } from '../native.js';
import { CallbacksServer } from './callbacks.js';
import { forkingOptions, type ZygoteConfig } from './config.js';
import { finishWhenTold } from './finish.js';
import type { CallbacksHandler, StreamHandler } from './handler.js';
import { waitForDebugger } from './inspect.js';
import type { LoadedHandler } from './load.js';
import { rehearse } from './rehearse.js';
import { type ConnectionServer, serveByServer, serveByStream } from './sockets.js';

/** Serves from the event loop on: its loop is native, and the script goes on in the children alone. */
export function serveByForking(loaded: LoadedHandler, config: ZygoteConfig): void {
  const { inspectChild, privileges } = config;
  const server = serverFor(loaded);
  becomeZygote();
  const hasHandlers = handlesFork('afterInChild');
  native.serve({
    ...forkingOptions(config),
    onChild(fd) {
      if (hasHandlers) runAtFork('afterInChild');
      forgetFolder(privileges);
      const began = loaded.afterFork?.();
      if (began === undefined) begin(fd);
      else began.then(() => begin(fd));
    },
    onConnection: begin,
    onEnd: () => leave(0),
  });

  function begin(fd: number): void {
    if (fd < 0) return void awaitConnection(loaded);
    if (inspectChild) waitForDebugger();
    server.serve(fd);
  }
}

/** In a child that was forked ahead: touches the memory that a connection will need, and waits for it. */
async function awaitConnection(loaded: LoadedHandler): Promise<void> {
  await rehearse(loaded, 2);
  native.awaitConnection();
}

/** Node keeps the name of the working directory in mind, and has not seen it change. */
export function forgetFolder(dropped: Privileges | undefined): void {
  if (dropped?.folder !== undefined || dropped?.root !== undefined) process.chdir('.');
}

function serverFor({ form, handler }: LoadedHandler): ConnectionServer {
  switch (form) {
    case 'callbacks':
      return new CallbacksServer(handler as CallbacksHandler);
    case 'stream':
      return { serve: fd => void serveByStream(handler as StreamHandler, fd) };
    case 'server':
      return {
        serve(fd) {
          finishWhenTold(handler as net.Server);
          serveByServer(handler as net.Server, fd);
        },
      };
  }
}
