/** Where the lines of Node are found that tests run on. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const allLines = [20, 22, 24, 26];

/** The line that a Node is of. @param {string} node its path */
export function lineOf(node) {
  return Number(execFileSync(node, ['-p', 'process.versions.node.split(".")[0]'], { encoding: 'utf8' }));
}

/** @param {string} node its path */
export function versionOf(node) {
  return execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
}

/** The path of a Node of that line: this one, or else one that is fetched. @param {number} line */
export function nodeOfLine(line) {
  if (line === Number(process.versions.node.split('.')[0])) return process.execPath;
  const script = fileURLToPath(new URL('node-lines.sh', import.meta.url));
  return execFileSync(script, [String(line)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  }).trim();
}
