/** What this process may use: processes, descriptors, memory, system calls. */
import fs from 'node:fs';
import { addonFile } from '../binding/native.js';
import { defaultMaxChildren } from '../options/table/limits.js';
import { mostChildren } from '../owner/system-limits.js';
import { RLIMIT_AS, RLIMIT_NOFILE } from '../posix/constants.js';
import { getrlimit } from '../posix/process.js';
import { type Finding, ok, warning } from './finding.js';

/** Fewer than this, and neither the server's own two processes nor its clients get far. */
const fewDescriptors = 256;

/** Node reserves about a gigabyte of addresses, and WebAssembly, which fetch() uses, 10 more (setrlimit(2), RLIMIT_AS). */
const nodesAddressSpace = 16 * 2 ** 30;

const tightMemory = 256 * 2 ** 20;

export function limits(): Finding[] {
  return addonFile === undefined ? [] : [processes(), descriptors(), memory(), seccomp()];
}

function processes(): Finding {
  const most = mostChildren();
  if (most === Number.POSITIVE_INFINITY) return ok('processes', 'no limit of this user or container');
  const found = `${most} children at once, of the limit of this user or container`;
  if (most >= defaultMaxChildren) return ok('processes', found);
  const advice = `a server here has at most ${most} children, and more clients wait. More: ulimit -u, or pids.max`;
  return warning('processes', found, advice);
}

function descriptors(): Finding {
  const { rlim_cur, rlim_max } = getrlimit(RLIMIT_NOFILE);
  const found = `${rlim_cur} open files for each process`;
  if (rlim_cur >= fewDescriptors) return ok('descriptors', found);
  return warning('descriptors', found, `few: raise it by ulimit -n, up to ${rlim_max} without privilege`);
}

function memory(): Finding {
  const { rlim_cur: addresses } = getrlimit(RLIMIT_AS);
  if (addresses < nodesAddressSpace) {
    const found = `${mebibytes(addresses)} of addresses for each process (ulimit -v)`;
    return warning('memory', found, 'Node reserves much that it never uses: lift it by ulimit -v unlimited');
  }
  const cgroup = Number(read(`/sys/fs/cgroup${controlGroup()}/memory.max`) ?? Number.NaN);
  if (cgroup < tightMemory) {
    const found = `${mebibytes(cgroup)} for this container`;
    return warning('memory', found, 'a zygote needs about 60 MiB, and each child one more');
  }
  if (read('/proc/sys/vm/overcommit_memory') === '2') {
    const advice =
      'each fork counts as if all memory were copied: it may fail with ENOMEM while memory is free';
    return warning('memory', 'strict accounting (vm.overcommit_memory = 2)', advice);
  }
  return ok('memory', 'no limit in the way');
}

/** Only reports the filter. Whether it forbids what a fork needs is for the trials. */
function seccomp(): Finding {
  const status = read('/proc/self/status') ?? '';
  const filters = /^Seccomp_filters:\s*(\d+)/m.exec(status)?.[1];
  const mode = /^Seccomp:\s*(\d)/m.exec(status)?.[1];
  if (mode !== '2') return ok('seccomp', mode === '1' ? 'strict' : 'no filter');
  return ok('seccomp', `${filters ?? 'some'} filter(s), as in a container; the trials show what they allow`);
}

function controlGroup(): string {
  return /^0::(.*)$/m.exec(read('/proc/self/cgroup') ?? '')?.[1] ?? '/';
}

function read(file: string): string | undefined {
  try {
    return fs.readFileSync(file, 'utf8').trim();
  } catch {
    return undefined;
  }
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}
