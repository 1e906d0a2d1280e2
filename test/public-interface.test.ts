/** The public interface changes knowingly: each entry point has a report of it in docs/api-report. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { expect, test } from 'vitest';

const report = (entry: string) => fs.readFileSync(`docs/api-report/${entry}.txt`, 'utf8');

test('the reports are what the built types say', () => {
  const check = spawnSync(process.execPath, ['scripts/api-report.js', '--check'], { encoding: 'utf8' });
  expect(check.stderr).toBe('');
  expect(check.status).toBe(0);
});

test('there is one for each entry point of the package', () => {
  const { exports } = JSON.parse(fs.readFileSync('package.json', 'utf8')) as { exports: object };
  const entries = Object.entries(exports).filter(([, target]) => typeof target === 'object');
  const names = entries.map(([entry]) => `truefork${entry.slice(1).replaceAll('/', '-')}.txt`);
  expect(fs.readdirSync('docs/api-report').sort()).toEqual(names.sort());
});

test.each([
  ['truefork', /interface ForkingServerOptions \{[^}]*\n {2}maxMemory\?: Size;/],
  ['truefork', /class ForkingServer extends Server \{[^}]*\n {2}setLimits\(changes: NewLimits\): void;/],
  ['truefork-posix', /^function fork\(\): number$/m],
  ['truefork-auto', /exports nothing/],
])('the report of %s has %s', (entry, line) => {
  expect(report(entry)).toMatch(line);
});
