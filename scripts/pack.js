/**
 * Packs what is published, from a tree that is built: `node scripts/pack.js FOLDER` puts the tarball there and prints
 * its name. Its package.json has no scripts: `prepare` is for a clone, and npm (from 11.19 on) warns of each package whose
 * scripts it does not run, though there would be none to run.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const destination = process.argv[2] ?? '.';
const work = fs.mkdtempSync(path.join(os.tmpdir(), 'truefork-pack-'));
try {
  const whole = pack('.', work);
  execFileSync('tar', ['-xzf', path.join(work, whole), '-C', work]);
  const manifest = path.join(work, 'package', 'package.json');
  const { scripts: _, devDependencies: __, ...published } = JSON.parse(fs.readFileSync(manifest, 'utf8'));
  fs.writeFileSync(manifest, `${JSON.stringify(published, null, 2)}\n`);
  console.log(pack(path.join(work, 'package'), destination));
} finally {
  fs.rmSync(work, { recursive: true });
}

/**
 * @param {string} folder
 * @param {string} into
 */
function pack(folder, into) {
  const options = ['--ignore-scripts', '--silent', '--pack-destination', into];
  return execFileSync('npm', ['pack', ...options, folder], { encoding: 'utf8' }).trim();
}
