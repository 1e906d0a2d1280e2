/**
 * Becomes the server: a process that limits itself first, and then executes the program. Its arguments: JSON of LaunchLimits,
 * then the command.
 */
import { native } from '../binding/native.js';

export interface LaunchLimits {
  /** Bytes that one file can grow to. */
  readonly fileSize: number;
  readonly openFiles: number;
}

const [limits, ...command] = process.argv.slice(2) as [string, ...string[]];
const { fileSize, openFiles } = JSON.parse(limits) as LaunchLimits;
const { posix } = native;

limit(posix.constants.RLIMIT_FSIZE, fileSize);
limit(posix.constants.RLIMIT_CORE, 0);
limit(posix.constants.RLIMIT_NOFILE, openFiles);
native.passOnDescriptors(); // Node has marked them close-on-exec
native.confineSignals();
try {
  posix.execvp(
    command[0]!,
    command,
    Object.entries(process.env).map(([name, value]) => `${name}=${value}`),
  );
} catch (error) {
  console.error(`truefork grade: ${command[0]} cannot be run: ${(error as Error).message}`);
  process.exit(127);
}

function limit(resource: number, most: number): void {
  const { rlim_max } = posix.getrlimit(resource);
  posix.setrlimit(resource, { rlim_cur: Math.min(most, rlim_max), rlim_max });
}
