/** Descriptors: read, write, close, pipe, dup, dup2, fcntl. */
import { expect, test } from 'vitest';
import { calling, holds, output } from './subject.ts';

test('a pipe carries bytes from its second end to its first, up to end of file', () =>
  holds(
    calling(`
      const [reading, writing] = p.pipe();
      assert.equal(p.write(writing, Buffer.from('abcdef'), 3, 2), 3);
      const buf = Buffer.alloc(8, '.');
      assert.equal(p.read(reading, buf, 8 - 2, 2), 3);
      assert.equal(buf.toString(), '..cde...');
      p.close(writing);
      assert.equal(p.read(reading, buf), 0);
    `),
  ));

test('dup and dup2: several descriptors of one open file', () =>
  holds(
    calling(`
      const [reading, writing] = p.pipe();
      const copy = p.dup(writing);
      assert.notEqual(copy, writing);
      assert.equal(p.dup2(copy, 99), 99);
      p.close(writing);
      p.close(copy);
      p.write(99, Buffer.from('x'));
      p.close(99);
      assert.equal(p.read(reading, Buffer.alloc(9)), 1);
      assert.equal(p.read(reading, Buffer.alloc(9)), 0);
      fails('EBADF', () => p.dup(99));
      fails('EBADF', () => p.dup2(99, 98));
      fails('EBADF', () => p.dup2(reading, -1));
    `),
  ));

test('dup2 of standard output moves what is written', async () => {
  const said = await output(
    calling(`
      const [reading, writing] = p.pipe();
      const saved = p.dup(p.STDOUT_FILENO);
      p.dup2(writing, p.STDOUT_FILENO);
      p.write(1, Buffer.from('into the pipe'));
      p.dup2(saved, p.STDOUT_FILENO);
      const buf = Buffer.alloc(64);
      p.write(1, Buffer.from('[' + buf.toString('utf8', 0, p.read(reading, buf)) + ']'));
    `),
  );
  expect(said).toBe('[into the pipe]');
});

test('fcntl: FD_CLOEXEC and O_NONBLOCK', () =>
  holds(
    calling(`
      const [reading, writing] = p.pipe();
      assert.equal(p.fcntl(reading, p.F_GETFD), 0);
      p.fcntl(reading, p.F_SETFD, p.FD_CLOEXEC);
      assert.equal(p.fcntl(reading, p.F_GETFD), p.FD_CLOEXEC);
      const flags = p.fcntl(reading, p.F_GETFL);
      assert.equal(flags & p.O_ACCMODE, p.O_RDONLY);
      assert.equal(p.fcntl(writing, p.F_GETFL) & p.O_ACCMODE, p.O_WRONLY);
      p.fcntl(reading, p.F_SETFL, flags | p.O_NONBLOCK);
      fails('EAGAIN', () => p.read(reading, Buffer.alloc(1)));
      p.fcntl(writing, p.F_SETFL, p.O_NONBLOCK);
      fails('EAGAIN', () => { for (;;) p.write(writing, Buffer.alloc(65536)); });
      fails('ERR_TRUEFORK_OUT_OF_RANGE', () => p.fcntl(reading, 12345));
      fails('ERR_TRUEFORK_ARGUMENT', () => p.fcntl(reading, p.F_SETFL));
    `),
  ));

test.each([
  'read(fd, Buffer.alloc(1))',
  'write(fd, Buffer.alloc(1))',
  'close(fd)',
  'dup(fd)',
  'fcntl(fd, p.F_GETFD)',
])('%s: EBADF for a closed descriptor', call =>
  holds(
    calling(`
        const [fd] = p.pipe();
        p.close(fd);
        fails('EBADF', () => p.${call});
      `),
  ),
);

test('EPIPE without a reader; EMFILE at the limit of descriptors', () =>
  holds(
    calling(`
      const [reading, writing] = p.pipe();
      fails('EBADF', () => p.write(reading, Buffer.from('x')));
      p.close(reading);
      assert.throws(() => p.write(writing, Buffer.from('x')), { code: 'EPIPE', syscall: 'write', errno: -32 });
      p.setrlimit(p.RLIMIT_NOFILE, { rlim_cur: 40, rlim_max: p.getrlimit(p.RLIMIT_NOFILE).rlim_max });
      fails('EMFILE', () => { for (;;) p.pipe(); });
      fails('EMFILE', () => { for (;;) p.socket(p.AF_INET, p.SOCK_STREAM, 0); });
      fails('EMFILE', () => { for (;;) p.dup(0); });
    `),
  ));

test('buffers: offset and length are checked, and so is what is no buffer', () =>
  holds(
    calling(`
      const [reading, writing] = p.pipe();
      const buf = Buffer.alloc(4);
      for (const [count, offset] of [[5], [1, 4], [4, 1], [-1], [0, 5], [0, -1], [NaN], [1.5], [2 ** 53], [Infinity]]) {
        fails('ERR_TRUEFORK_OUT_OF_RANGE', () => p.write(writing, buf, count, offset));
        fails('ERR_TRUEFORK_OUT_OF_RANGE', () => p.read(reading, buf, count, offset));
        fails('ERR_TRUEFORK_OUT_OF_RANGE', () => p.send(writing, buf, count, 0, offset));
        fails('ERR_TRUEFORK_OUT_OF_RANGE', () => p.recv(reading, buf, count, 0, offset));
      }
      for (const none of ['text', [1, 2], new Uint16Array(4), new DataView(new ArrayBuffer(4)), new ArrayBuffer(4), {}, null, 7])
        fails('ERR_TRUEFORK_ARGUMENT', () => p.write(writing, none));
      assert.equal(p.write(writing, buf, 0), 0);
      assert.equal(p.write(writing, new Uint8Array(0)), 0);
    `),
  ));

test('a detached buffer is refused, also when a handler detaches it while the call waits', () =>
  holds(
    calling(`
      const detached = new Uint8Array(16);
      structuredClone(detached.buffer, { transfer: [detached.buffer] });
      const [reading, writing] = p.pipe();
      fails('ERR_TRUEFORK_DETACHED_BUFFER', () => p.read(reading, detached));
      fails('ERR_TRUEFORK_DETACHED_BUFFER', () => p.write(writing, detached));

      const victim = new Uint8Array(1 << 20);
      p.signal(p.SIGALRM, () => {
        structuredClone(victim.buffer, { transfer: [victim.buffer] });
        p.write(writing, Buffer.from('late'));
      });
      timer(50);
      fails('ERR_TRUEFORK_DETACHED_BUFFER', () => p.read(reading, victim));
    `),
  ));

test("the descriptors of Node's own event loop cannot be closed or replaced", () =>
  holds(
    calling(`
      import fs from 'node:fs';
      const [reading] = p.pipe();
      let own = 0;
      for (let fd = 3; fd < 100; fd++) {
        let kind = '';
        try { kind = fs.readlinkSync('/proc/self/fd/' + fd); } catch {}
        if (!/eventpoll|eventfd/.test(kind)) continue;
        own++;
        fails('ERR_TRUEFORK_DESCRIPTOR_RESERVED', () => p.close(fd));
        fails('ERR_TRUEFORK_DESCRIPTOR_RESERVED', () => p.dup2(reading, fd));
        fails('ERR_TRUEFORK_DESCRIPTOR_RESERVED', () => p.fcntl(fd, p.F_SETFL, 0));
      }
      assert.ok(own >= 2);
    `),
  ));
