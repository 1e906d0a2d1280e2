/** A debugger for the handler of one connection: the zygote itself cannot have one, for it could not be forked then. */
import type { Accepted } from '../native.js';

/**
 * Opens the inspector of this child on a free port of this machine, says on standard error whose it is, and waits until
 * a debugger has attached and lets it run.
 */
export function waitForDebugger({ remoteAddress, remotePort }: Accepted): void {
  const inspector = process.getBuiltinModule('node:inspector');
  process.stderr.write(
    `truefork: ${remoteAddress} port ${remotePort}: process ${process.pid} waits for a debugger\n`,
  );
  inspector.open(0, '127.0.0.1');
  inspector.waitForDebugger();
}
