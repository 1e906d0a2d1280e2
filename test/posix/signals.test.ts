/** Signals: their actions, the mask, and what the handler is told. */
import { describe, expect, test } from 'vitest';
import { status } from '../harness/proc.ts';
import { node, run, Subject } from '../harness/subject.ts';
import { eventually } from '../harness/wait.ts';
import { calling, forking, holds, output } from './subject.ts';

test('sigaction: the handler is told the signal and who sent it; the old action is returned', () =>
  holds(
    calling(`
      const calls = [];
      const first = (signo, info) => calls.push([signo, info]);
      const none = p.sigaction(p.SIGUSR1, { sa_handler: first, sa_mask: [p.SIGHUP, p.SIGUSR2], sa_flags: p.SA_RESTART });
      assert.deepEqual(none, { sa_handler: p.SIG_DFL, sa_mask: new p.sigset_t(), sa_flags: 0 });
      p.kill(p.getpid(), p.SIGUSR1);
      assert.deepEqual(calls, [[p.SIGUSR1, { signo: p.SIGUSR1, code: p.SI_USER, pid: p.getpid(), uid: p.getuid(), status: 0 }]]);
      const old = p.sigaction(p.SIGUSR1, { sa_handler: p.SIG_IGN });
      assert.deepEqual(old, { sa_handler: first, sa_mask: new p.sigset_t([p.SIGHUP, p.SIGUSR2]), sa_flags: p.SA_RESTART });
      assert.equal(p.sigaction(p.SIGUSR1).sa_handler, p.SIG_IGN);
      p.raise(p.SIGUSR1);
      p.sigaction(p.SIGUSR1, old);
      p.raise(p.SIGUSR1);
      assert.equal(calls.length, 2);
      assert.equal(calls[1][1].code, p.SI_TKILL);
      assert.equal(p.signal(p.SIGUSR1, p.SIG_DFL), first);
      assert.equal(p.sigaction(p.SIGPIPE).sa_handler, p.SIG_IGN); // Node's own doing
    `),
  ));

test('the three dispositions', async () => {
  const ended = (handler: string) =>
    run(node, [
      calling(`p.signal(p.SIGUSR2, ${handler}); p.kill(p.getpid(), p.SIGUSR2); console.log('lives');`),
    ]);
  expect(await ended('p.SIG_DFL')).toMatchObject({ code: null, signal: 'SIGUSR2', stdout: '' });
  expect(await ended('p.SIG_IGN')).toMatchObject({ code: 0, stdout: 'lives\n' });
  expect(await ended("() => console.log('caught')")).toMatchObject({ code: 0, stdout: 'caught\nlives\n' });
  expect(await ended('() => {}); p.signal(p.SIGUSR2, p.SIG_DFL')).toMatchObject({
    code: null,
    signal: 'SIGUSR2',
  });
});

test('signals that cannot be handled are refused', () =>
  holds(
    calling(`
      for (const signo of [p.SIGKILL, p.SIGSTOP, 0, -1, 32, 33, 64, 65, 1000])
        fails('EINVAL', () => p.sigaction(signo, { sa_handler() {} }));
      for (const signo of [p.SIGSEGV, p.SIGBUS, p.SIGFPE, p.SIGILL, p.SIGTRAP, p.SIGSYS])
        for (const sa_handler of [() => {}, p.SIG_IGN, p.SIG_DFL])
          fails('ERR_TRUEFORK_SIGNAL_RESERVED', () => p.sigaction(signo, { sa_handler }));
      for (const sa_handler of [2, -1, '0', null, undefined, {}, NaN])
        fails('ERR_TRUEFORK_ARGUMENT', () => p.sigaction(p.SIGUSR1, { sa_handler }));
      fails('ERR_TRUEFORK_OUT_OF_RANGE', () => p.sigaction(p.SIGUSR1, { sa_handler() {}, sa_flags: 4 }));
      fails('ERR_TRUEFORK_ARGUMENT', () => p.sigaction(p.SIGUSR1, { sa_handler() {}, sa_mask: 5 }));
      fails('EINVAL', () => p.sigaction(p.SIGUSR1, { sa_handler() {}, sa_mask: [99] }));
      fails('ERR_TRUEFORK_ARGUMENT', () => p.sigaction(p.SIGUSR1, () => {}) );
      fails('EINVAL', () => p.kill(p.getpid(), 99));
      fails('ESRCH', () => p.kill(4194303, 0));
      fails('ESRCH', () => p.killpg(4194303, 0));
      fails('EINVAL', () => p.raise(99));
      if (p.getuid() === 0) { p.setgroups([]); p.setgid(65534); p.setuid(65534); }
      fails('EPERM', () => p.kill(1, 0));
    `),
  ));

