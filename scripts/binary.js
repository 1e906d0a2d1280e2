/**
 * What a binary of the addon asks of the system that loads it, as readelf(1) tells it, and whether every system that
 * the package promises has it: the baseline is that of Node's own Linux builds (glibc 2.28, the libstdc++ of GCC 8).
 */
import { execFileSync } from 'node:child_process';

const newest = { GLIBC: '2.28', GLIBCXX: '3.4.25', CXXABI: '1.3.11', GCC: '7.0.0' };

const libraries = {
  glibc: /^(lib(c|m|pthread|dl|rt)\.so\.\d|libstdc\+\+\.so\.6|libgcc_s\.so\.1|ld-linux-.*)$/,
  musl: /^(libc\.so|libc\.musl-.*\.so\.1|libstdc\+\+\.so\.6|libgcc_s\.so\.1)$/,
};

const machines = { x64: 'Advanced Micro Devices X86-64', arm64: 'AArch64' };

/**
 * @param {string} file
 * @param {string} target such as linux-x64-glibc
 * @returns {string[]} what is wrong with it
 */
export function problemsOf(file, target) {
  const [, arch, libc] = target.split('-');
  const read = option => execFileSync('readelf', ['--wide', option, file], { encoding: 'utf8' });
  const header = read('--file-header');
  const dynamic = read('--dynamic');
  const segments = read('--segments');
  const symbols = read('--dyn-syms');
  const problems = [];

  if (!header.includes(machines[arch])) problems.push(`it is not for ${arch}`);
  for (const [, library] of dynamic.matchAll(/\(NEEDED\).*\[(.*)\]/g))
    if (!libraries[libc].test(library)) problems.push(`it needs ${library}`);
  if (/GNU_STACK.*RWE/.test(segments)) problems.push('it asks for an executable stack');
  if (/\(TEXTREL\)/.test(dynamic))
    problems.push('it has relocations in its text, which children could not share');
  for (const { name, version, weak } of undefinedSymbols(symbols)) {
    const [, family, number] = /^([A-Z]+)_([\d.]+)$/.exec(version) ?? [];
    if (family === undefined) {
      const fromNode = /^(napi_|node_api_|uv_)/.test(name);
      if (libc === 'glibc' && !fromNode && !weak) problems.push(`${name}: nobody is named who has it`);
    } else if (newest[family] === undefined) {
      problems.push(`${name} wants ${version}`);
    } else if (compareVersions(number, newest[family]) > 0) {
      problems.push(`${name} wants ${version}, which is newer than ${family}_${newest[family]}`);
    }
  }
  if (!/ napi_register_module_v1$/m.test(symbols)) problems.push('it is not a Node-API addon');
  return problems;
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
