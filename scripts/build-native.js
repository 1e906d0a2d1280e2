// Builds the addon of a clone, build/Release/truefork.node, from what `npm run build:ts` has built.
import { packageRoot } from '../dist/binding/load.js';
import { runNodeGyp } from '../dist/build/node-gyp.js';
import { findTools } from '../dist/build/tools.js';

try {
  await runNodeGyp({ folder: packageRoot, tools: findTools(), args: process.argv.slice(2) });
} catch (error) {
  console.error(`truefork: ${error.message}`);
  process.exitCode = 1;
}
