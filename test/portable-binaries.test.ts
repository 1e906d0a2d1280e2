/** The check that every binary of a release has to pass would not pass one that only newer systems can load. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { libc, target } from '../lib/binding/platform.ts';
import { scriptFolder } from './harness/scripts.ts';

const { problemsOf } = (await import('../scripts/binary.js' as string)) as {
  problemsOf(file: string, target: string): string[];
};

/** Compiles an addon that is one in name only. */
function addon(name: string, source: string, ...flags: string[]): string {
  const file = path.join(scriptFolder, `${name}.node`);
  fs.writeFileSync(`${file}.cc`, source);
  execFileSync(process.env.CXX ?? 'c++', ['-shared', '-fPIC', '-o', file, `${file}.cc`, ...flags]);
  return file;
}

const entry = 'extern "C" void* napi_register_module_v1(void*, void* exports) { return exports; }\n';

test('a small addon is within the baseline', () => {
  expect(problemsOf(addon('small', entry), target())).toEqual([]);
});

test('another architecture is told', () => {
  const other = target().replace(/x64|arm64/, arch => (arch === 'x64' ? 'arm64' : 'x64'));
  expect(problemsOf(addon('other', entry), other)).toContain(`it is not for ${other.split('-')[1]}`);
});

test('a library that not every system has is told', () => {
  // Linked by its very name: it need not be installed for this.
  const library = addon('libnowhere', 'void nowhere() {}', '-Wl,-soname,libnowhere.so.1');
  const file = addon('lost', `void nowhere(); ${entry} void call() { nowhere(); }`, library);
  expect(problemsOf(file, target())).toContain('it needs libnowhere.so.1');
});

test('an executable stack is told', () => {
  const file = addon('stack', entry, '-Wl,-z,execstack');
  expect(problemsOf(file, target())).toContain('it asks for an executable stack');
});

test('exceptions that nobody could catch are told', () => {
  const file = addon('blind', entry, '-Wl,--no-eh-frame-hdr');
  expect(problemsOf(file, target())).toEqual([
    'it has no index of its unwinding tables, so an exception would abort',
  ]);
});

test('a library that is no addon is told', () => {
  expect(problemsOf(addon('none', 'void nothing() {}'), target())).toContain('it is not a Node-API addon');
});

test.runIf(libc() === 'glibc')('a symbol that only a newer C library has is told', () => {
  // As if built where close_range() came from the C library: with a version of its own, so that any linker makes it.
  const map = path.join(scriptFolder, 'newer.map');
  fs.writeFileSync(map, 'GLIBC_2.34 { global: *; };');
  const library = addon(
    'libc',
    'extern "C" int close_range(unsigned, unsigned, int) { return 0; }',
    `-Wl,--version-script=${map}`,
    '-Wl,-soname,libc.so.6',
  );
  const source = `extern "C" int close_range(unsigned, unsigned, int); ${entry} int call() { return close_range(3, 4, 0); }`;
  const problems = problemsOf(addon('newer', source, library), target());
  expect(problems).toEqual(['close_range wants GLIBC_2.34, which is newer than GLIBC_2.28']);
});
