/**
 * Which files a handler script is made of. Node tells it to whoever watches a program (`node --watch`): with this
 * variable in the environment, its loaders report every module to `process.send`.
 */
import { fileURLToPath } from 'node:url';

export const reportVariable = 'WATCH_REPORT_DEPENDENCIES';

type Report = { 'watch:import'?: (string | null)[]; 'watch:require'?: (string | null)[] };

const files = new Set<string>();

/** For what a loader of our own has read. */
export function noteImports(more: Iterable<string>): void {
  for (const file of more) files.add(file);
}

/** Begins to listen. What it returns ends that, and gives the files so far: their paths. */
export function followImports(): () => string[] {
  process.send = (report: Report) => {
    const urls = report['watch:import']?.filter(url => url?.startsWith('file:')) ?? [];
    const paths = report['watch:require']?.filter(file => file?.startsWith('/')) ?? [];
    noteImports([...urls.map(url => fileURLToPath(url!)), ...(paths as string[])]);
    return true;
  };
  return () => {
    delete process.send;
    delete process.env[reportVariable];
    return [...files];
  };
}
