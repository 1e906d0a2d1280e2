/** A debugger for the handler of one connection. The zygote itself cannot have one: Node's inspector is a thread. */

/**
 * Opens the inspector of this child on a free port of 127.0.0.1, prints its URL on standard error, and waits until a
 * debugger has attached and continues. A child that serves several connections waits once.
 */
export function waitForDebugger(): void {
  const inspector = process.getBuiltinModule('node:inspector');
  if (inspector.url() !== undefined) return;
  process.stderr.write(`${process.title}: process ${process.pid} waits for a debugger\n`);
  inspector.open(0, '127.0.0.1');
  inspector.waitForDebugger();
}