test('SA_RESETHAND: once; SA_NODEFER: again while it runs; sa_mask: not while it runs', async () => {
  const said = await output(
    calling(`
      let depth = 0;
      p.sigaction(p.SIGUSR1, { sa_flags: p.SA_RESETHAND, sa_handler: () => console.log('once', p.sigaction(p.SIGUSR1).sa_handler) });
      p.raise(p.SIGUSR1);
      for (const sa_flags of [0, p.SA_NODEFER]) {
        p.sigaction(p.SIGUSR2, { sa_flags, sa_handler() {
          const at = ++depth;
          console.log('enter', at);
          if (depth % 2 === 1) p.raise(p.SIGUSR2);
          console.log('leave', at);
        } });
        p.raise(p.SIGUSR2);
        depth = 0;
      }
      p.sigaction(p.SIGHUP, { sa_handler: () => console.log('hup') });
      for (const sa_mask of [[], [p.SIGHUP]]) {
        p.sigaction(p.SIGTERM, { sa_mask, sa_handler() { p.raise(p.SIGHUP); console.log('term', [...p.sigpending()]); } });
        p.raise(p.SIGTERM);
      }
    `),
  );
  expect(said.trim().split('\n')).toEqual([
    'once 0',
    ...['enter 1', 'leave 1', 'enter 2', 'leave 2'],
    ...['enter 1', 'enter 2', 'leave 2', 'leave 1'],
    ...['hup', 'term []', 'term [ 1 ]', 'hup'],
  ]);
});

test('SIGCHLD: siginfo tells which child, and how it ended', () =>
  holds(
    forking(`
      const seen = [];
      p.signal(p.SIGCHLD, (_, { pid, code, status }) => seen.push([pid, code, status]));
      const until = count => { while (seen.length < count) p.pause(); };
      const exited = inChild(() => 9);
      until(1);
      const pid = inChild(() => { for (;;) p.pause(); });
      p.kill(pid, p.SIGSTOP);
      until(2);
      p.kill(pid, p.SIGCONT);
      until(3);
      p.kill(pid, p.SIGKILL);
      until(4);
      assert.deepEqual(seen, [
        [exited, p.CLD_EXITED, 9],
        [pid, p.CLD_STOPPED, p.SIGSTOP],
        [pid, p.CLD_CONTINUED, p.SIGCONT],
        [pid, p.CLD_KILLED, p.SIGKILL],
      ]);
    `),
  ));

test('SA_NOCLDSTOP: SIGCHLD only when a child ends', () =>
  holds(
    forking(`
      const seen = [];
      p.sigaction(p.SIGCHLD, { sa_flags: p.SA_NOCLDSTOP, sa_handler: (_, { code }) => seen.push(code) });
      const pid = inChild(() => { for (;;) p.pause(); });
      p.kill(pid, p.SIGSTOP);
      p.waitpid(pid, p.WUNTRACED);
      p.kill(pid, p.SIGCONT);
      p.waitpid(pid, p.WCONTINUED);
      p.kill(pid, p.SIGKILL);
      while (seen.length === 0) p.pause();
      assert.deepEqual(seen, [p.CLD_KILLED]);
    `),
  ));

test('sigprocmask: blocked signals are pending, and coalesce', () =>
  holds(
    calling(`
      let handled = 0;
      p.signal(p.SIGUSR1, () => handled++);
      assert.deepEqual(p.sigprocmask(p.SIG_BLOCK, [p.SIGUSR1]), new p.sigset_t());
      for (let i = 0; i < 5; i++) p.kill(p.getpid(), p.SIGUSR1);
      assert.equal(handled, 0);
      assert.deepEqual([...p.sigpending()], [p.SIGUSR1]);
      assert.deepEqual([...p.sigprocmask()], [p.SIGUSR1]);
      assert.deepEqual([...p.sigprocmask(p.SIG_UNBLOCK, [p.SIGUSR1])], [p.SIGUSR1]);
      assert.equal(handled, 1);
      assert.deepEqual([...p.sigpending()], []);
      p.sigprocmask(p.SIG_SETMASK, [p.SIGHUP, p.SIGUSR1]);
      assert.deepEqual([...p.sigprocmask(p.SIG_SETMASK, [])], [p.SIGHUP, p.SIGUSR1]);
      fails('EINVAL', () => p.sigprocmask(77, [1]));
      fails('EINVAL', () => p.sigprocmask(p.SIG_BLOCK, [99]));
      fails('ERR_TRUEFORK_ARGUMENT', () => p.sigprocmask(p.SIG_BLOCK, 7));
    `),
  ));

