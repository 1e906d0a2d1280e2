/**
 * Completes what `npm pack` packs, after every build (`prepare`): puts into dist/native/ what `truefork build` needs beside
 * native/ (a gyp file at the package's top would make npm build it at each installation), makes this machine's binary,
 * and takes away those that are older than the sources. `--all` is for a release: each has to be there, and be within
 * the baseline.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { problemsOf, targets } from './binary.js';
import { isNewerThan, nativeSources } from './sources.js';

if (!fs.existsSync('dist/cli/main.js') || !fs.existsSync('node_modules/node-addon-api'))
  fail('there is no build: npm install, or npm run build');

fs.rmSync('dist/native', { recursive: true, force: true });
fs.cpSync('binding.gyp', 'dist/native/binding.gyp');
const nodeAddonApi = path.dirname(createRequire(import.meta.url).resolve('node-addon-api/package.json'));
for (const file of [
  'package.json',
  'LICENSE.md',
  'index.js',
  'napi.h',
  'napi-inl.h',
  'napi-inl.deprecated.h',
])
  fs.cpSync(path.join(nodeAddonApi, file), path.join('dist/native/node-addon-api', file));

const { target: thisMachine } = await import('../dist/binding/platform.js');
const isRelease = process.argv.includes('--all');

if (!isRelease && targets.includes(thisMachine()) && !isFresh(thisMachine()))
  execFileSync(process.execPath, ['scripts/prebuilds.js', '--unchecked', thisMachine()], {
    stdio: ['ignore', 2, 2],
  });
for (const target of targets) {
  if (isFresh(target)) {
    const problems = problemsOf(binary(target), target);
    if (problems.length > 0) tell(`${target} is for newer systems alone:\n  ${problems.join('\n  ')}`);
  } else if (fs.existsSync(binary(target))) {
    tell(`${target} is older than the sources: npm run prebuilds`);
    fs.rmSync(binary(target));
  } else if (isRelease) {
    fail(`${target} is missing: npm run prebuilds`);
  }
}

function tell(message) {
  if (isRelease) fail(message);
  console.error(`prebuilds: ${message}`);
}

function binary(target) {
  return `prebuilds/${target}/truefork.node`;
}

function isFresh(target) {
  return isNewerThan(binary(target), nativeSources());
}

function fail(message) {
  console.error(`prebuilds: ${message}`);
  process.exit(1);
}
