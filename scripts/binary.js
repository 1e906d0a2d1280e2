/**
 * What a binary of the addon asks of the system that loads it, as readelf(1) tells it, and whether every system that
 * the package promises has it: the baseline is that of Node's own Linux builds (glibc 2.28, the libstdc++ of GCC 8).
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';

/** The systems that the package has a binary for, each a folder of prebuilds/. */
export const targets = ['linux-x64-glibc', 'linux-arm64-glibc', 'linux-x64-musl', 'linux-arm64-musl'];

const newest = { GLIBC: '2.28', GLIBCXX: '3.4.25', CXXABI: '1.3.11', GCC: '7.0.0' };

const libraries = {
  glibc: /^(lib(c|m|pthread|dl|rt)\.so\.\d|libstdc\+\+\.so\.6|libgcc_s\.so\.1|ld-linux-.*)$/,
  musl: /^(libc\.so|libc\.musl-.*\.so\.1|libstdc\+\+\.so\.6|libgcc_s\.so\.1)$/,
};

/** Where musl itself may be found: its loader is the C library. (Debian's package is `musl`.) */
const musl = { x64: '/lib/ld-musl-x86_64.so.1', arm64: '/lib/ld-musl-aarch64.so.1' };

const machines = { x64: 'Advanced Micro Devices X86-64', arm64: 'AArch64' };

/**
 * @param {string} file
 * @param {string} target such as linux-x64-glibc
 * @returns {string[]} what is wrong with it
 */
export function problemsOf(file, target) {
  const [, arch, libc] = target.split('-');
  const header = readelf('--file-header', file);
  const dynamic = readelf('--dynamic', file);
  const segments = readelf('--segments', file);
  const symbols = readelf('--dyn-syms', file);
  const inMusl = libc === 'musl' && fs.existsSync(musl[arch]) ? definedSymbols(musl[arch]) : undefined;
  const problems = [];

  if (!header.includes(machines[arch])) problems.push(`it is not for ${arch}`);
  const needed = [...dynamic.matchAll(/\(NEEDED\).*\[(.*)\]/g)].map(([, library]) => library);
  for (const library of needed) if (!libraries[libc].test(library)) problems.push(`it needs ${library}`);
  if (/GNU_STACK.*RWE/.test(segments)) problems.push('it asks for an executable stack');
  if (/\(TEXTREL\)/.test(dynamic))
    problems.push('it has relocations in its text, which children could not share');
  if (!/GNU_EH_FRAME/.test(segments))
    problems.push('it has no index of its unwinding tables, so an exception would abort');
  for (const { name, version, weak } of undefinedSymbols(symbols)) {
    if (weak || /^(napi_|node_api_|uv_)/.test(name)) continue; // Node's own, or done without
    const [, family, number] = /^([A-Z]+)_([\d.]+)$/.exec(version) ?? [];
    if (family === undefined) {
      // Symbols of musl's have no version, and neither have those of C++ in Alpine's libstdc++.
      const known = libc === 'musl' && (inMusl?.has(name) !== false || needed.includes('libstdc++.so.6'));
      if (!known) problems.push(`${name}: no library is named that has it`);
    } else if (newest[family] === undefined) {
      problems.push(`${name} wants ${version}`);
    } else if (compareVersions(number, newest[family]) > 0) {
      problems.push(`${name} wants ${version}, which is newer than ${family}_${newest[family]}`);
    }
  }
  if (!/ napi_register_module_v1$/m.test(symbols)) problems.push('it is not a Node-API addon');
  return problems;
}

function readelf(option, file) {
  return execFileSync('readelf', ['--wide', option, file], { encoding: 'utf8' });
}

function definedSymbols(library) {
  const lines = readelf('--dyn-syms', library).matchAll(/^ *\d+: .* (?!UND)\S+ (\w+)$/gm);
  return new Set(Array.from(lines, ([, name]) => name));
}

function* undefinedSymbols(table) {
  // Number, value, size, type, binding, visibility, section, name@version
  for (const [, binding, name, version = ''] of table.matchAll(
    /^ *\d+: \S+ +\d+ \S+ +(\S+) +\S+ +UND (\w+)(?:@+(\S+))?/gm,
  ))
    yield { name, version, weak: binding === 'WEAK' };
}

function compareVersions(a, b) {
  return a.localeCompare(b, 'en', { numeric: true });
}
