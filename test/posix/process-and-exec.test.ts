/** Ids, limits, users, and becoming another program. */
import fs from 'node:fs';
import { expect, test } from 'vitest';
import { node, run } from '../harness/subject.ts';
import { calling, forking, holds, output } from './subject.ts';

test('who this process is', () =>
  holds(
    calling(`
      assert.equal(p.getpid(), process.pid);
      assert.equal(p.getppid(), process.ppid);
      assert.equal(p.getpgrp(), p.getpgid(0));
      assert.equal(p.getpgid(p.getpid()), p.getpgrp());
      assert.equal(p.getuid(), process.getuid());
      assert.equal(p.geteuid(), process.geteuid());
      assert.equal(p.getgid(), process.getgid());
      assert.equal(p.getegid(), process.getegid());
      assert.deepEqual(p.getgroups().sort(), process.getgroups().filter(g => p.getgroups().includes(g)).sort());
      assert.equal(p.getsid(), p.getsid(p.getpid()));
      fails('ESRCH', () => p.getpgid(4194303));
      fails('ESRCH', () => p.getsid(4194303));
      fails('ESRCH', () => p.setpgid(4194303, 0));
      fails('EINVAL', () => p.setpgid(0, -1));
    `),
  ));

test('setsid and setpgid: a child in a session and a group of its own', () =>
  holds(
    forking(`
      const child = inChild(() => {
        p.setpgid(0, 0);
        assert.equal(p.getpgrp(), p.getpid());
        fails('EPERM', () => p.setsid());
        p.exit(p.WEXITSTATUS(p.waitpid(inChild(() => {
          assert.equal(p.setsid(), p.getpid());
          assert.equal(p.getsid(), p.getpid());
        })).status));
      });
      assert.equal(p.waitpid(child).status, 0);
    `),
  ));

test('limits are read, lowered, and cannot be raised past the hard one', () =>
  holds(
    calling(`
      if (p.getuid() === 0) { p.setgroups([]); p.setgid(65534); p.setuid(65534); }
      const { rlim_max } = p.getrlimit(p.RLIMIT_NOFILE);
      p.setrlimit(p.RLIMIT_NOFILE, { rlim_cur: 64, rlim_max: 128 });
      assert.deepEqual(p.getrlimit(p.RLIMIT_NOFILE), { rlim_cur: 64, rlim_max: 128 });
      fails('EPERM', () => p.setrlimit(p.RLIMIT_NOFILE, { rlim_cur: 64, rlim_max }));
      fails('EINVAL', () => p.setrlimit(p.RLIMIT_NOFILE, { rlim_cur: 129, rlim_max: 128 }));
      fails('EINVAL', () => p.getrlimit(77));
      assert.equal(p.getrlimit(p.RLIMIT_CPU).rlim_cur, p.RLIM_INFINITY);
      p.setrlimit(p.RLIMIT_CORE, { rlim_cur: 0, rlim_max: p.getrlimit(p.RLIMIT_CORE).rlim_max });
      fails('ERR_TRUEFORK_OUT_OF_RANGE', () => p.setrlimit(p.RLIMIT_CORE, { rlim_cur: -1, rlim_max: 0 }));
      fails('ERR_TRUEFORK_OUT_OF_RANGE', () => p.setrlimit(p.RLIMIT_CORE, { rlim_cur: NaN, rlim_max: 0 }));
    `),
  ));

test('nice: nicer for all, less nice for the privileged alone', () =>
  holds(
    calling(`
      import os from 'node:os';
      const before = os.getPriority();
      assert.equal(p.nice(0), before);
      const nicer = Math.min(19, before + 2);
      assert.equal(p.nice(2), nicer);
      assert.equal(os.getPriority(), nicer);
      if (p.getuid() === 0) { p.setgroups([]); p.setgid(65534); p.setuid(65534); }
      fails('EPERM', () => p.nice(-30));
    `),
  ));

test('users: privilege is given up, and does not come back', () =>
  holds(
    calling(`
      if (p.getuid() === 0) {
        p.setgroups([65534, 12]);
        assert.deepEqual(p.getgroups().sort(), [12, 65534]);
        p.setgid(65534);
        p.setuid(65534);
        assert.deepEqual([p.getuid(), p.geteuid(), p.getgid(), p.getegid()], [65534, 65534, 65534, 65534]);
      }
      fails('EPERM', () => p.setuid(0));
      fails('EPERM', () => p.setgid(0));
      fails('EPERM', () => p.setgroups([0]));
      fails('ERR_TRUEFORK_ARGUMENT', () => p.setgroups('0'));
      fails('ERR_TRUEFORK_OUT_OF_RANGE', () => p.setuid(-1));
    `),
  ));

