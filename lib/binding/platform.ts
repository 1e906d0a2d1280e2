/** What this process runs on, as the process itself shows it: `/etc` may be that of another system, as in a container. */
import fs from 'node:fs';

export type Libc = 'glibc' | 'musl';

/** A system for which a binary of the addon may exist, such as `linux-x64-glibc`: the name of its folder. */
export function target(): string {
  return `${process.platform}-${process.arch}-${libc()}`;
}

/**
 * The C library that this process has loaded. musl's is its loader: Alpine's file bears the loader's name, elsewhere that
 * is a link to `libc.so`, a name under which glibc has no library.
 */
export function libc(): Libc {
  return hasMapped(/\/(?:ld-musl-|libc\.musl-|libc\.so(?: \(deleted\))?$)/m) ? 'musl' : 'glibc';
}

/** Such as `2.36`; undefined with musl, which does not report its version. */
export function glibcVersion(): string | undefined {
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return report.header?.glibcVersionRuntime;
}

function hasMapped(file: RegExp): boolean {
  try {
    return file.test(fs.readFileSync('/proc/self/maps', 'utf8'));
  } catch {
    return glibcVersion() === undefined; // there is no /proc: the process's own report says it too, but slowly
  }
}
