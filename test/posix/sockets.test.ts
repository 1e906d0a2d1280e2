/** Sockets: each call's success, and each documented error that can be provoked. */
import { describe, test } from 'vitest';
import { hasIPv6 } from '../harness/client.ts';
import { calling, holds } from './subject.ts';

const kinds = [
  ['IPv4', "{ family: p.AF_INET, address: '127.0.0.1', port: 0 }", 'port'],
  ['IPv6', "{ family: p.AF_INET6, address: '::1', port: 0 }", 'port'],
  ['a path', '{ family: p.AF_UNIX, path: fs.mkdtempSync("/tmp/truefork-") + "/socket" }', 'path'],
  ['an abstract name', '{ family: p.AF_UNIX, path: "\\0truefork-" + process.pid }', 'path'],
].filter(([name]) => hasIPv6 || name !== 'IPv6');

describe.each(kinds)('over %s', (_name, address, distinct) => {
  test('a client and a server exchange bytes, and know each other', () =>
    holds(
      calling(`
        import fs from 'node:fs';
        import path from 'node:path';
        const address = ${address};
        const listenfd = p.socket(address.family, p.SOCK_STREAM, 0);
        p.bind(listenfd, address);
        p.listen(listenfd, 5);
        const name = p.getsockname(listenfd);
        assert.equal(name.family, address.family);
        assert.equal(name.address, address.address);
        assert.ok(name.${distinct});

        const client = p.socket(address.family, p.SOCK_STREAM, 0);
        p.connect(client, name);
        const peer = {};
        const connfd = p.accept(listenfd, peer);
        assert.deepEqual(peer, p.getpeername(connfd));
        assert.deepEqual(p.getsockname(client), p.getpeername(connfd));
        assert.deepEqual(p.getpeername(client), name);

        assert.equal(p.write(client, Buffer.from('question')), 8);
        const buf = new Uint8Array(64);
        assert.equal(p.read(connfd, buf), 8);
        assert.equal(Buffer.from(buf.subarray(0, 8)).toString(), 'question');
        assert.equal(p.send(connfd, Buffer.from('the answer'), 6, p.MSG_DONTWAIT, 4), 6);
        assert.equal(p.recv(client, buf, 3, p.MSG_PEEK), 3);
        assert.equal(p.recv(client, buf, 10, 0, 20), 6);
        assert.equal(Buffer.from(buf.subarray(20, 26)).toString(), 'answer');

        p.shutdown(client, p.SHUT_WR);
        assert.equal(p.read(connfd, buf), 0);
        for (const fd of [client, connfd, listenfd]) p.close(fd);
        if (name.path?.[0] === '/') fs.rmSync(path.dirname(name.path), { recursive: true });
      `),
    ));
});

test.skipIf(!hasIPv6)('a link-local address keeps its scope', () =>
  holds(
    calling(`
      const fd = p.socket(p.AF_INET6, p.SOCK_DGRAM, 0);
      p.bind(fd, { family: p.AF_INET6, address: '::1', port: 0, flowinfo: 7, scopeid: 0 });
      assert.deepEqual({ ...p.getsockname(fd), port: 0 }, { family: 10, address: '::1', port: 0, flowinfo: 0, scopeid: 0 });
    `),
  ),
);

