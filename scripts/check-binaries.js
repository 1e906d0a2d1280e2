/** Checks the binaries in prebuilds/ against the baseline (scripts/binary.js): `npm run check:binaries`. */
import fs from 'node:fs';
import { problemsOf } from './binary.js';

const targets = (fs.existsSync('prebuilds') ? fs.readdirSync('prebuilds') : []).filter(target =>
  fs.existsSync(`prebuilds/${target}/truefork.node`),
);
if (targets.length === 0) throw new Error('there is nothing in prebuilds/: npm run prebuilds');
for (const target of targets) {
  const problems = problemsOf(`prebuilds/${target}/truefork.node`, target);
  console.log(`${target}: ${problems.length === 0 ? 'within the baseline' : `\n  ${problems.join('\n  ')}`}`);
  if (problems.length > 0) process.exitCode = 1;
}
