/** `truefork doctor` tells whether this machine can run truefork, and what to do where it cannot. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { scriptFolder } from './harness/scripts.ts';
import { cli, node, run, type SubjectOptions } from './harness/subject.ts';

interface Finding {
  name: string;
  verdict: 'ok' | 'warning' | 'failure';
  found: string;
  advice?: string;
}

async function examine(options: SubjectOptions = {}, prefix: string[] = []) {
  const [command, ...args] = [...prefix, node, cli, 'doctor', '--json'];
  const result = await run(command!, args, options);
  const { ok, findings } = JSON.parse(result.stdout) as { ok: boolean; findings: Finding[] };
  const of = (name: string) => findings.find(finding => finding.name === name);
  return { code: result.code, ok, findings, of };
}

test('a machine that can run it', async () => {
  const { code, ok, findings, of } = await examine();
  expect(findings.filter(({ verdict }) => verdict === 'failure')).toEqual([]);
  expect({ code, ok }).toEqual({ code: 0, ok: true });
  expect(of('system')?.found).toMatch(/^Linux \d+\.\d+/);
  expect(of('C library')?.found).toMatch(/^(glibc \d+\.\d+|musl)$/);
  expect(of('Node')?.found).toContain(node);
  expect(of('addon')?.found).toMatch(/truefork\.node$/);
  expect(of('fork')?.found).toBe('a child ran JavaScript, and was reaped');
  expect(of('server')?.found).toMatch(/a forked process answered \d+ ms after the start/);
});

test('for people: a line for each, and the verdict', async () => {
  const { code, stdout, stderr } = await run(node, [cli, 'doctor']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^ {2}ok {4}system {2,}Linux /);
  expect(stdout).toMatch(/\ntruefork \d+\.\d+\.\d+ runs here\n$/);
});

describe('limits', () => {
  test('few processes, few descriptors, few addresses: warnings that say what to do', async () => {
    const { code, of } = await examine({}, ['prlimit', '--nproc=100', '--nofile=100', '--as=15000000000']);
    expect(code).toBe(0);
    expect(of('processes')).toMatchObject({
      verdict: 'warning',
      advice: expect.stringContaining('ulimit -u'),
    });
    expect(of('descriptors')).toMatchObject({
      verdict: 'warning',
      advice: expect.stringContaining('ulimit -n'),
    });
    expect(of('memory')).toMatchObject({ verdict: 'warning', advice: expect.stringContaining('ulimit -v') });
  });
});

describe('what keeps it from running', () => {
  test('NODE_OPTIONS with which nothing can fork', async () => {
    const wrapped = path.join(scriptFolder, 'node-with-options');
    const { of, code } = await examineThrough(wrapped, '--inspect=127.0.0.1:0');
    expect(code).toBe(1);
    expect(of('fork')).toMatchObject({
      verdict: 'failure',
      found: expect.stringContaining('being debugged'),
    });
  });

  test('a fork that fails for a while: the server answers late, and that is told', async () => {
    const { code, of } = await examine({ env: { TRUEFORK_FAULTS: 'fork=EAGAIN' } });
    expect(code).toBe(0);
    expect(of('server')).toMatchObject({ verdict: 'warning', advice: expect.stringContaining('EAGAIN') });
  });

  test('no addon', async () => {
    const { code, ok, of } = await examine({ env: { TRUEFORK_ADDON: '/nowhere/truefork.node' } });
    expect({ code, ok }).toEqual({ code: 1, ok: false });
    expect(of('addon')).toMatchObject({
      verdict: 'failure',
      advice: expect.stringContaining('npx truefork build'),
    });
    expect(of('fork')).toBeUndefined();
  });

  test.runIf(hasCompiler())('a seccomp rule against fork', async () => {
    const { code, findings, of } = await examine({}, [forbidding('EPERM')]);
    expect(code).toBe(1);
    expect(of('seccomp')?.found).toMatch(/filter/);
    // Older lines of Node start any program by a fork, so it may be seen before the trial of fork() itself.
    expect(findings.at(-1)).toMatchObject({
      verdict: 'failure',
      found: expect.stringContaining('EPERM'),
      advice: expect.stringContaining('seccomp'),
    });
  });
});

/** NODE_OPTIONS set by a wrapper: for the subject, but not for the harness, which clears it. */
async function examineThrough(file: string, options: string) {
  fs.writeFileSync(file, `#!/bin/sh\nNODE_OPTIONS='${options}' exec "$@"\n`, { mode: 0o755 });
  return examine({}, [file]);
}

function hasCompiler(): boolean {
  try {
    execFileSync('cc', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** A launcher under whose filter a process can make threads, but not fork: clone(2) without CLONE_VM or CLONE_VFORK. */
function forbidding(code: string): string {
  const launcher = path.join(scriptFolder, 'no-fork');
  const source = `${launcher}.c`;
  fs.writeFileSync(
    source,
    `#include <errno.h>
    #include <linux/filter.h>
    #include <linux/seccomp.h>
    #include <signal.h>
    #include <stddef.h>
    #include <stdio.h>
    #include <sys/prctl.h>
    #include <sys/syscall.h>
    #include <unistd.h>
    int main(int argc, char** argv) {
      struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_clone, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x4100, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ${code}),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      };
      struct sock_fprog program = { sizeof rules / sizeof *rules, rules };
      if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
        perror("seccomp");
        return 1;
      }
      execv(argv[1], argv + 1);
      perror(argv[1]);
      return 127;
    }`,
  );
  execFileSync('cc', ['-o', launcher, source]);
  return launcher;
}