test('execve: the same process, another program, with its arguments and environment', async () => {
  const said = await output(
    calling(`
      const { pid } = process;
      process.on('exit', () => console.log('never'));
      p.execve('/bin/sh', ['a name', '-c', 'echo "$0 $1 $X $$"; env | wc -l', '-', 'arg'], { X: 'var', gone: undefined });
    `),
  );
  expect(said).toMatch(/^- arg var \d+\n\d+\n$/);
});

test('execve keeps the pid; execvp looks in PATH', () =>
  holds(
    forking(`
      const child = inChild(() => p.execvp('sh', ['sh', '-c', 'test "$$" = "$WANTED" && exit 9']));
      assert.equal(p.waitpid(child).status, 1 << 8);
      const other = inChild(() => { process.env.WANTED = String(p.getpid()); p.execvp('sh', ['sh', '-c', 'test "$$" = "$WANTED" && exit 9']); });
      assert.equal(p.WEXITSTATUS(p.waitpid(other).status), 9);
    `),
  ));

test('execve: the mask is kept, handled signals are as they were, SIGPIPE is not ignored', async () => {
  const said = await output(
    calling(`
      p.sigaction(p.SIGUSR1, { sa_handler() {} });
      p.sigaction(p.SIGUSR2, { sa_handler: p.SIG_IGN });
      p.sigprocmask(p.SIG_BLOCK, [p.SIGHUP]);
      p.execve('/bin/grep', ['grep', '-E', 'Sig(Blk|Ign|Cgt)', '/proc/self/status'], []);
    `),
  );
  const set = (name: string) => BigInt(`0x${new RegExp(`${name}:\\s*(\\w+)`).exec(said)![1]}`);
  expect(set('SigBlk')).toBe(1n << 0n);
  expect(set('SigIgn') & ((1n << 11n) | (1n << 9n) | (1n << 12n))).toBe(1n << 11n);
  const segv = 1n << 10n; // grep's own
  expect(set('SigCgt') & ~segv).toBe(0n);
});

test('execve that fails leaves everything as it was', () =>
  holds(
    calling(`
      import fs from 'node:fs';
      fails('ENOENT', () => p.execve('/nowhere', ['x']));
      fails('ENOENT', () => p.execvp('no-such-program', ['x']));
      fails('EACCES', () => p.execve('/etc/passwd', ['x']));
      const text = process.argv[1] + '.noexec';
      fs.writeFileSync(text, 'no program', { mode: 0o755 });
      fails('ENOEXEC', () => p.execve(text, ['x']));
      fs.unlinkSync(text);
      fails('E2BIG', () => p.execve('/bin/true', ['x', 'y'.repeat(200000)]));
      assert.throws(() => p.execve('/nowhere', ['x']), { path: '/nowhere', syscall: 'execve', errno: -2 });
      let handled = 0;
      p.signal(p.SIGUSR1, () => handled++);
      fails('ENOENT', () => p.execve('/nowhere', ['x']));
      p.raise(p.SIGUSR1);
      assert.equal(handled, 1);
      assert.equal(p.sigaction(p.SIGPIPE).sa_handler, p.SIG_IGN);
      fails('ERR_TRUEFORK_ARGUMENT', () => p.execve('/bin/true', 'x'));
      fails('ERR_TRUEFORK_ARGUMENT', () => p.execve('/bin/true', ['x', 1]));
      fails('ERR_TRUEFORK_ARGUMENT', () => p.execve('/bin/true', ['a\\0b']));
      fails('ERR_TRUEFORK_OUT_OF_RANGE', () => p.execve('/bin/true', []));
      fails('ERR_TRUEFORK_ARGUMENT', () => p.execve('/bin/true', ['x'], 7));
    `),
  ));

test('_exit ends at once; exit runs the listeners', async () => {
  const at = (end: string) =>
    run(node, [calling(`process.on('exit', () => console.log('listener')); p.${end};`)]);
  expect(await at('_exit(7)')).toEqual({ code: 7, signal: null, stdout: '', stderr: '' });
  expect(await at('exit(8)')).toEqual({ code: 8, signal: null, stdout: 'listener\n', stderr: '' });
});

test('the addon needs nothing that a Debian with glibc 2.31 has not', () => {
  const text = fs.readFileSync(new URL('../../build/Release/truefork.node', import.meta.url), 'latin1');
  const versions = [...text.matchAll(/GLIBC_2\.(\d+)/g)].map(([, minor]) => Number(minor));
  expect(Math.max(...versions)).toBeLessThanOrEqual(31);
});
