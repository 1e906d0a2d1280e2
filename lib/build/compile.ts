/**
 * Compiles the addon: in a temporary folder, so that nothing half-made is left in the package, and so that the package
 * needs no `binding.gyp` at its top, which npm would take for the wish to be built whenever it is installed.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { packageRoot } from '../binding/load.js';
import type { Tools } from './tools.js';

export interface Compilation {
  /** Where the addon is put. */
  into: string;
  tools: Tools;
  /** Of the machine that it is for: this one's, unless a cross compiler is named in the environment. */
  arch?: string;
  /** Beside this process's own variables: `CXX` and the like. */
  env?: NodeJS.ProcessEnv;
}

/** @throws An Error when the compiler failed; it has said why on standard error. */
export async function compile({ into, tools, arch = process.arch, env = {} }: Compilation): Promise<void> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'truefork-build-'));
  try {
    layOut(folder);
    const args = ['rebuild', '--silent', '--jobs=max', `--arch=${arch}`];
    if (tools.nodedir !== undefined) args.push(`--nodedir=${tools.nodedir}`);
    const build = spawn(process.execPath, [tools.nodeGyp, ...args], {
      cwd: folder,
      env: { ...process.env, ...env },
      // The compiler's words are for people; standard output is left to what this command itself says.
      stdio: ['ignore', 2, 2],
    });
    const [code, signal] = await once(build, 'close');
    if (code !== 0) throw new Error(`the addon could not be built: node-gyp ended with ${code ?? signal}`);
    putInPlace(path.join(folder, 'build/Release/truefork.node'), into);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** The sources as they are in the repository, wherever this package keeps them. */
function layOut(folder: string): void {
  const packed = path.join(packageRoot, 'dist/native');
  const isPacked = !fs.existsSync(path.join(packageRoot, 'binding.gyp'));
  const nodeAddonApi = isPacked
    ? path.join(packed, 'node-addon-api')
    : path.dirname(createRequire(import.meta.url).resolve('node-addon-api/package.json'));
  fs.cpSync(path.join(isPacked ? packed : packageRoot, 'binding.gyp'), path.join(folder, 'binding.gyp'));
  fs.cpSync(path.join(packageRoot, 'native'), path.join(folder, 'native'), {
    recursive: true,
    filter: source => source !== path.join(packageRoot, 'native/build'),
  });
  fs.cpSync(nodeAddonApi, path.join(folder, 'node_modules/node-addon-api'), { recursive: true });
}

/** At once and whole: a process that is loading the old one keeps it. */
function putInPlace(built: string, into: string): void {
  fs.mkdirSync(path.dirname(into), { recursive: true });
  const part = `${into}.part`;
  fs.copyFileSync(built, part);
  fs.chmodSync(part, 0o755);
  fs.renameSync(part, into);
}
