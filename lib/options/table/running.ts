/** How a server runs its connections and its children, and how it stops. */
import { integer, spareCount } from '../kinds/numbers.js';
import { duration } from '../kinds/quantities.js';
import { choice, flag } from '../kinds/words.js';
import { option, serverKinds } from '../option.js';

const noLimit = 2 ** 31 - 1;

export const running = {
  /** The most connections at once; further clients wait in the backlog. By default there is no limit but the above. */
  maxConnections: option({
    topic: 'Limits',
    takenBy: ['select'],
    kind: integer(1, noLimit),
    default: noLimit,
    defaultText: 'no limit',
    help: 'most connections at once; more wait in the backlog',
  }),
  /**
   * The system call that waits for the connections: `select`, the lecture's, which takes no descriptor above 1,023, so
   * that clients beyond it are refused with a `warning`; or `poll`, which has no such limit.
   */
  multiplexer: option({
    topic: 'Limits',
    takenBy: ['select'],
    kind: choice('select', 'poll'),
    default: 'select',
    help: 'system call that waits for the connections: select(2) takes no descriptor above 1023, poll(2) any',
  }),

  /** How long connections may take to finish once the server closes; 5 s by default. */
  gracePeriod: option({
    topic: 'Time',
    takenBy: serverKinds,
    kind: duration(),
    default: 5000,
    help: 'how long connections may take to finish when the server stops',
  }),
  /** How long children may then take to obey SIGTERM, before SIGKILL; 1 s by default. */
  killDelay: option({
    topic: 'Time',
    takenBy: serverKinds,
    kind: duration(),
    default: 1000,
    help: 'how long children may then take to obey SIGTERM, before SIGKILL',
  }),

  /**
   * Children that are forked before there is a connection for them, so that no client waits for a fork; 0 by default.
   * They count among `maxChildren`, and appear in no record before they serve. With `{ min, max }` there are `min`
   * idle ones, and up to `max` while clients come faster than children can be forked.
   */
  spare: option({
    topic: 'Children',
    takenBy: ['fork'],
    kind: spareCount(1024),
    default: 0,
    defaultText: 'none',
    help: 'children forked ahead, so that a client does not wait for the fork',
  }),
  /**
   * How many connections a child serves, one after the other, before it exits; 1 by default, and 10,000 with `rollback`.
   * With more than 1 and without `rollback`, what one connection leaves in memory is there for the next: it is Apache's
   * MaxConnectionsPerChild, for handlers that keep nothing of a client.
   */
  connectionsPerChild: option({
    topic: 'Children',
    takenBy: ['fork'],
    kind: integer(1, 1_000_000),
    defaultText: '1; with rollback, 10,000',
    help: 'how many connections a child serves, one after the other, before it exits',
  }),
  /**
   * Whether a child, after each connection, puts its memory and kernel state back to what they were before its first,
   * and serves the next: each begins with the zygote's memory as after a fork, and nothing is forked. What cannot be put
   * back replaces the child. Not by default. It gives fresh memory, not a process of its own: see docs/rollback.md.
   */
  rollback: option({
    topic: 'Children',
    takenBy: ['fork'],
    kind: flag(),
    default: false,
    help: 'a child puts its memory and kernel state back after each connection, and serves the next',
  }),
  /**
   * Each child that gets a connection opens Node's inspector on a free port of 127.0.0.1, prints its URL on standard
   * error, and waits for a debugger before it serves; not by default. With `connectionsPerChild` it waits before the
   * first, and the debugger stays for the others; with `spare`, spare children open nothing. For development: anyone
   * who can reach the port can run code.
   */
  inspectChild: option({
    topic: 'Children',
    takenBy: ['fork'],
    kind: flag(),
    default: false,
    help: 'each child prints the URL of its inspector, and waits for a debugger before it serves',
  }),
};