test('options: numbers, booleans, linger, timeouts, names', () =>
  holds(
    calling(`
      const fd = p.socket(p.AF_INET, p.SOCK_STREAM, 0);
      assert.equal(p.getsockopt(fd, p.SOL_SOCKET, p.SO_REUSEADDR), 0);
      p.setsockopt(fd, p.SOL_SOCKET, p.SO_REUSEADDR, 1);
      assert.equal(p.getsockopt(fd, p.SOL_SOCKET, p.SO_REUSEADDR), 1);
      p.setsockopt(fd, p.IPPROTO_TCP, p.TCP_NODELAY, true);
      assert.equal(p.getsockopt(fd, p.IPPROTO_TCP, p.TCP_NODELAY), 1);
      p.setsockopt(fd, p.SOL_SOCKET, p.SO_LINGER, { l_onoff: 1, l_linger: 3 });
      assert.deepEqual(p.getsockopt(fd, p.SOL_SOCKET, p.SO_LINGER), { l_onoff: 1, l_linger: 3 });
      p.setsockopt(fd, p.SOL_SOCKET, p.SO_RCVTIMEO, { tv_sec: 1, tv_usec: 500000 });
      assert.deepEqual(p.getsockopt(fd, p.SOL_SOCKET, p.SO_RCVTIMEO), { tv_sec: 1, tv_usec: 500000 });
      p.setsockopt(fd, p.IPPROTO_TCP, p.TCP_CONGESTION, 'reno');
      assert.equal(p.getsockopt(fd, p.IPPROTO_TCP, p.TCP_CONGESTION), 'reno');
      assert.equal(p.getsockopt(fd, p.SOL_SOCKET, p.SO_TYPE), p.SOCK_STREAM);
      fails('ENOPROTOOPT', () => p.getsockopt(fd, p.SOL_SOCKET, 9999));
      fails('ENOPROTOOPT', () => p.setsockopt(fd, p.SOL_SOCKET, 9999, 1));
      fails('ERR_TRUEFORK_ARGUMENT', () => p.setsockopt(fd, p.SOL_SOCKET, p.SO_REUSEADDR, 'yes'));
      fails('ERR_TRUEFORK_ARGUMENT', () => p.setsockopt(fd, p.SOL_SOCKET, p.SO_LINGER, 1));
    `),
  ));

test('a receive timeout ends with EAGAIN', () =>
  holds(
    calling(`
      const [client] = connection();
      p.setsockopt(client, p.SOL_SOCKET, p.SO_RCVTIMEO, milliseconds(50));
      fails('EAGAIN', () => p.recv(client, Buffer.alloc(1)));
    `),
  ));

test('an error is a system error of Node, with the address', () =>
  holds(
    calling(`
      const [, taken] = listener();
      const fd = p.socket(p.AF_INET, p.SOCK_STREAM, 0);
      assert.throws(() => p.bind(fd, taken), {
        name: 'Error',
        code: 'EADDRINUSE',
        errno: -98,
        syscall: 'bind',
        address: '127.0.0.1',
        port: taken.port,
        message: \`bind EADDRINUSE: address already in use 127.0.0.1:\${taken.port}\`,
      });
    `),
  ));

test('errors of bind, listen, accept and connect', () =>
  holds(
    calling(`
      const tcp = () => p.socket(p.AF_INET, p.SOCK_STREAM, 0);
      const loopback = port => ({ family: p.AF_INET, address: '127.0.0.1', port });
      fails('EADDRNOTAVAIL', () => p.bind(tcp(), { family: p.AF_INET, address: '192.0.2.1', port: 0 }));
      const bound = tcp();
      p.bind(bound, loopback(0));
      fails('EINVAL', () => p.bind(bound, loopback(0)));
      fails('EINVAL', () => p.accept(bound));
      fails('ECONNREFUSED', () => p.connect(tcp(), p.getsockname(bound)));
      fails('ENOENT', () => p.connect(p.socket(p.AF_UNIX, p.SOCK_STREAM, 0), { family: p.AF_UNIX, path: '/nowhere' }));
      fails('EAFNOSUPPORT', () => p.socket(999, p.SOCK_STREAM, 0));
      fails('EPROTONOSUPPORT', () => p.socket(p.AF_INET, p.SOCK_STREAM, p.IPPROTO_UDP));
      fails('ENOTSUP', () => p.listen(p.socket(p.AF_INET, p.SOCK_DGRAM, 0), 5));
      const [listenfd] = listener();
      p.fcntl(listenfd, p.F_SETFL, p.fcntl(listenfd, p.F_GETFL) | p.O_NONBLOCK);
      fails('EAGAIN', () => p.accept(listenfd));
      const [client] = connection();
      fails('EISCONN', () => p.connect(client, p.getpeername(client)));
    `),
  ));

