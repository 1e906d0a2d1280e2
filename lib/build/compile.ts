/**
 * Compiles the addon in a temporary folder: a failed build leaves nothing in the package, and the package needs no
 * `binding.gyp` at its top, for which npm would build it at every installation.
 */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { packageRoot } from '../binding/load.js';
import { runNodeGyp } from './node-gyp.js';
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

/** @throws `ERR_TRUEFORK_BUILD` when the compiler failed; what it said is on standard error by then. */
export async function compile({ into, tools, arch = process.arch, env = {} }: Compilation): Promise<void> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'truefork-build-'));
  try {
    layOut(folder);
    await runNodeGyp({ folder, tools, args: [`--arch=${arch}`], env });
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

/** By rename(2), so that a process that loads the addon meanwhile finds the old file or the new one, whole. */
function putInPlace(built: string, into: string): void {
  fs.mkdirSync(path.dirname(into), { recursive: true });
  const part = `${into}.part`;
  fs.copyFileSync(built, part);
  fs.chmodSync(part, 0o755);
  fs.renameSync(part, into);
}