test('real-time signals queue', () =>
  holds(
    calling(`
      let handled = 0;
      p.signal(p.SIGRTMIN, () => handled++);
      p.sigprocmask(p.SIG_BLOCK, [p.SIGRTMIN]);
      for (let i = 0; i < 5; i++) p.kill(p.getpid(), p.SIGRTMIN);
      p.sigprocmask(p.SIG_UNBLOCK, [p.SIGRTMIN]);
      assert.equal(handled, 5);
    `),
  ));

test('the sets', () =>
  holds(
    calling(`
      const set = new p.sigset_t();
      p.sigaddset(set, p.SIGINT);
      assert.equal(p.sigismember(set, p.SIGINT), true);
      p.sigdelset(set, p.SIGINT);
      assert.equal(p.sigismember(set, p.SIGINT), false);
      p.sigfillset(set);
      assert.equal(set.size, 31 + p.SIGRTMAX - p.SIGRTMIN + 1); // 61 with glibc, 60 with musl
      p.sigprocmask(p.SIG_SETMASK, set);
      assert.ok(p.sigprocmask().has(p.SIGTERM) && p.sigprocmask().has(p.SIGRTMAX));
      p.sigemptyset(set);
      assert.equal(set.size, 0);
    `),
  ));

test('pause, sigsuspend and sleep return when a handler has run, with SA_RESTART as well', () =>
  holds(
    calling(`
      for (const sa_flags of [0, p.SA_RESTART]) {
        const seen = [];
        for (const signo of [p.SIGALRM, p.SIGUSR1]) p.sigaction(signo, { sa_flags, sa_handler: n => seen.push(n) });
        timer(20);
        p.pause();
        p.sigprocmask(p.SIG_BLOCK, [p.SIGALRM, p.SIGUSR1]);
        timer(20);
        p.kill(p.getpid(), p.SIGUSR1);
        p.sigsuspend([p.SIGUSR1]);
        assert.deepEqual([...p.sigprocmask()], [p.SIGUSR1, p.SIGALRM]);
        assert.deepEqual(seen, [p.SIGALRM, p.SIGALRM]);
        p.sigprocmask(p.SIG_SETMASK, []);
        assert.deepEqual(seen, [p.SIGALRM, p.SIGALRM, p.SIGUSR1]);
        timer(20);
        const left = p.sleep(100);
        assert.ok(left > 0 && left <= 100, String(left));
        const before = performance.now();
        assert.equal(p.sleep(0), 0);
        assert.equal(p.sleep(1), 0);
        assert.ok(performance.now() - before >= 999);
      }
    `),
  ));

test('alarm, setitimer, getitimer', () =>
  holds(
    calling(`
      let rung = 0;
      p.signal(p.SIGALRM, () => rung++);
      assert.equal(p.alarm(100), 0);
      assert.equal(p.alarm(1), 100);
      p.pause();
      assert.equal(rung, 1);
      const off = { it_interval: milliseconds(0), it_value: milliseconds(0) };
      assert.deepEqual(p.setitimer(p.ITIMER_REAL, { it_interval: milliseconds(5), it_value: milliseconds(5) }), off);
      while (rung < 10) p.pause();
      assert.equal(p.getitimer(p.ITIMER_REAL).it_interval.tv_usec, 5000);
      p.setitimer(p.ITIMER_REAL, off);
      assert.deepEqual(p.getitimer(p.ITIMER_REAL), off);
      p.signal(p.SIGVTALRM, () => rung = -1);
      p.setitimer(p.ITIMER_VIRTUAL, { it_interval: milliseconds(0), it_value: milliseconds(10) });
      const end = performance.now() + 100_000;
      while (rung >= 0 && performance.now() < end) p.raise(0);
      assert.equal(rung, -1);
      fails('EINVAL', () => p.getitimer(9));
      fails('ERR_TRUEFORK_ARGUMENT', () => p.setitimer(p.ITIMER_REAL, {}));
    `),
  ));

