/** Before all tests: the build must be there, and the run gets a folder of its own. */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    scriptFolder: string;
  }
}

const runs = fileURLToPath(new URL('../.tmp/', import.meta.url));

export default function setup(project: TestProject): () => void {
  if (!fs.existsSync(new URL('../../dist/cli/main.js', import.meta.url)))
    throw new Error('the tests judge the built package: npm run build first');
  fs.mkdirSync(runs, { recursive: true });
  removeAbandoned();
  // Short, for the paths of Unix sockets have to fit into 107 bytes; and for all, as subjects give up root.
  const own = fs.mkdtempSync(runs);
  fs.chmodSync(own, 0o755);
  project.provide('scriptFolder', own);
  return () => fs.rmSync(own, { recursive: true, force: true });
}

/** What runs that were killed have left. No run lasts a day. */
function removeAbandoned(): void {
  for (const name of fs.readdirSync(runs)) {
    const entry = path.join(runs, name);
    const made = fs.statSync(entry, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (Date.now() - made > 86_400_000) fs.rmSync(entry, { recursive: true, force: true });
  }
}
