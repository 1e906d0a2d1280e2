/**
 * Which files a handler script is loaded from. Node's loaders report every module to `process.send` when
 * {@link reportImportsVariable} is in the environment, as for `node --watch`.
 */
import { fileURLToPath } from 'node:url';
import { reportImportsVariable } from '../wire/config.js';

type Report = { 'watch:import'?: (string | null)[]; 'watch:require'?: (string | null)[] };

const files = new Set<string>();

/** For files that a loader of our own has read. */
export function noteImports(more: Iterable<string>): void {
  for (const file of more) files.add(file);
}

/** Begins to collect. The function that it returns ends that, and returns the paths so far. */
export function followImports(): () => string[] {
  process.send = (report: Report) => {
    const urls = report['watch:import']?.filter(url => url?.startsWith('file:')) ?? [];
    const paths = report['watch:require']?.filter(file => file?.startsWith('/')) ?? [];
    noteImports([...urls.map(url => fileURLToPath(url!)), ...(paths as string[])]);
    return true;
  };
  return () => {
    delete process.send;
    delete process.env[reportImportsVariable];
    return [...files];
  };
}
