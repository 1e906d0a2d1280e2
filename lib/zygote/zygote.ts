/**
 * The process that serves for a server: it loads the handler script once and then accepts connections. Of a forking
 * server it is the zygote, whose children begin with all the script had in memory.
 */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import v8 from 'node:v8';
import { native } from '../binding/native.js';
import { declareZygote } from '../fork/at-fork.js';
import { restoreEnvironment } from '../fork/environment.js';
import { exitWithoutListeners } from '../fork/exits.js';
import { armFaults } from '../fork/faults.js';
import { assertForkable } from '../fork/preflight.js';
import { prepareToFork } from '../fork/prepare.js';
import { speedIsOn } from '../fork/speed.js';
import { serveInOneProcess } from '../single-process/serve.js';
import { channel, receiveConfig } from '../wire/config.js';
import { encodeFiles, encodeLoadFailed } from '../wire/protocol.js';
import { followImports } from './imports.js';
import { assertForm, loadHandler } from './load.js';
import { assertNothingShared, nodesOwnHandles } from './open-handles.js';
import { optimize } from './optimize.js';
import { rehearse } from './rehearse.js';
import { refreshCwdCache, serveByForking } from './serve.js';

const config = receiveConfig();
const handler = config.handler!;
process.argv[1] = fileURLToPath(handler);
const forks = config.mode === 'fork';
if (forks) {
  restoreEnvironment(config.environment);
  prepareToFork();
  declareZygote();
}

const imports = config.watch ? followImports() : undefined;
try {
  armFaults(process.env.TRUEFORK_FAULTS);
  const own = nodesOwnHandles();
  const loaded = await loadHandler(handler);
  assertForm(loaded, config.mode);
  await loaded.beforeServe?.();
  tellImports();
  v8.setFlagsFromString('--lazy'); // see main.ts
  if (forks) {
    await assertNothingShared(own);
    const rehearses = speedIsOn('rehearsal');
    if (rehearses) await rehearse(loaded);
    native.collectAllGarbage(); // a compact heap, and no young objects: children write to fewer pages that they share
    if (rehearses) await rehearse(loaded, 1); // or the first allocations of each child would have to tidy up after the collection
    exitWithoutListeners();
    optimize(Object.getOwnPropertyDescriptor(process, 'exitCode')!.get!); // every child calls it at its end
    assertForkable();
  } else {
    if (config.privileges !== undefined) native.dropPrivileges(config.privileges);
    refreshCwdCache(config.privileges);
    await loaded.afterFork?.();
  }
  const role = forks ? 'zygote' : config.mode;
  process.title = `truefork: ${role} ${path.basename(handler)}`;
  // From setImmediate, not from here: who knows which callback of the event loop an await came back in.
  setImmediate(() => refuseOnError(() => (forks ? serveByForking : serveInOneProcess)(loaded, config)));
} catch (error) {
  refuse(error);
}

function refuseOnError(begin: () => void): void {
  try {
    begin();
  } catch (error) {
    refuse(error);
  }
}

function tellImports(): void {
  if (imports !== undefined) fs.writeSync(channel, encodeFiles([fileURLToPath(handler), ...imports()]));
}

/** Tells the owner why there will be no server, in the script's own words. */
function refuse(thrown: unknown): never {
  tellImports();
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const { name, message, stack, code } = error as NodeJS.ErrnoException;
  fs.writeSync(channel, encodeLoadFailed({ name, message, stack, code }));
  native.exitNow(1);
}
