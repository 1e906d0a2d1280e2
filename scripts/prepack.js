/**
 * Before `npm pack`: completes what is packed, and refuses what would not work. Puts into dist/native/ what `truefork
 * build` needs beside native/ (the gyp file is not at the package's top, where npm would build it at each install), and
 * makes this machine's binary where there is none. `--all` insists on every one, as a release does.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { problemsOf, targets } from './binary.js';

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

const { target: thisMachine } = await import('../dist/addon/platform.js');
const binary = target => `prebuilds/${target}/truefork.node`;
if (!isFresh(binary(thisMachine()))) {
  if (!targets.includes(thisMachine()))
    fail(`the package has no binary for ${thisMachine()}: pack it elsewhere`);
  execFileSync(process.execPath, ['scripts/prebuilds.js', thisMachine()], { stdio: ['ignore', 2, 2] });
}
for (const target of targets) {
  const file = binary(target);
  if (!isFresh(file)) {
    const why = fs.existsSync(file) ? 'older than the sources' : 'missing';
    if (process.argv.includes('--all')) fail(`${file} is ${why}: npm run prebuilds`);
    fs.rmSync(path.dirname(file), { recursive: true, force: true });
    console.error(`prepack: not in this package: ${target}, which is ${why}`);
    continue;
  }
  const problems = problemsOf(file, target);
  if (problems.length > 0) fail(`${file}:\n  ${problems.join('\n  ')}`);
}

function isFresh(file) {
  if (!fs.existsSync(file)) return false;
  const sources = fs
    .readdirSync('native', { recursive: true })
    .filter(name => /^(?!build|test).*\.(cc|h)$/.test(name));
  const newest = Math.max(...sources.map(name => fs.statSync(path.join('native', name)).mtimeMs));
  return fs.statSync(file).mtimeMs >= newest;
}

function fail(message) {
  console.error(`prepack: ${message}`);
  process.exit(1);
}
