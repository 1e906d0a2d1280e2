/**
 * The limits of a forking server: who may come in, how long a connection lasts, what a child may use. `setLimits()` can
 * change all of them while the server runs.
 *
 * For a limit more, an entry here is all that TypeScript needs: the interface of the options, the message to the zygote
 * and its struct in C++ are made of it.
 */
import { addresses } from '../kinds/addresses.js';
import { integer, rate } from '../kinds/numbers.js';
import { globalPolicy, policy } from '../kinds/policies.js';
import { duration, size } from '../kinds/quantities.js';
import { option } from '../option.js';

export const defaultMaxChildren = 256;

const mostConnections = 1_000_000;

/** A rate as microseconds between two connections. */
const interval = (rate: number | undefined) => (rate === undefined ? 0 : Math.round(1_000_000 / rate));

/** Without a burst of its own, a limit lets as many come at once as it allows in a second. */
const secondsWorth = (rate: unknown) => Math.max(1, Math.floor(typeof rate === 'number' ? rate : 1));

export const limits = {
  /**
   * The most connections served at once, each by a process of its own. 256 by default, or less where the user's process
   * limit is low.
   */
  maxChildren: option({
    topic: 'Limits',
    takenBy: ['fork'],
    kind: integer(1, mostConnections),
    default: machine => Math.min(defaultMaxChildren, machine.mostChildren()),
    defaultText: '256',
    help: 'most connections at once, each by a process of its own',
    sent: { message: 'Admission', name: 'maxChildren', type: 'u32' },
  }),
  /** What becomes of clients beyond `maxChildren`: they wait in the backlog (`queue`, the default), or are refused. */
  maxChildrenPolicy: option({
    topic: 'Limits',
    takenBy: ['fork'],
    kind: globalPolicy(),
    default: 'queue',
    help: 'clients beyond --max-children wait in the backlog (queue), are closed (refuse), or reset',
    refuses: 'MaxChildren',
  }),
  /** The most connections at once from one IPv4 address, or one IPv6 /64. By default there is no such limit. */
  maxPerSource: option({
    topic: 'Limits',
    takenBy: ['fork'],
    kind: integer(1, mostConnections),
    help: 'most connections at once from one IPv4 address or IPv6 /64',
    sent: { message: 'Admission', name: 'maxPerSource', type: 'u32', says: '0: no limit' },
  }),
  /** What becomes of clients beyond `maxPerSource`: they are closed by default. */
  maxPerSourcePolicy: option({
    topic: 'Limits',
    takenBy: ['fork'],
    kind: policy(),
    default: 'refuse',
    help: 'clients beyond --max-per-source',
    refuses: 'MaxPerSource',
  }),
  /** The most connections a second, on average; less than one is allowed. By default there is no such limit. */
  acceptRate: option({
    topic: 'Limits',
    takenBy: ['fork'],
    kind: rate(0.001, 1_000_000),
    help: 'most connections a second, on average',
    sent: {
      message: 'Admission',
      name: 'acceptIntervalUs',
      type: 'u32',
      says: 'between two connections, at the steady rate; 0: no limit',
      number: interval,
    },
  }),
  /** How many may come at once before `acceptRate` holds; as many as it allows in a second by default. */
  acceptBurst: option({
    topic: 'Limits',
    takenBy: ['fork'],
    kind: integer(1, mostConnections),
    defaultText: "a second's",
    help: 'how many may come at once before --accept-rate holds',
    sent: {
      message: 'Admission',
      name: 'acceptBurst',
      type: 'u32',
      says: 'how many may come at once',
      number: (burst, { acceptRate }) => burst ?? secondsWorth(acceptRate),
    },
  }),
  /** What becomes of clients beyond `acceptRate`: they wait in the backlog by default. */
  acceptRatePolicy: option({
    topic: 'Limits',
    takenBy: ['fork'],
    kind: globalPolicy(),
    default: 'queue',
    help: 'clients beyond --accept-rate',
    refuses: 'AcceptRate',
  }),
  /** As `acceptRate`, of one IPv4 address or IPv6 /64. */
  acceptRatePerSource: option({
    topic: 'Limits',
    takenBy: ['fork'],
    kind: rate(0.001, 1_000_000),
    help: 'as --accept-rate, for each IPv4 address or IPv6 /64',
    sent: {
      message: 'Admission',
      name: 'sourceIntervalUs',
      type: 'u32',
      says: 'the same for one source',
      number: interval,
    },
  }),
  /** As `acceptBurst`, of one IPv4 address or IPv6 /64. */
  acceptBurstPerSource: option({
    topic: 'Limits',
    takenBy: ['fork'],
    kind: integer(1, mostConnections),
    defaultText: "a second's",
    help: 'as --accept-burst, for each IPv4 address or IPv6 /64',
    sent: {
      message: 'Admission',
      name: 'sourceBurst',
      type: 'u32',
      number: (burst, { acceptRatePerSource }) => burst ?? secondsWorth(acceptRatePerSource),
    },
  }),
  /** What becomes of clients beyond `acceptRatePerSource`: they are closed by default. */
  acceptRatePerSourcePolicy: option({
    topic: 'Limits',
    takenBy: ['fork'],
    kind: policy(),
    default: 'refuse',
    help: 'clients beyond --accept-rate-per-source',
    refuses: 'SourceRate',
  }),
  /** Addresses that may connect, by CIDR: `['10.0.0.0/8', '::1']`. If the list is not empty, all others are refused. */
  allow: option({
    topic: 'Limits',
    takenBy: ['fork'],
    kind: addresses(),
    default: [],
    defaultText: 'all',
    help: 'address or network that may connect; may be repeated',
  }),
  /** Addresses that may not connect. It wins over `allow`. */
  deny: option({
    topic: 'Limits',
    takenBy: ['fork'],
    kind: addresses(),
    default: [],
    defaultText: 'none',
    help: 'address or network that may not connect, even if --allow has it; may be repeated',
  }),
  /** What becomes of clients that `allow` and `deny` keep out: they are closed by default. */
  addressPolicy: option({
    topic: 'Limits',
    takenBy: ['fork'],
    kind: policy(),
    default: 'refuse',
    help: 'clients that --allow and --deny keep out',
    refuses: 'Address',
  }),

  /** The most time until the client's first byte. 0, the default: no limit. */
  firstByteTimeout: option({
    topic: 'Time',
    takenBy: ['fork'],
    kind: duration(),
    default: 0,
    defaultText: 'none',
    help: "most time until the client's first byte",
    sent: { message: 'Times', name: 'firstByteMs', type: 'u32', says: "until the client's first byte" },
    ends: 'FirstByte',
  }),
  /** The most time during which no byte moves, either way. 0, the default: no limit. */
  idleTimeout: option({
    topic: 'Time',
    takenBy: ['fork'],
    kind: duration(),
    default: 0,
    defaultText: 'none',
    help: 'most time during which no byte moves, either way',
    sent: { message: 'Times', name: 'idleMs', type: 'u32', says: 'during which no byte moves, either way' },
    ends: 'Idle',
  }),
  /** The most time that a connection lasts in all, whatever its child is doing. 0, the default: no limit. */
  connectionTimeout: option({
    topic: 'Time',
    takenBy: ['fork'],
    kind: duration(),
    default: 0,
    defaultText: 'none',
    help: 'most time that a connection lasts in all',
    sent: { message: 'Times', name: 'connectionMs', type: 'u32', says: 'in all' },
    ends: 'Connection',
  }),

  /** How much memory a child may use beyond what it begins with. By default there is no such limit. */
  maxMemory: option({
    topic: 'Resources of a child',
    takenBy: ['fork'],
    kind: size(16 * 2 ** 20),
    help: 'most memory beyond what a child begins with (RLIMIT_DATA)',
    sent: {
      message: 'Resources',
      name: 'memory',
      type: 'u64',
      says: 'bytes of its own, beyond what it begins with',
      bit: 'kMemory',
    },
    ends: 'Memory',
  }),
  /** How much CPU time a child may use, in whole seconds. By default there is no such limit. */
  maxCpuTime: option({
    topic: 'Resources of a child',
    takenBy: ['fork'],
    kind: duration(1000),
    help: 'most CPU time, in whole seconds (RLIMIT_CPU)',
    sent: {
      message: 'Resources',
      name: 'cpuSeconds',
      type: 'u32',
      bit: 'kCpu',
      number: ms => Math.ceil((ms ?? 0) / 1000),
    },
    ends: 'Cpu',
  }),
  /** How many descriptors a child may have open (RLIMIT_NOFILE of setrlimit(2)). By default as this process. */
  maxOpenFiles: option({
    topic: 'Resources of a child',
    takenBy: ['fork'],
    kind: integer(64, 2 ** 30),
    help: 'most open descriptors (RLIMIT_NOFILE)',
    sent: { message: 'Resources', name: 'openFiles', type: 'u32', bit: 'kOpenFiles' },
  }),
  /** How large a core dump of a child may be (RLIMIT_CORE of setrlimit(2)). By default as of this process. */
  maxCoreSize: option({
    topic: 'Resources of a child',
    takenBy: ['fork'],
    kind: size(0),
    help: 'largest core dump (RLIMIT_CORE)',
    sent: { message: 'Resources', name: 'core', type: 'u64', says: 'bytes', bit: 'kCore' },
  }),
  /** The niceness of children, from -20 to 19 (setpriority(2)). By default that of this process. */
  nice: option({
    topic: 'Resources of a child',
    takenBy: ['fork'],
    kind: integer(-20, 19),
    help: 'niceness: 19 yields to every other process',
    sent: { message: 'Resources', name: 'nice', type: 'i32', says: 'as setpriority(2)', bit: 'kNice' },
  }),
  /** How readily the kernel kills a child when the machine is out of memory, from -1000 to 1000 (proc(5)). */
  oomScoreAdj: option({
    topic: 'Resources of a child',
    takenBy: ['fork'],
    kind: integer(-1000, 1000),
    help: 'how readily the kernel kills it when memory is short: 1000 first',
    sent: { message: 'Resources', name: 'oomScoreAdj', type: 'i32', says: 'proc(5)', bit: 'kOomScoreAdj' },
  }),
};
