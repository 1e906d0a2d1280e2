/**
 * Makes a few files of the many that TypeScript has made, in the dist/ of what is packed: owner and zygote each load
 * dozens of modules before a server listens, and Node looks for each one by itself. What users and other processes begin
 * with stays where it is; what several of them share is in dist/shared/, once.
 */
import fs from 'node:fs';
import path from 'node:path';
import { buildSync } from 'esbuild';

/** Started by their names, in processes of their own. */
const started = [
  'zygote/main.js',
  'zygote/program.js',
  'cli/typescript.js',
  'doctor/fork-probe.js',
  'doctor/echo-handler.js',
];

/**
 * @param {string} folder of the package
 * @param {{ exports: Record<string, string | { default: string }>, bin: Record<string, string> }} manifest
 */
export function bundle(folder, { exports, bin }) {
  const dist = path.join(folder, 'dist');
  const named = [...Object.values(exports), ...Object.values(bin)]
    .map(target => (typeof target === 'string' ? target : target.default))
    .flatMap(target => /^(?:\.\/)?dist\/(.*\.js)$/.exec(target)?.[1] ?? []);
  const modules = fs
    .readdirSync(dist, { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.js') && !file.startsWith('native/'));
  const { outputFiles } = buildSync({
    absWorkingDir: dist,
    entryPoints: [...named, ...started],
    outdir: '.',
    outbase: '.',
    // As deep as the rooms are: paths from one to another hold there, too.
    chunkNames: 'shared/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    write: false,
  });
  for (const file of modules) fs.rmSync(path.join(dist, file));
  for (const { path: file, contents } of outputFiles) {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, contents);
  }
  for (const file of Object.values(bin)) fs.chmodSync(path.join(folder, file), 0o755);
}