test('from the event loop: handlers run there too, and keep no process alive', async () => {
  const subject = new Subject(node, [
    calling(`
      p.signal(p.SIGUSR1, () => { console.log('handled'); Promise.resolve().then(() => console.log('and its promises')); });
      console.log('ready');
      process.stdin.resume();
    `),
  ]);
  await subject.says(/ready/);
  subject.signal('SIGUSR1');
  await subject.says(/handled\nand its promises\n/);
  subject.signal('SIGUSR1');
  await subject.says(/(handled\nand its promises\n){2}/);
  subject.process.stdin!.end();
  expect(await subject.ended).toEqual({ code: 0, signal: null });
});

test('what a handler throws is thrown by the call that it interrupted; from the event loop it is uncaught', async () => {
  await holds(
    calling(`
      p.signal(p.SIGALRM, () => { throw new Error('from the handler'); });
      const [reading] = p.pipe();
      for (const call of [() => p.pause(), () => p.read(reading, Buffer.alloc(1)), () => p.sleep(100)]) {
        timer(20);
        assert.throws(call, { message: 'from the handler' });
      }
      assert.throws(() => p.raise(p.SIGALRM), { message: 'from the handler' });
      assert.deepEqual([...p.sigprocmask()], []);
    `),
  );
  const { code, stderr } = await run(node, [
    calling(
      "p.signal(p.SIGALRM, () => { throw new Error('uncaught one'); }); timer(10); setTimeout(() => {}, 5000);",
    ),
  ]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/uncaught one/);
});

test('a handler may exit, fork and wait', async () => {
  const said = await output(
    forking(`
      p.signal(p.SIGALRM, () => {
        console.log(p.WEXITSTATUS(p.waitpid(inChild(() => 3)).status));
        if (p.fork() === 0) p.exit(0);
        p.wait();
        p.exit(0);
      });
      timer(10);
      for (;;) p.pause();
    `),
  );
  expect(said).toBe('3\n');
});

test('a handler that forks from the event loop', async () => {
  const said = await output(
    forking(`
      let left = 3;
      p.signal(p.SIGALRM, () => {
        const pid = p.fork();
        if (pid === 0) { timer(0); setTimeout(() => { console.log('child'); process.exit(4); }, 5); return; }
        console.log(p.WEXITSTATUS(p.waitpid(pid).status));
        if (--left === 0) process.exit(0);
        timer(10);
      });
      timer(10);
      setInterval(() => {}, 1000);
    `),
  );
  expect(said).toBe('child\n4\n'.repeat(3));
});

describe('in a forked child', () => {
  test('handlers are inherited, in calls that wait and from the event loop; the parent does not notice', async () => {
    const said = await output(
      forking(`
        let heard = 0;
        p.signal(p.SIGUSR1, (_, { pid }) => { heard++; console.log(p.getpid() === self ? 'parent' : 'child', pid === self); });
        const self = p.getpid();
        const waiting = inChild(() => { p.pause(); });
        p.kill(waiting, p.SIGUSR1);
        p.waitpid(waiting);
        const looping = p.fork();
        if (looping === 0) {
          const alive = setInterval(() => { if (heard > 0) clearInterval(alive); }, 1);
        } else {
          p.kill(looping, p.SIGUSR1);
          assert.equal(p.waitpid(looping).status, 0);
          assert.equal(heard, 0);
          p.raise(p.SIGUSR1);
          assert.equal(heard, 1);
        }
      `),
    );
    expect(said).toBe('child true\nchild true\nparent true\n');
  });

  test('what the child sets does not change the parent', () =>
    holds(
      forking(`
        let heard = 0;
        p.signal(p.SIGUSR1, () => heard++);
        p.waitpid(inChild(() => { p.signal(p.SIGUSR1, p.SIG_DFL); p.sigprocmask(p.SIG_BLOCK, [p.SIGUSR1]); }));
        process.kill(process.pid, 'SIGUSR1');
        for (const end = Date.now() + 100_000; heard === 0 && Date.now() < end; ) await new Promise(resolve => setTimeout(resolve, 5));
        assert.equal(heard, 1);
      `),
    ));
});

test("a program that is spawned has an empty mask and none of the handlers' signals blocked", async () => {
  const subject = new Subject(node, [
    calling(`
      import { spawn } from 'node:child_process';
      p.signal(p.SIGUSR1, () => {});
      const child = spawn('sleep', ['100']);
      console.log(child.pid + ';');
    `),
  ]);
  const [, pid] = await subject.says(/(\d+);/);
  await eventually('sleep to run', () => status(Number(pid), 'Name') === 'sleep');
  expect(Number.parseInt(status(Number(pid), 'SigBlk'), 16)).toBe(0);
  process.kill(Number(pid), 'SIGKILL');
  expect(await subject.ended).toEqual({ code: 0, signal: null });
});
