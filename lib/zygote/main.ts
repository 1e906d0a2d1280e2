/**
 * The zygote: the process that forks. It loads the handler script once and then stays in the native serve loop; each
 * connection is served by a child that begins with all the script had in memory.
 */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { declareZygote } from '../fork/at-fork.js';
import { armFaults } from '../fork/faults.js';
import { assertForkable } from '../fork/preflight.js';
import { becomeChild, prepareToFork } from '../fork/prepare.js';
import { type Accepted, native } from '../native.js';
import { encodeLoadFailed } from '../server/protocol.js';
import { serveByCallbacks } from './callbacks.js';
import { descriptors, type ZygoteConfig } from './config.js';
import type { CallbacksHandler, StreamHandler } from './handler.js';
import { type LoadedHandler, loadHandler } from './load.js';
import { assertQuiet } from './quiet.js';
import { serveByServer, serveByStream } from './sockets.js';
import type net from 'node:net';

const { channel, listener } = descriptors;

native.dieWithPeer(channel);
prepareToFork();
declareZygote();
const config: ZygoteConfig = JSON.parse(process.argv[2]!);
process.argv.splice(1, 2, fileURLToPath(config.handler));
process.title = `truefork: zygote ${path.basename(config.handler)}`;

try {
  armFaults(process.env.TRUEFORK_FAULTS);
  const loaded = await loadHandler(config.handler);
  await loaded.beforeServe?.();
  await assertQuiet();
  assertForkable();
  // From setImmediate, not from here: who knows which callback of the event loop an await came back in.
  setImmediate(() => serve(loaded));
} catch (error) {
  refuse(error);
}

function serve(loaded: LoadedHandler): void {
  let accepted: Accepted | undefined;
  try {
    accepted = native.serve({ listener, channel, ...config });
  } catch (error) {
    return refuse(error);
  }
  // Here the script goes on in each child, with the connection it is to serve, and once in the zygote, at the end.
  if (accepted === undefined) native.exitNow(0);
  becomeChild();
  const began = loaded.afterFork?.();
  if (began === undefined) serveConnection(loaded, accepted);
  else began.then(() => serveConnection(loaded, accepted));
}

function serveConnection({ form, handler }: LoadedHandler, accepted: Accepted): unknown {
  switch (form) {
    case 'callbacks':
      return serveByCallbacks(handler as CallbacksHandler, accepted);
    case 'stream':
      return serveByStream(handler as StreamHandler, accepted.fd);
    case 'server':
      return serveByServer(handler as net.Server, accepted.fd);
  }
}

/** Tells the owner why there will be no server, in the script's own words. */
function refuse(thrown: unknown): never {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const { name, message, stack, code } = error as NodeJS.ErrnoException;
  fs.writeSync(channel, encodeLoadFailed({ name, message, stack, code }));
  native.exitNow(1);
}
