/**
 * Finds the C++ addon. The package brings one for each system that it knows, and runs nothing when it is installed; a
 * build made on this machine is preferred, for it was asked for (`truefork build`, or a clone's `npm install`).
 */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { misuse, type TrueforkError } from '../errors.js';
import { glibcVersion, libc, target } from './platform.js';

export const packageRoot = fileURLToPath(new URL('../..', import.meta.url));

/** Where a build on this machine is put, by node-gyp and by `truefork build`. */
export const localBuild = path.join(packageRoot, 'build/Release/truefork.node');

export type Loaded =
  | { file: string; addon: unknown }
  /** Nothing could be loaded. Made anew for each call that it stops, so that the stack is that call's. */
  | { error: () => TrueforkError };

/** `TRUEFORK_ADDON` names another build of it: the debug one, or one with sanitizers. */
export function loadAddon(): Loaded {
  if (process.platform !== 'linux') return { error: wrongPlatform };
  const named = process.env.TRUEFORK_ADDON;
  const files =
    named === undefined
      ? [localBuild, path.join(packageRoot, 'prebuilds', target(), 'truefork.node')]
      : [path.resolve(named)];
  const require = createRequire(import.meta.url);
  const problems: string[] = [];
  for (const file of files) {
    try {
      if (libc() === 'musl' && isForGlibc(file)) throw new Error('it is made for glibc, and this is musl');
      return { file, addon: require(file) };
    } catch (error) {
      // A home directory may be shared by machines of several kinds: a build for one of them is no use to the others.
      problems.push(`  ${file}: ${fs.existsSync(file) ? firstLine(error) : 'there is no such file'}`);
    }
  }
  return { error: () => noAddon(problems) };
}

/** musl's loader takes such a one, with musl for its C library, and the process crashes. */
function isForGlibc(file: string): boolean {
  return fs.existsSync(file) && fs.readFileSync(file).includes('libc.so.6\0');
}

/** The loader's message begins with the file's name, which is said already. */
function firstLine(error: unknown): string {
  const [line] = (error as Error).message.split('\n');
  return line!.replace(/^\S*\.node: /, '');
}

function wrongPlatform(): TrueforkError {
  return misuse(
    'ERR_TRUEFORK_PLATFORM',
    `truefork runs on Linux, and this is ${process.platform}: its types are here, its system calls are not. ` +
      'Use a Linux machine, a container, WSL 2 or a virtual machine',
  );
}

function noAddon(problems: readonly string[]): TrueforkError {
  const version = libc() === 'musl' ? 'musl' : `glibc ${glibcVersion() ?? 'of unknown version'}`;
  return misuse(
    'ERR_TRUEFORK_ADDON',
    `truefork has no binary that runs here: ${process.platform}-${process.arch}, ${version}, Node ` +
      `${process.versions.node}. Looked for\n${problems.join('\n')}\n` +
      'To build one: npx truefork build (it needs a C++17 compiler, make and Python 3)',
  );
}
