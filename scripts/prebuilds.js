/**
 * Makes the binaries that the package carries, in prebuilds/<target>/: `npm run prebuilds`, or `-- linux-x64-glibc` for
 * some. This machine's own comes from its build (`npm run build:native`), the others from cross compilers. What cannot
 * be made here is said, and is an error if it was named; the release workflow makes each on a machine of its own kind.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { localBuild } from '../dist/binding/load.js';
import { target as thisMachine } from '../dist/binding/platform.js';
import { compile } from '../dist/build/compile.js';
import { findTools } from '../dist/build/tools.js';
import { problemsOf, targets } from './binary.js';

/** Cross compilers for Debian and Ubuntu on x64: how to get them. */
const cross = {
  'linux-arm64-glibc': { prefix: 'aarch64-linux-gnu-', how: 'apt install g++-aarch64-linux-gnu' },
  'linux-x64-musl': {
    prefix: `${process.cwd()}/native/build/musl/bin/x86_64-linux-musl-`,
    how: 'scripts/musl-toolchain.sh',
  },
};

const checked = !process.argv.includes('--unchecked');
const named = process.argv
  .slice(2)
  .filter(word => !word.startsWith('--'))
  .map(target => (target === 'host' ? thisMachine() : target));
const unknown = named.find(target => !targets.includes(target));
if (unknown !== undefined) fail(`there is no target ${unknown}: there are ${targets.join(', ')}`);

for (const target of named.length > 0 ? named : targets) {
  const file = `prebuilds/${target}/truefork.node`;
  const obstacle = await make(target, file);
  if (obstacle !== undefined) {
    if (named.length > 0) fail(`${target}: ${obstacle}`);
    console.log(`${target}: not made here: ${obstacle}`);
    continue;
  }
  const problems = checked ? problemsOf(file, target) : [];
  if (problems.length > 0) fail(`${file}:\n  ${problems.join('\n  ')}`);
  console.log(`${target}: ${Math.round(fs.statSync(file).size / 1024)} KiB`);
}

/** Returns what is in the way, if something is. */
async function make(target, file) {
  fs.mkdirSync(`prebuilds/${target}`, { recursive: true });
  if (target === thisMachine()) {
    if (!fs.existsSync(localBuild)) return 'there is no build: npm run build:native';
    fs.copyFileSync(localBuild, file);
    strip(file);
    return undefined;
  }
  const compiler = cross[target];
  if (compiler === undefined) return 'no cross compiler is known: the release workflow makes it';
  const { prefix, how } = compiler;
  try {
    execFileSync(`${prefix}g++`, ['--version'], { stdio: 'ignore' });
  } catch {
    return `there is no ${prefix}g++: ${how}`;
  }
  const env = { CC: `${prefix}gcc`, CXX: `${prefix}g++` };
  await compile({ into: file, tools: findTools(), arch: target.split('-')[1], env });
  strip(file, target.startsWith('linux-arm64') ? 'aarch64-linux-gnu-' : '');
  return undefined;
}

function strip(file, prefix = '') {
  execFileSync(`${prefix}strip`, ['--strip-unneeded', file]);
}

function fail(message) {
  console.error(`prebuilds: ${message}`);
  process.exit(1);
}