test('without privilege: EACCES for a port below 1024', () =>
  holds(
    calling(`
      import fs from 'node:fs';
      const first = '/proc/sys/net/ipv4/ip_unprivileged_port_start';
      if (p.getuid() === 0) { p.setgroups([]); p.setgid(65534); p.setuid(65534); }
      const fd = p.socket(p.AF_INET, p.SOCK_STREAM, 0);
      if (Number(fs.readFileSync(first, 'utf8')) > 80)
        fails('EACCES', () => p.bind(fd, { family: p.AF_INET, address: '127.0.0.1', port: 80 }));
      fails('EPERM', () => p.socket(p.AF_INET, p.SOCK_RAW, p.IPPROTO_TCP));
    `),
  ));

test('errors of a connection: ENOTCONN, EPIPE, ECONNRESET', () =>
  holds(
    calling(`
      const alone = p.socket(p.AF_INET, p.SOCK_STREAM, 0);
      fails('ENOTCONN', () => p.getpeername(alone));
      fails('ENOTCONN', () => p.shutdown(alone, p.SHUT_WR));
      const [client, server] = connection();
      fails('EINVAL', () => p.shutdown(client, 77));
      p.shutdown(client, p.SHUT_WR);
      fails('EPIPE', () => p.write(client, Buffer.from('x')));
      fails('EPIPE', () => p.send(client, Buffer.from('x')));
      p.setsockopt(server, p.SOL_SOCKET, p.SO_LINGER, { l_onoff: 1, l_linger: 0 });
      p.close(server);
      fails('ECONNRESET', () => p.read(client, Buffer.alloc(1)));
    `),
  ));

test.each([
  'bind(fd, { family: p.AF_INET, address: "127.0.0.1", port: 0 })',
  'listen(fd, 5)',
  'accept(fd)',
  'connect(fd, { family: p.AF_INET, address: "127.0.0.1", port: 1 })',
  'getsockname(fd)',
  'getpeername(fd)',
  'getsockopt(fd, p.SOL_SOCKET, p.SO_TYPE)',
  'setsockopt(fd, p.SOL_SOCKET, p.SO_REUSEADDR, 1)',
  'shutdown(fd, p.SHUT_RD)',
  'send(fd, Buffer.from("x"))',
  'recv(fd, Buffer.alloc(1))',
])('%s: EBADF for a closed descriptor, ENOTSOCK for a pipe', call =>
  holds(
    calling(`
      const [pipe] = p.pipe();
      fails('ENOTSOCK', () => { const fd = pipe; p.${call}; });
      p.close(pipe);
      fails('EBADF', () => { const fd = pipe; p.${call}; });
      fails('EBADF', () => { const fd = -1; p.${call}; });
    `),
  ),
);

test('addresses that are none say what is wrong with them', () =>
  holds(
    calling(`
      const fd = p.socket(p.AF_INET, p.SOCK_STREAM, 0);
      const bind = address => () => p.bind(fd, address);
      fails('ERR_TRUEFORK_ARGUMENT', bind({ family: p.AF_INET, address: 'localhost', port: 0 }));
      fails('ERR_TRUEFORK_ARGUMENT', bind({ family: p.AF_INET, address: '::1', port: 0 }));
      fails('ERR_TRUEFORK_ARGUMENT', bind({ family: p.AF_INET6, address: '127.0.0.1', port: 0 }));
      fails('ERR_TRUEFORK_ARGUMENT', bind({ family: p.AF_INET, address: '127.0.0.1' }));
      fails('ERR_TRUEFORK_OUT_OF_RANGE', bind({ family: p.AF_INET, address: '127.0.0.1', port: 65536 }));
      fails('ERR_TRUEFORK_OUT_OF_RANGE', bind({ family: p.AF_INET, address: '127.0.0.1', port: -1 }));
      fails('ERR_TRUEFORK_OUT_OF_RANGE', bind({ family: 77, address: '127.0.0.1', port: 0 }));
      fails('ERR_TRUEFORK_OUT_OF_RANGE', bind({ family: p.AF_UNIX, path: 'x'.repeat(108) }));
      fails('ERR_TRUEFORK_ARGUMENT', bind({ family: p.AF_UNIX, path: 'a\\0b' }));
      fails('ERR_TRUEFORK_ARGUMENT', bind('127.0.0.1:80'));
      assert.throws(bind({ family: p.AF_INET, address: 'localhost', port: 0 }), /names are not resolved/);
    `),
  ));
