/** A debugger for the handler of one connection: the zygote itself cannot have one, for it could not be forked then. */

/**
 * Opens the inspector of this child on a free port of this machine, says on standard error whose it is, and waits until
 * a debugger has attached and lets it run. A child that serves several connections waits once.
 */
export function waitForDebugger(): void {
  const inspector = process.getBuiltinModule('node:inspector');
  if (inspector.url() !== undefined) return;
  process.stderr.write(`${process.title}: process ${process.pid} waits for a debugger\n`);
  inspector.open(0, '127.0.0.1');
  inspector.waitForDebugger();
}
