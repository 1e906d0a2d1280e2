/**
 * `import 'truefork/auto'` as a script's first line: starts it again in place, as a process that can be forked. Same
 * pid, same standard streams, same arguments and environment; nothing of the script has run by then.
 */
import './fork/stdio.js';
import { isMainThread } from 'node:worker_threads';
import { addonFile, native } from './binding/native.js';
import { misuse } from './errors.js';
import { requiredFlags } from './fork/preflight.js';
import { prepareToFork } from './fork/prepare.js';
import { execve } from './posix/process.js';

/** Set for the new start alone, which takes it away again: a second one would not help. */
const mark = 'TRUEFORK_RESTARTED';

// Without the addon there is nothing to prepare for: fork() itself says what is missing.
if (isMainThread && addonFile !== undefined) {
  const missing = requiredFlags().filter(flag => !process.execArgv.includes(flag));
  const restarted = process.env[mark] === String(process.pid);
  delete process.env[mark];
  if (missing.length === 0) prepareToFork();
  else if (restarted) throw cannotRestart(`it has no ${missing.join(' ')} even after a restart`);
  else restart(missing);
}

function restart(missing: string[]): never {
  const script = process.argv.slice(1);
  const fromStandardInput = script.length === 0 || script[0] === '-';
  if (fromStandardInput && !process.execArgv.some(flag => /^(-[ep]|--eval|--print)/.test(flag)))
    throw cannotRestart('it is read from standard input, which cannot be read twice: put it into a file');
  const environment: NodeJS.ProcessEnv = { ...process.env, [mark]: String(process.pid) };
  // Node has taken the channel of child_process.fork() out of the environment: the new start looks for it there.
  const channel = process.channel as { fd?: number } | undefined;
  if (channel?.fd !== undefined) environment.NODE_CHANNEL_FD = String(channel.fd);
  native.passOnDescriptors();
  execve(process.execPath, [process.argv0, ...process.execArgv, ...missing, ...script], environment);
}

function cannotRestart(why: string): Error {
  return misuse('ERR_TRUEFORK_UNSAFE', `truefork/auto cannot start this script again: ${why}`);
}
