/** What is built of what. */
import fs from 'node:fs';
import path from 'node:path';

/** Of the addon. */
export function nativeSources() {
  return ['binding.gyp', ...filesIn('native', /^(?!build|test).*\.(cc|h)$/)];
}

/** Of dist/. */
export function typeScriptSources() {
  return ['tsconfig.json', ...filesIn('lib', /\.ts$/)];
}

/** Whether a built file is there, and no source of it has changed since. */
export function isNewerThan(built, sources) {
  if (!fs.existsSync(built)) return false;
  const newest = Math.max(...sources.map(file => fs.statSync(file).mtimeMs));
  return fs.statSync(built).mtimeMs >= newest;
}

function filesIn(folder, pattern) {
  const names = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names.filter(name => pattern.test(name)).map(name => path.join(folder, name));
}
