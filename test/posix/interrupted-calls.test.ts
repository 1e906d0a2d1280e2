/** Calls that wait, and signals: EINTR, SA_RESTART, and that no signal is slept through. */
import { describe, expect, test } from 'vitest';
import { calling, forking, holds, output } from './subject.ts';

/** Each call waits for ever, but for what a child does when enough signals have come. */
const waiting: [call: string, before: string, wake: string, wait: string, result: string][] = [
  ['read', 'const [r, w] = p.pipe();', 'p.write(w, Buffer.from("x"))', 'p.read(r, Buffer.alloc(9))', '1'],
  [
    'write',
    'const [r, w] = p.pipe(); p.fcntl(w, p.F_SETFL, p.O_NONBLOCK); try { for (;;) p.write(w, Buffer.alloc(4096)); } catch {} p.fcntl(w, p.F_SETFL, 0);',
    'p.read(r, Buffer.alloc(1 << 20))',
    'p.write(w, Buffer.from("x"))',
    '1',
  ],
  [
    'recv',
    'const [client, server] = connection();',
    'p.send(server, Buffer.from("x"))',
    'p.recv(client, Buffer.alloc(9))',
    '1',
  ],
  [
    'send',
    `const name = { family: p.AF_UNIX, path: '\\0truefork-send-' + process.pid };
     const listenfd = p.socket(p.AF_UNIX, p.SOCK_STREAM);
     p.bind(listenfd, name);
     p.listen(listenfd, 1);
     const client = p.socket(p.AF_UNIX, p.SOCK_STREAM);
     p.connect(client, name);
     const server = p.accept(listenfd);
     const fill = size => { try { for (;;) p.send(client, Buffer.alloc(size), size, p.MSG_DONTWAIT); } catch {} };
     fill(65536), fill(1);`,
    'try { for (;;) p.recv(server, Buffer.alloc(1 << 20), 1 << 20, p.MSG_DONTWAIT); } catch {}',
    'p.send(client, Buffer.from("x"))',
    '1',
  ],
  [
    'accept',
    'const [listenfd, address] = listener();',
    'p.connect(p.socket(p.AF_INET, p.SOCK_STREAM), address)',
    'p.accept(listenfd) > 0',
    'true',
  ],
  ['waitpid', 'let child;', '', 'p.waitpid(child).pid === child', 'true'],
  ['wait', 'let child;', '', 'p.wait().pid === child', 'true'],
];

describe.each(waiting)('%s', (_call, before, wake, wait, result) => {
  const prepared = (flags: string, onSignal = '') =>
    `
    ${before}
    let handled = 0;
    const [told, tell] = p.pipe();
    const wake = () => p.write(tell, Buffer.alloc(1));
    p.sigaction(p.SIGALRM, { sa_flags: ${flags}, sa_handler() { handled++; ${onSignal} } });
    child = inChild(() => { p.signal(p.SIGALRM, p.SIG_IGN); p.read(told, Buffer.alloc(1)); ${wake}; });
    timer(20, 20);
  `.replace(/^(?![\s\S]*let child)/, 'let child;');

  test('with SA_RESTART it goes on, and the handler has run in the meantime', () =>
    holds(
      forking(`
        ${prepared('p.SA_RESTART', 'if (handled === 10) wake();')}
        assert.equal(${wait}, ${result});
        assert.ok(handled >= 10, String(handled));
      `),
    ));

  test('without it, EINTR; and the call can be made again', () =>
    holds(
      forking(`
        ${prepared('0')}
        let interrupted = 0;
        for (;;) {
          try {
            assert.equal(${wait}, ${result});
            break;
          } catch (error) {
            if (error.code !== 'EINTR') throw error;
            if (++interrupted === 5) wake();
          }
        }
        // A signal may come between two calls.
        assert.ok(interrupted >= 5 && handled >= interrupted, \`\${handled} \${interrupted}\`);
      `),
    ));
});

test('select and poll are interrupted even with SA_RESTART, as signal(7) says', () =>
  holds(
    calling(`
      const [reading] = p.pipe();
      const set = new p.fd_set();
      p.FD_SET(reading, set);
      for (const sa_flags of [0, p.SA_RESTART]) {
        p.sigaction(p.SIGALRM, { sa_flags, sa_handler() {} });
        timer(20);
        fails('EINTR', () => p.select(reading + 1, set));
        assert.equal(p.FD_ISSET(reading, set), true); // EINTR leaves the sets alone
        timer(20);
        fails('EINTR', () => p.poll([{ fd: reading, events: p.POLLIN }], 5000));
      }
    `),
  ));

