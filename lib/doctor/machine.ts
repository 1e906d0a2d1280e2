/** The system below: kernel, C library, Node, and the binary of the addon for them. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { packageRoot } from '../binding/load.js';
import { addonFile, assertAvailable } from '../binding/native.js';
import { glibcVersion, libc } from '../binding/platform.js';
import { nodeStripsTypes } from '../script/typescript.js';
import { type Finding, failure, ok, warning } from './finding.js';

export function system(): Finding {
  const found = `${os.type()} ${os.release()}, ${process.arch}`;
  if (process.platform !== 'linux')
    return failure('system', found, 'use a Linux machine, a container, WSL 2 or a virtual machine');
  if (isOlder(os.release(), [4, 18])) {
    const advice =
      'older than any system the binaries are made for (RHEL 8 has 4.18): the trials below decide';
    return warning('system', found, advice);
  }
  return ok('system', found);
}

export function cLibrary(): Finding {
  if (libc() === 'musl') return ok('C library', 'musl');
  const version = glibcVersion() ?? 'of unknown version';
  if (!isOlder(version, [2, 28])) return ok('C library', `glibc ${version}`);
  const advice =
    "older than the package's binaries and than Node's own want it: on this machine, npx truefork build";
  return warning('C library', `glibc ${version}`, advice);
}

/** The lines of Node as in `engines` of package.json: those that can `require()` an ES module. */
export function nodeVersion(): Finding {
  const found = `${process.version}, ${process.execPath}`;
  const { node } = process.versions;
  const isLine20 = node.startsWith('20.');
  if (isOlder(node, isLine20 ? [20, 19] : [22, 12]))
    return failure('Node', found, 'install Node 20.19, 22.12 or newer');
  return ok('Node', found);
}

export function addon(): Finding {
  if (addonFile !== undefined) return ok('addon', path.relative(packageRoot, addonFile));
  try {
    assertAvailable();
  } catch (error) {
    const [found, ...advice] = (error as Error).message.split('\n');
    return failure('addon', found!, advice.join('\n'));
  }
  throw new Error('unreachable');
}

export function procfs(): Finding {
  try {
    fs.readFileSync('/proc/self/maps');
    fs.readdirSync('/proc/self/task');
    return ok('/proc', 'mounted');
  } catch (error) {
    const advice = 'a fork looks into /proc/self first: mount proc there (containers do it by themselves)';
    return failure('/proc', (error as NodeJS.ErrnoException).message, advice);
  }
}

export function typeScript(): Finding {
  return ok(
    'TypeScript',
    nodeStripsTypes ? 'by Node itself' : 'with esbuild, if the project has it (npm install esbuild)',
  );
}

function isOlder(version: string, [major, minor]: readonly [number, number]): boolean {
  const [, foundMajor, foundMinor] = /^(\d+)\.(\d+)/.exec(version) ?? [];
  if (foundMajor === undefined) return false;
  return Number(foundMajor) < major || (Number(foundMajor) === major && Number(foundMinor) < minor);
}
