/** wait, waitpid, wait4 and the status macros. */
import { expect, test } from 'vitest';
import { calling, forking, holds, output } from './subject.ts';

test('how a child ended: exit, kill, stop, continue', () =>
  holds(
    forking(`
      const told = status => Object.fromEntries(
        ['WIFEXITED', 'WEXITSTATUS', 'WIFSIGNALED', 'WTERMSIG', 'WIFSTOPPED', 'WSTOPSIG', 'WIFCONTINUED']
          .map(name => [name, p[name](status)]).filter(([name, value]) => name.startsWith('WIF') ? value : true));

      const exited = p.waitpid(inChild(() => 42));
      assert.equal(p.WIFEXITED(exited.status), true);
      assert.equal(p.WEXITSTATUS(exited.status), 42);
      assert.equal(p.WIFSIGNALED(exited.status) || p.WIFSTOPPED(exited.status) || p.WIFCONTINUED(exited.status), false);

      const pid = inChild(() => { for (;;) p.pause(); });
      p.kill(pid, p.SIGSTOP);
      const stopped = p.waitpid(pid, p.WUNTRACED);
      assert.equal(stopped.pid, pid);
      assert.equal(p.WIFSTOPPED(stopped.status), true);
      assert.equal(p.WSTOPSIG(stopped.status), p.SIGSTOP);
      p.kill(pid, p.SIGCONT);
      const continued = p.waitpid(pid, p.WCONTINUED);
      assert.equal(p.WIFCONTINUED(continued.status), true);
      assert.equal(p.WIFSTOPPED(continued.status), false);
      p.kill(pid, p.SIGKILL);
      const killed = p.waitpid(pid);
      assert.equal(p.WIFSIGNALED(killed.status), true);
      assert.equal(p.WTERMSIG(killed.status), p.SIGKILL);
      assert.equal(p.WCOREDUMP(killed.status), false);
      assert.equal(p.WIFEXITED(killed.status), false);
    `),
  ));

test('WCOREDUMP', () =>
  holds(
    calling(
      'assert.equal(p.WCOREDUMP(0x86), true); assert.equal(p.WTERMSIG(0x86), p.SIGABRT); assert.equal(p.WCOREDUMP(6), false);',
    ),
  ));

test('pid: any child, this child, a process group, our own group', () =>
  holds(
    forking(`
      const forever = () => { for (;;) p.pause(); };
      const own = inChild(forever);
      const leader = inChild(() => { p.setpgid(0, 0); forever(); });
      const member = inChild(forever);
      while (p.getpgid(leader) !== leader) p.poll([], 1);
      p.setpgid(member, leader);
      for (const pid of [own, leader, member]) p.kill(pid, p.SIGTERM);
      assert.equal(p.waitpid(0).pid, own);
      const group = [p.waitpid(-leader).pid, p.waitpid(-leader).pid].sort();
      assert.deepEqual(group, [leader, member].sort());
      assert.equal(p.waitpid(-leader).pid, -1);
      const [first, second] = [inChild(() => 1), inChild(() => 2)];
      assert.deepEqual(p.waitpid(second), { pid: second, status: 2 << 8 });
      assert.deepEqual(p.waitpid(-1), { pid: first, status: 1 << 8 });
    `),
  ));

test('WNOHANG: 0 while it runs; -1, and no exception, when there is no child', () =>
  holds(
    forking(`
      assert.deepEqual(p.wait(), { pid: -1, status: 0 });
      assert.deepEqual(p.waitpid(-1, p.WNOHANG), { pid: -1, status: 0 });
      assert.deepEqual(p.waitpid(p.getppid()), { pid: -1, status: 0 });
      const pid = inChild(() => { for (;;) p.pause(); });
      assert.deepEqual(p.waitpid(pid, p.WNOHANG), { pid: 0, status: 0 });
      p.kill(pid, p.SIGKILL);
      assert.equal(p.waitpid(pid).pid, pid);
      fails('EINVAL', () => p.waitpid(-1, 0x40));
    `),
  ));

test('wait4 tells what the child has used', () =>
  holds(
    forking(`
      const pid = inChild(() => {
        const end = process.cpuUsage().user + 60_000;
        while (process.cpuUsage().user < end);
      });
      const { rusage, status } = p.wait4(pid);
      assert.equal(status, 0);
      assert.ok(rusage.ru_utime.tv_sec * 1e6 + rusage.ru_utime.tv_usec >= 50_000);
      assert.ok(rusage.ru_maxrss > 1000 && rusage.ru_minflt > 0);
      assert.ok(Number.isInteger(rusage.ru_stime.tv_usec) && rusage.ru_nivcsw >= 0);
    `),
  ));

test('a child that nobody waits for is a zombie until somebody does', () =>
  holds(
    forking(`
      import fs from 'node:fs';
      const state = pid => fs.readFileSync(\`/proc/\${pid}/stat\`, 'utf8').replace(/.*\\) (.).*/s, '$1');
      const pid = inChild(() => 0);
      while (state(pid) !== 'Z') p.poll([], 1);
      assert.equal(p.waitpid(pid).pid, pid);
      assert.throws(() => state(pid), { code: 'ENOENT' });
    `),
  ));

test('wait() waits for a child that is yet to end', () =>
  holds(
    forking(`
      const before = performance.now();
      inChild(() => p.poll([], 150));
      assert.equal(p.wait().status, 0);
      assert.ok(performance.now() - before > 140);
    `),
  ));

test('SIGCHLD ignored, or with SA_NOCLDWAIT: no zombies, and wait() ends when the last child has', () =>
  holds(
    forking(`
      for (const act of [{ sa_handler: p.SIG_IGN }, { sa_handler: p.SIG_DFL, sa_flags: p.SA_NOCLDWAIT }]) {
        p.sigaction(p.SIGCHLD, act);
        for (let i = 0; i < 3; i++) inChild(() => p.poll([], 20 * i));
        assert.equal(p.wait().pid, -1);
      }
    `),
  ));

test('the exits of node:child_process are not taken from it', async () => {
  const said = await output(
    calling(`
      import { spawn } from 'node:child_process';
      const child = spawn('sh', ['-c', 'read x; exit 5'], { stdio: ['pipe', 'ignore', 'ignore'] });
      for (const call of [() => p.wait(), () => p.waitpid(-1, p.WNOHANG), () => p.waitpid(0), () => p.wait4(-1)])
        fails('ERR_TRUEFORK_CHILD_PROCESS', call);
      assert.equal(p.waitpid(child.pid, p.WNOHANG).pid, 0);
      child.stdin.end();
      child.on('exit', code => {
        console.log(code);
        setImmediate(() => assert.equal(p.wait().pid, -1));
      });
    `),
  );
  expect(said).toBe('5\n');
});
