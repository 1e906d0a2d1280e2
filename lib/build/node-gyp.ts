/** Runs node-gyp. It is quiet where it works, and shows what the compiler said where it does not. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { misuse } from '../errors.js';
import type { Tools } from './tools.js';

export interface GypRun {
  /** Where binding.gyp is. */
  folder: string;
  tools: Tools;
  args: readonly string[];
  /** Beside this process's own variables: `CXX` and the like. */
  env?: NodeJS.ProcessEnv;
}

/** make's line for each file that it compiles or links, and nothing is wrong with. */
const progress = /^ {2}[A-Z_]+\(?\w*\)? .*\n|^make: (Entering|Leaving) directory .*\n/gm;

/** @throws `ERR_TRUEFORK_BUILD` when the build failed; what the compiler said is on standard error by then. */
export async function runNodeGyp({ folder, tools, args, env = {} }: GypRun): Promise<void> {
  const options = ['--silent', '--jobs=max', ...args];
  if (tools.nodedir !== undefined) options.push(`--nodedir=${tools.nodedir}`);
  const build = spawn(process.execPath, [tools.nodeGyp, 'rebuild', ...options], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, errors, [code, signal]] = await Promise.all([
    text(build.stdout),
    text(build.stderr),
    once(build, 'close') as Promise<[number | null, NodeJS.Signals | null]>,
  ]);
  if (code === 0) return;
  process.stderr.write(`${out.replaceAll(progress, '')}${errors}`);
  throw misuse(
    'ERR_TRUEFORK_BUILD',
    `the addon could not be built: node-gyp ended with ${code ?? signal}, and the lines above say why`,
  );
}