test('connect is interrupted, and the connection goes on being made', () =>
  holds(
    calling(`
      const [listenfd, address] = listener();
      // A full queue: the next one waits.
      p.listen(listenfd, 0);
      const clients = [];
      p.signal(p.SIGALRM, () => {});
      p.sigaction(p.SIGALRM, { sa_handler() {} });
      timer(100, 100);
      let interrupted;
      for (let i = 0; i < 8 && interrupted === undefined; i++) {
        const fd = p.socket(p.AF_INET, p.SOCK_STREAM);
        try { p.connect(fd, address); clients.push(fd); } catch (error) { assert.equal(error.code, 'EINTR'); interrupted = fd; }
      }
      timer(0);
      assert.ok(interrupted !== undefined);
      for (const fd of clients) p.close(p.accept(listenfd)), p.close(fd);
      const done = [{ fd: interrupted, events: p.POLLOUT }];
      assert.equal(p.poll(done, 10_000), 1);
      assert.equal(p.getsockopt(interrupted, p.SOL_SOCKET, p.SO_ERROR), 0);
    `),
  ));

test('a call that need not wait is not interrupted by a signal that came before it', () =>
  holds(
    calling(`
      let handled = 0;
      p.sigaction(p.SIGUSR1, { sa_handler: () => handled++ });
      // Another thread may hear of a signal first, and pass it on when it gets to run.
      const untilHandled = times => {
        while (handled < times) try { p.poll([], 1000); } catch (error) { assert.equal(error.code, 'EINTR'); }
      };
      const [reading, writing] = p.pipe();
      process.kill(process.pid, 'SIGUSR1');
      assert.equal(p.write(writing, Buffer.from('x')), 1);
      untilHandled(1);
      process.kill(process.pid, 'SIGUSR1');
      assert.equal(p.read(reading, Buffer.alloc(1)), 1);
      untilHandled(2);
    `),
  ));

test('a signal that is blocked does not interrupt; one that is ignored does not either', () =>
  holds(
    calling(`
      let handled = 0;
      p.sigaction(p.SIGALRM, { sa_handler: () => handled++ });
      p.sigprocmask(p.SIG_BLOCK, [p.SIGALRM]);
      timer(10, 10);
      assert.equal(p.poll([], 100), 0);
      assert.equal(handled, 0);
      p.signal(p.SIGALRM, p.SIG_IGN);
      p.sigprocmask(p.SIG_UNBLOCK, [p.SIGALRM]);
      assert.equal(p.poll([], 100), 0);
    `),
  ));

test('every call under an itimer: 1 MiB through a pipe and a socket, byte for byte', () =>
  holds(
    forking(`
      let handled = 0;
      p.signal(p.SIGALRM, () => handled++);
      const data = Buffer.alloc(1 << 20, 'abcdefghijklmnopqrstuvwxyz');
      for (const [reading, writing] of [p.pipe(), connection()]) {
        const writer = inChild(() => {
          p.close(reading);
          timer(1, 1);
          for (let at = 0; at < data.length;) at += p.write(writing, data, Math.min(70_000, data.length - at), at);
        });
        p.close(writing);
        timer(1, 1);
        const got = [];
        const chunk = Buffer.alloc(50_000);
        for (let n; (n = p.read(reading, chunk)) > 0;) got.push(Buffer.from(chunk.subarray(0, n)));
        timer(0);
        assert.ok(Buffer.concat(got).equals(data));
        assert.equal(p.waitpid(writer).status, 0);
      }
    `),
  ));

test('under a 0.1 s itimer: sleep, poll, select, wait and accept keep their word', () =>
  holds(
    forking(`
      let handled = 0;
      p.signal(p.SIGALRM, () => handled++);
      timer(100, 100);
      const began = performance.now();
      const child = inChild(() => { p.signal(p.SIGALRM, p.SIG_IGN); p.poll([], 700); });
      assert.equal(p.wait().pid, child);
      assert.ok(performance.now() - began >= 690);
      const end = performance.now() + 500;
      let left = 500;
      while ((left = Math.ceil(end - performance.now())) > 0) try { assert.equal(p.poll([], left), 0); } catch (error) { assert.equal(error.code, 'EINTR'); }
      while (handled < 9) p.pause(); // on a busy machine several signals may have come as one
    `),
  ));

