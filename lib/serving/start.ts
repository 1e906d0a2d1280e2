/** The beginning of a serving process, from its configuration to its loop. */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { native } from '../binding/native.js';
import { armFaults } from '../fork/faults.js';
import { followImports } from '../script/imports.js';
import { encodeFiles, encodeLoadFailed } from '../wire/handler-reports.js';
import { type ReceivedConfig, receiveConfig } from './config.js';
import { assertForm, type LoadedHandler, loadHandler } from './load.js';

/** What differs between a zygote and a server of one process, in the order in which it is called. */
export interface Role {
  /** Before any code of the handler script has run. */
  prepare?(config: ReceivedConfig): void;
  /** The handler is loaded, and its beforeServe() is done. */
  settle(loaded: LoadedHandler, config: ReceivedConfig): Promise<void>;
  /** Its name in the title of the process. */
  title(config: ReceivedConfig): string;
  /** Called from the top of the event loop, and returns; the loop of the server runs from there on. */
  serve(loaded: LoadedHandler, config: ReceivedConfig): void;
}

/** If the handler cannot be served, it reports to the owner why, and ends the process. */
export async function startServing(role: Role): Promise<void> {
  const config = receiveConfig();
  const handler = fileURLToPath(config.handler!);
  const imports = config.watch ? followImports() : () => [];
  const reportImports = () => {
    if (config.watch) fs.writeSync(config.channel, encodeFiles([handler, ...imports()]));
  };
  const fail = (thrown: unknown): never => {
    reportImports();
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    fs.writeSync(config.channel, encodeLoadFailed(error));
    return native.exitNow(1);
  };

  process.argv[1] = handler;
  try {
    role.prepare?.(config);
    armFaults(process.env.TRUEFORK_FAULTS);
    const loaded = await loadHandler(config.handler!);
    assertForm(loaded, config.mode);
    await loaded.beforeServe?.();
    reportImports();
    await role.settle(loaded, config);
    process.title = `truefork: ${role.title(config)} ${path.basename(handler)}`;
    // An await may come back in any phase of the event loop. A loop of ours begins at the top of one.
    setImmediate(() => {
      try {
        role.serve(loaded, config);
      } catch (error) {
        fail(error);
      }
    });
  } catch (error) {
    fail(error);
  }
}
