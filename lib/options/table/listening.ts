/** Where to listen, and how. */
import { group, permissions, user } from '../kinds/accounts.js';
import { integer } from '../kinds/numbers.js';
import { places, socketPath } from '../kinds/places.js';
import { duration } from '../kinds/quantities.js';
import { flag, text } from '../kinds/words.js';
import { option, serverKinds } from '../option.js';

/** TCP_KEEPIDLE and TCP_DEFER_ACCEPT count seconds in 15 bits: about nine hours. */
const longestKernelDelay = 32_767_000;

export const listening = {
  /**
   * Where to listen, instead of `host` and `port`, at one place or several: `7777`, `10.0.0.1:80`, `[::1]:80`, `*:80`
   * (all addresses), `/run/a.sock`, `@abstract-name`, `systemd` or `systemd:name` for sockets that a service manager
   * passes, `fd:3` for one that another program passes.
   */
  listen: option({
    topic: 'Listening',
    takenBy: ['command'],
    kind: places(),
    help:
      'where to listen, instead of --host and --port, and as often as needed: 7777, 10.0.0.1:80, [::1]:80, ' +
      '*:80, /run/a.sock, @abstract-name, systemd, systemd:name, fd:3',
  }),
  /** 0, the default, lets the system choose one. */
  port: option({
    topic: 'Listening',
    takenBy: ['listen'],
    kind: integer(0, 65535),
    default: 0,
    commandDefault: 7777,
    short: 'p',
    help: 'port to listen on; 0: any free one',
  }),
  /** A local address or name; by default all addresses, IPv6 and IPv4. */
  host: option({
    topic: 'Listening',
    takenBy: ['listen'],
    kind: text('address', 'an address or name'),
    default: '::',
    commandDefault: '127.0.0.1',
    short: 'H',
    help: 'local address or name to listen on; :: is all addresses',
  }),
  /**
   * A Unix socket: a path of at most 107 bytes, or an abstract name, which begins with `\0`. A socket file that a dead
   * server has left is removed; that of a live server is `EADDRINUSE`. The path is removed when the server closes.
   */
  path: option({
    topic: 'Listening',
    takenBy: ['listen'],
    kind: socketPath(),
    help: 'a Unix socket to listen on, or as @name an abstract one',
  }),
  /** A bound stream socket that this process was passed: `listenFds()` has those of a service manager. */
  fd: option({
    topic: 'Listening',
    takenBy: ['listen'],
    kind: integer(3, 2 ** 31 - 1),
    help: 'a bound socket to listen on, which was passed as this descriptor',
  }),
  /**
   * How many clients may wait to be accepted; 511 by default, or what the system allows (`net.core.somaxconn`). A
   * longer backlog is cut to that, with a `warning`.
   */
  backlog: option({
    topic: 'Listening',
    takenBy: ['listen'],
    kind: integer(1, 2 ** 31 - 1),
    default: machine => Math.min(511, machine.mostBacklog()),
    defaultText: '511',
    help: 'how many clients may wait to be accepted',
  }),
  /** With an IPv6 address: whether IPv4 clients are kept out. */
  ipv6Only: option({
    topic: 'Listening',
    takenBy: ['listen'],
    kind: flag(),
    default: false,
    help: 'with an IPv6 address: keep IPv4 clients out',
  }),
  /**
   * Permission bits of the Unix socket's path, a number or octal digits: a client needs the permission to write. By
   * default the umask decides.
   */
  socketMode: option({
    topic: 'Listening',
    takenBy: ['listen'],
    kind: permissions(),
    help: 'permission bits of the Unix socket, in octal: clients need the permission to write',
  }),
  /** The owner of the Unix socket's path, a number or a name; by default this process's own user. */
  socketUser: option({
    topic: 'Listening',
    takenBy: ['listen'],
    kind: user(),
    help: 'user owner of the Unix socket',
  }),
  /** The group owner of the Unix socket's path. */
  socketGroup: option({
    topic: 'Listening',
    takenBy: ['listen'],
    kind: group(),
    help: 'group owner of the Unix socket',
  }),
  /** As in `net.createServer`: what is written is sent at once (TCP_NODELAY of tcp(7)). */
  noDelay: option({
    topic: 'Listening',
    takenBy: ['listen'],
    kind: flag(),
    default: false,
    help: 'send at once what is written (TCP_NODELAY)',
  }),
  /** As in `net.createServer`: the kernel probes whether an idle client is still there (SO_KEEPALIVE of socket(7)). */
  keepAlive: option({
    topic: 'Listening',
    takenBy: ['listen'],
    kind: flag(),
    default: false,
    help: 'probe whether idle clients are still there (SO_KEEPALIVE)',
  }),
  /** Idle time before the first probe, in whole seconds; 0, the default: as the system has it. */
  keepAliveInitialDelay: option({
    topic: 'Listening',
    takenBy: ['listen'],
    kind: duration(0, longestKernelDelay),
    default: 0,
    defaultText: 'as the system has it',
    help: 'idle time before the first keep-alive probe, in whole seconds',
  }),
  /**
   * How long, in whole seconds, the kernel keeps a connection to itself until the client has sent something
   * (TCP_DEFER_ACCEPT of tcp(7)); 0, the default: it is accepted at once. Only for protocols in which clients speak
   * first.
   */
  deferAccept: option({
    topic: 'Listening',
    takenBy: ['listen'],
    kind: duration(0, longestKernelDelay),
    default: 0,
    defaultText: 'not at all',
    help: 'how long the kernel keeps a client that has sent nothing yet, in whole seconds (TCP_DEFER_ACCEPT)',
  }),
  /**
   * Whether to notify the service manager that the server is ready, stops, and lives (sd_notify(3)), where
   * `NOTIFY_SOCKET` names one. False by default, for the program may have more to do before it is ready; `truefork
   * serve` does it.
   */
  notify: option({
    topic: 'Listening',
    takenBy: serverKinds,
    kind: flag(),
    default: false,
    commandDefault: true,
    help: 'notify the service manager, if there is one, of the state of the server (sd_notify)',
  }),
};
