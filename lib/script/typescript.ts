/**
 * Scripts in TypeScript. Node strips types by itself from 22.18; before that, esbuild transpiles the script ahead of
 * time. A loader hook would run in a thread, and a process with a thread of its own cannot be forked.
 */
import { createRequire, Module } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { misuse } from '../errors.js';
import type { Namespace } from './default-export.js';
import { noteImports } from './imports.js';

export const nodeStripsTypes = Boolean((process.features as { typescript?: unknown }).typescript);

export function isTypeScript(url: string): boolean {
  return /\.[cm]?ts$/.test(url);
}

export async function importTypeScript(url: string): Promise<Namespace> {
  return nodeStripsTypes ? await import(url) : requireTranspiled(fileURLToPath(url));
}

type Esbuild = typeof import('esbuild');

function findEsbuild(file: string): Esbuild {
  process.env.ESBUILD_WORKER_THREADS = '0'; // its synchronous calls would start a thread that stays
  for (const from of [file, import.meta.url]) {
    try {
      return createRequire(from)('esbuild');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  throw misuse(
    'ERR_TRUEFORK_TYPESCRIPT',
    `Node ${process.versions.node} does not run TypeScript by itself: npm install esbuild, or use Node 22.18 or newer`,
  );
}

/**
 * Bundles the script's own files, leaves packages to `require`, and runs the result from memory under the script's own
 * name, so that `require`, `import.meta.url` and stack traces are what they would be.
 */
function requireTranspiled(file: string): Namespace {
  const { outputFiles, metafile } = findEsbuild(file).buildSync({
    entryPoints: [file],
    bundle: true,
    packages: 'external',
    write: false,
    format: 'cjs',
    platform: 'node',
    target: `node${process.versions.node}`,
    sourcemap: 'inline',
    metafile: true,
    define: { 'import.meta.url': 'import_meta_url' },
    banner: { js: 'const import_meta_url = require("node:url").pathToFileURL(__filename).href;' },
    logLevel: 'silent',
  });
  noteImports(Object.keys(metafile.inputs).map(input => path.resolve(input)));
  process.setSourceMapsEnabled(true);
  const module = new Module(file) as Module & { _compile(code: string, filename: string): void };
  module.filename = file;
  module.paths = (Module as unknown as { _nodeModulePaths(from: string): string[] })._nodeModulePaths(
    path.dirname(file),
  );
  module._compile(outputFiles[0]!.text, file);
  const { exports } = module;
  return exports.__esModule ? exports : { ...exports, default: exports };
}
