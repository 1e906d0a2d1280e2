/** select with its sets, and poll. */
import { test } from 'vitest';
import { calling, holds } from './subject.ts';

test('select tells which descriptors are ready, and leaves only those in the sets', () =>
  holds(
    calling(`
      const [first, second, third] = [p.pipe(), p.pipe(), p.pipe()];
      p.write(second[1], Buffer.from('x'));
      const readable = new p.fd_set();
      for (const [fd] of [first, second, third]) p.FD_SET(fd, readable);
      const writable = new p.fd_set();
      p.FD_SET(third[1], writable);
      const all = new p.fd_set(readable);
      assert.equal(p.select(third[1] + 1, readable, writable, null, null), 2);
      assert.deepEqual([first, second, third].map(([fd]) => p.FD_ISSET(fd, readable)), [false, true, false]);
      assert.equal(p.FD_ISSET(third[1], writable), true);
      assert.equal(p.FD_ISSET(first[0], all), true);
      p.FD_CLR(first[0], all);
      assert.equal(p.FD_ISSET(first[0], all), false);
      p.FD_ZERO(all);
      assert.equal(p.select(1024, all, null, null, milliseconds(0)), 0);
    `),
  ));

test('select waits as long as the timeout says, and not longer than for the first byte', () =>
  holds(
    calling(`
      const [reading] = p.pipe();
      const set = new p.fd_set();
      p.FD_SET(reading, set);
      const timeout = milliseconds(120);
      const before = performance.now();
      assert.equal(p.select(reading + 1, set, null, null, timeout), 0);
      const waited = performance.now() - before;
      assert.ok(waited >= 119, String(waited));
      assert.equal(p.FD_ISSET(reading, set), false);
      assert.deepEqual(timeout, milliseconds(120));
    `),
  ));

test('select: EBADF for a closed descriptor, EINVAL never: the limits are checked before', () =>
  holds(
    calling(`
      const [fd] = p.pipe();
      const set = new p.fd_set();
      p.FD_SET(fd, set);
      p.close(fd);
      fails('EBADF', () => p.select(fd + 1, set));
      fails('ERR_TRUEFORK_OUT_OF_RANGE', () => p.select(1025, set));
      fails('ERR_TRUEFORK_OUT_OF_RANGE', () => p.select(-1, set));
      fails('ERR_TRUEFORK_OUT_OF_RANGE', () => p.select(1, set, null, null, { tv_sec: -1, tv_usec: 0 }));
      fails('ERR_TRUEFORK_OUT_OF_RANGE', () => p.select(1, set, null, null, { tv_sec: 0, tv_usec: 1000000 }));
      fails('ERR_TRUEFORK_ARGUMENT', () => p.select(1, new Uint8Array(8)));
      fails('ERR_TRUEFORK_ARGUMENT', () => p.select(1, [1]));
    `),
  ));

test('an fd_set has room for FD_SETSIZE descriptors, and nothing is written outside of it', () =>
  holds(
    calling(`
      const set = new p.fd_set();
      p.FD_SET(1023, set);
      assert.equal(p.FD_ISSET(1023, set), true);
      for (const call of [p.FD_SET, p.FD_CLR, p.FD_ISSET]) {
        for (const fd of [-1, 1024, 2 ** 31 - 1, NaN, Infinity, 2 ** 40, 1.5])
          fails('ERR_TRUEFORK_OUT_OF_RANGE', () => call(fd, set));
        fails('ERR_TRUEFORK_ARGUMENT', () => call('1', set));
        fails('ERR_TRUEFORK_ARGUMENT', () => call(1, new Uint8Array(4)));
        fails('ERR_TRUEFORK_ARGUMENT', () => call(1, {}));
      }
      assert.throws(() => p.FD_SET(1024, set), /FD_SETSIZE is 1024.*poll/);
    `),
  ));

test('select with 1,000 descriptors finds the ones that are ready', () =>
  holds(
    calling(`
      const { rlim_max } = p.getrlimit(p.RLIMIT_NOFILE);
      p.setrlimit(p.RLIMIT_NOFILE, { rlim_cur: Math.min(4096, rlim_max), rlim_max });
      const [reading, writing] = p.pipe();
      const set = new p.fd_set();
      const copies = [];
      for (let i = 0; i < 1000; i++) copies.push(i % 7 === 0 ? p.dup(reading) : p.pipe()[0]);
      const few = copies.filter(fd => fd < p.FD_SETSIZE);
      for (const fd of few) p.FD_SET(fd, set);
      p.write(writing, Buffer.from('x'));
      const ready = few.filter((fd, i) => copies.indexOf(fd) % 7 === 0);
      assert.equal(p.select(p.FD_SETSIZE, set), ready.length);
      assert.deepEqual(few.filter(fd => p.FD_ISSET(fd, set)), ready);
      fails('ERR_TRUEFORK_OUT_OF_RANGE', () => p.FD_SET(copies.find(fd => fd >= p.FD_SETSIZE), set));

      const fds = copies.map(fd => ({ fd, events: p.POLLIN }));
      assert.equal(p.poll(fds, -1), copies.filter((fd, i) => i % 7 === 0).length);
      assert.ok(fds.every(({ revents }, i) => revents === (i % 7 === 0 ? p.POLLIN : 0)));
    `),
  ));

test('a thousand descriptors in one set, all below FD_SETSIZE', () =>
  holds(
    calling(`
      const [reading, writing] = p.pipe();
      const set = new p.fd_set();
      const fds = [reading];
      while (fds.length < 1000) fds.push(p.dup(reading));
      assert.ok(Math.max(...fds) < p.FD_SETSIZE);
      for (const fd of fds) p.FD_SET(fd, set);
      assert.equal(p.select(p.FD_SETSIZE, new p.fd_set(set), null, null, milliseconds(0)), 0);
      p.write(writing, Buffer.from('x'));
      assert.equal(p.select(p.FD_SETSIZE, set), 1000);
    `),
  ));

test('poll: POLLIN, POLLOUT, POLLHUP, POLLNVAL, the timeout, and a negative descriptor', () =>
  holds(
    calling(`
      const [reading, writing] = p.pipe();
      const fds = [{ fd: reading, events: p.POLLIN }, { fd: writing, events: p.POLLOUT }, { fd: -1, events: p.POLLIN }, { fd: 999, events: 0 }];
      assert.equal(p.poll(fds), 2);
      assert.deepEqual(fds.map(({ revents }) => revents), [0, p.POLLOUT, 0, p.POLLNVAL]);
      p.close(writing);
      const hangup = [{ fd: reading, events: p.POLLIN }];
      assert.equal(p.poll(hangup, 1000), 1);
      assert.equal(hangup[0].revents, p.POLLHUP);
      const before = performance.now();
      assert.equal(p.poll([], 60), 0);
      assert.ok(performance.now() - before >= 59);
      fails('ERR_TRUEFORK_ARGUMENT', () => p.poll('fds'));
      fails('ERR_TRUEFORK_ARGUMENT', () => p.poll([reading]));
      fails('ERR_TRUEFORK_ARGUMENT', () => p.poll([{ fd: reading }]));
      fails('ERR_TRUEFORK_OUT_OF_RANGE', () => p.poll([{ fd: reading, events: 99999 }]));
      fails('EINVAL', () => p.poll(new Array(2 ** 31)));
    `),
  ));