describe('one signal, in the moment before a call that waits, many times: none is slept through', () => {
  // On a machine that has other things to do, fewer: after twenty seconds it is enough.
  const rounds = 1500;
  test.each([
    ['pause', '', 'p.pause()'],
    ['accept', 'const [listenfd] = listener();', 'p.accept(listenfd)'],
    ['read', 'const [r] = p.pipe();', 'p.read(r, Buffer.alloc(1))'],
    [
      'select',
      'const [r] = p.pipe();',
      '{ const set = new p.fd_set(); p.FD_SET(r, set); p.select(r + 1, set); }',
    ],
    ['poll', '', 'p.poll([], -1)'],
    ['waitpid', 'const idle = inChild(() => { for (;;) p.pause(); });', 'p.waitpid(idle)'],
    ['sigsuspend', '', 'p.sigsuspend([])'],
    ['sleep', '', 'p.sleep(100)'],
  ])('%s', async (_name, before, call) => {
    const said = await output(
      forking(`
        ${before}
        let done = false;
        p.sigaction(p.SIGUSR1, { sa_handler() { done = true; } });
        const self = p.getpid();
        const [turns, turn] = p.pipe();
        // The child sends a single signal for each byte, after a wait of its own length: 0 to 300 microseconds.
        const sender = inChild(() => {
          const byte = Buffer.alloc(1);
          while (p.read(turns, byte) === 1) {
            const until = performance.now() + byte[0] / 850;
            while (performance.now() < until);
            p.kill(self, p.SIGUSR1);
          }
        });
        const byte = Buffer.alloc(1);
        const began = performance.now();
        for (let round = 0; round < 200 || (round < ${rounds} && performance.now() - began < 20_000); round++) {
          done = false;
          byte[0] = (round * 37) % 256;
          p.write(turn, byte);
          while (!done) try { ${call}; } catch (error) { if (error.code !== 'EINTR') throw error; }
        }
        console.log('heard all');
        p.kill(sender, p.SIGKILL);
        ${before.includes('idle') ? 'p.kill(idle, p.SIGKILL);' : ''}
      `),
    );
    expect(said).toBe('heard all\n');
  });

  // The moment between the last look for pending signals and the system call is less than a microsecond: a timer that
  // is swept over it, microsecond by microsecond, hits it often.
  test.each([
    ['accept', 'const [listenfd] = listener();', 'p.accept(listenfd)'],
    ['read', 'const [r] = p.pipe();', 'p.read(r, Buffer.alloc(1))'],
    ['select', 'const [r] = p.pipe(); const set = new p.fd_set(); p.FD_SET(r, set);', 'p.select(r + 1, set)'],
    ['poll', '', 'p.poll([], -1)'],
    ['waitpid', 'const idle = inChild(() => { for (;;) p.pause(); });', 'p.waitpid(idle)'],
    ['pause', '', 'p.pause()'],
    ['sleep', '', 'p.sleep(100)'],
  ])('%s, with a timer swept over that moment', async (_name, before, call) => {
    const said = await output(
      forking(`
        ${before}
        let done = false;
        p.sigaction(p.SIGALRM, { sa_handler() { done = true; } });
        const in_ = tv_usec => ({ it_value: { tv_sec: 0, tv_usec }, it_interval: milliseconds(0) });
        const began = performance.now();
        for (let sweep = 0; sweep < 20 || (sweep < 150 && performance.now() - began < 20_000); sweep++) {
          for (let delay = 1; delay <= 50; delay++) {
            done = false;
            p.setitimer(p.ITIMER_REAL, in_(delay));
            while (!done) try { ${call}; } catch (error) { if (error.code !== 'EINTR') throw error; }
          }
        }
        console.log('heard all');
        ${before.includes('idle') ? 'p.kill(idle, p.SIGKILL);' : ''}
      `),
    );
    expect(said).toBe('heard all\n');
  });

  test('and in the event loop', async () => {
    const said = await output(
      forking(`
        const self = p.getpid();
        const rounds = ${rounds};
        const began = performance.now();
        let heard = 0;
        const [turns, turn] = p.pipe();
        const sender = inChild(() => {
          const byte = Buffer.alloc(1);
          while (p.read(turns, byte) === 1) p.kill(self, p.SIGUSR1);
        });
        const alive = setInterval(() => {}, 1000);
        const next = () => p.write(turn, Buffer.alloc(1));
        p.signal(p.SIGUSR1, () => {
          if (++heard < 200 || (heard < rounds && performance.now() - began < 20_000)) return next();
          clearInterval(alive);
          p.kill(sender, p.SIGKILL);
          console.log('heard all');
        });
        next();
      `),
    );
    expect(said).toBe('heard all\n');
  });
});
