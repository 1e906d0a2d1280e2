// After `npm install` in a clone, and whenever npm links or packs it: builds what is older than its sources, and nothing
// else, so that `npx truefork` in a clone does not build anew.
import { execFileSync } from 'node:child_process';
import { isNewerThan, nativeSources, typeScriptSources } from './sources.js';

const npmRun = script => execFileSync('npm', ['run', '--silent', script], { stdio: ['ignore', 2, 2] });

if (!isNewerThan('dist/cli/main.js', typeScriptSources())) npmRun('build:ts');
if (!isNewerThan('build/Release/truefork.node', nativeSources())) {
  console.error('building the addon: this takes a minute');
  try {
    npmRun('build:native');
  } catch {
    process.exit(1); // it has said why
  }
}
await import('./complete-package.js');
