/** Before all tests: the build must be there, and the scripts of earlier runs must not. */
import fs from 'node:fs';
import { scriptFolder } from './scripts.ts';

export default function setup(): () => void {
  if (!fs.existsSync(new URL('../../dist/cli/main.js', import.meta.url)))
    throw new Error('the tests judge the built package: npm run build first');
  fs.rmSync(scriptFolder, { recursive: true, force: true });
  fs.mkdirSync(scriptFolder, { recursive: true });
  return () => fs.rmSync(scriptFolder, { recursive: true, force: true });
}
