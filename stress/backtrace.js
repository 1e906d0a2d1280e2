/** What a process that hangs is doing: its native stacks by gdb(1), and where V8 can say so, its JavaScript stack. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';

const lineLength = 160;

/** @param {number} pid */
export function backtrace(pid) {
  const gdb = spawnSync(
    'gdb',
    ['-p', String(pid), '-batch', '-nx', '-ex', 'info threads', '-ex', 'thread apply all bt 30'],
    { encoding: 'utf8', timeout: 60_000 },
  );
  if (gdb.error !== undefined) return `no backtrace: ${gdb.error.message} (apt-get install gdb)`;
  const lines = gdb.stdout.split('\n').filter(line => /^(#|Thread|[* ] +\d)/.test(line));
  return [...lines.map(line => line.slice(0, lineLength)), javaScriptStack(pid)].join('\n');
}

/**
 * Has the process print the stack of its JavaScript, by a function that V8 keeps for debuggers. It prints to the
 * process's own standard output, so gdb gives it a file for that. A process that waits in its event loop has none.
 */
function javaScriptStack(/** @type {number} */ pid) {
  const file = `/tmp/truefork-stack-${process.pid}-${pid}`;
  const print = '_Z29_v8_internal_Print_StackTracev';
  const calls = [
    `call (int)dup2((int)open("${file}", 01101, 0600), 1)`,
    `call (void)${print}()`,
    'call (int)fflush(0)',
  ];
  spawnSync('gdb', ['-p', String(pid), '-batch', '-nx', ...calls.flatMap(call => ['-ex', call])], {
    timeout: 60_000,
  });
  try {
    return `JavaScript:\n${fs.readFileSync(file, 'utf8').slice(0, 4000)}`;
  } catch {
    return 'JavaScript: no stack could be had';
  } finally {
    fs.rmSync(file, { force: true });
  }
}
