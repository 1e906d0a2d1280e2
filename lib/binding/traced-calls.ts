/** Under the tracer, each call of truefork/posix says first where in the script it is made (prctl, native/trace/calls.h). */
import path from 'node:path';
import { packageRoot } from './load.js';
import type { PosixCalls } from './posix.js';

/** Set by the tracer in the environment of what it starts. */
export const isTraced = process.env.TRUEFORK_TRACED === '1';

/** A source map may show a file of dist/ as the one of lib/ it was made of. */
const ownFolders = ['dist/', 'lib/'].map(folder => path.join(packageRoot, folder));
const frame = /\(?(?<file>(file:\/\/)?\/[^)]*):(?<line>\d+):\d+\)?$/;

/** "file:line" of the nearest function that is not this package's; empty where there is none. */
function callerOf(stack: string): string {
  for (const line of stack.split('\n').slice(1)) {
    const found = frame.exec(line)?.groups;
    if (!found) continue;
    const file = found.file!.replace(/^file:\/\//, '');
    if (!ownFolders.some(folder => file.startsWith(folder))) return `${file}:${found.line}`;
  }
  return '';
}

export function locatingCalls(calls: PosixCalls, say: (place: string) => void): PosixCalls {
  const locating = (call: (...args: unknown[]) => unknown) =>
    function located(...args: unknown[]): unknown {
      say(callerOf(new Error().stack ?? ''));
      try {
        return call(...args);
      } finally {
        say('');
      }
    };
  const entries = Object.entries(calls).map(([name, value]) => [
    name,
    typeof value === 'function' && !name.startsWith('W') ? locating(value as () => unknown) : value,
  ]);
  return Object.fromEntries(entries) as PosixCalls;
}
