/**
 * Every option that there is, declared once. From here come the check of what a program gives, the flags and the help
 * of `truefork serve`, the config file and docs/options.md. For an option more: an entry here, a line in the interface
 * of those who take it (a test holds the two together), and the place that uses it.
 */
import { native } from '../binding/native.js';
import { programWords } from '../owner/program.js';
import { endpoints, socketPath } from './endpoints.js';
import {
  account,
  addresses,
  choice,
  duration,
  flag,
  folder,
  globalPolicy,
  handlerScript,
  integer,
  type Kind,
  list,
  permissions,
  policy,
  rate,
  size,
  spareCount,
  text,
  withHint,
} from './kinds.js';
import { defaultMaxChildren, mostBacklog, mostChildren } from './system-limits.js';

export const serverKinds = ['fork', 'iterative', 'select'] as const;

export type ServerKind = (typeof serverKinds)[number];

/** The servers by their kind; `listen()`; and `truefork serve` for what only a command has. */
export type Taker = ServerKind | 'listen' | 'command';

/** The headings of the help, in its order. */
export const topics = [
  'What to serve',
  'Listening',
  'Limits',
  'Time',
  'Children',
  'Resources of a child',
  'Privileges',
  'Output',
] as const;

export interface Option<In = unknown, Checked = In> {
  /** The heading that it stands under in the help. */
  topic: (typeof topics)[number];
  takenBy: readonly Taker[];
  kind: Kind<In, Checked>;
  /** Undefined: without it there is none, or nothing happens. A function where it depends on the machine. */
  default?: In | (() => In);
  /** The command's own default. Only `listen()`, which is called as Node's, has another than a command needs. */
  commandDefault?: In;
  /** In place of the default, in the help. */
  defaultText?: string;
  /** The letter of its short flag. */
  short?: string;
  /** One line: it begins with a small letter and ends without a full stop. */
  help: string;
}

const noLimit = 2 ** 31 - 1;

/** What TCP_KEEPIDLE and TCP_DEFER_ACCEPT can hold, as good as: nine hours. */
const longestKernelDelay = 32_767_000;

/** Holds the types of an entry's parts together, and keeps them as they were written. */
function option<In, Checked, const Rest extends Omit<Option<In, Checked>, 'kind'>>(
  entry: Rest & { kind: Kind<In, Checked> },
) {
  return entry;
}

export const optionTable = {
  handler: option({
    topic: 'What to serve',
    takenBy: serverKinds,
    kind: handlerScript(),
    help: 'the handler script, if it is not given as an argument',
  }),
  exec: option({
    topic: 'What to serve',
    takenBy: ['fork'],
    kind: programWords(),
    help: 'a program in its place: the connection is its standard input and output',
  }),
  mode: option({
    topic: 'What to serve',
    takenBy: ['command'],
    kind: withHint(choice('fork', 'iterative', 'select'), {
      poll: 'poll(2) is a multiplexer of mode select: --mode select --multiplexer poll',
    }),
    default: 'fork',
    short: 'm',
    help:
      'fork: each connection in a process of its own; iterative: one after the other, in one process; ' +
      'select: all at once, in one process',
  }),
  watch: option({
    topic: 'What to serve',
    takenBy: serverKinds,
    kind: flag(),
    default: false,
    help: 'reload when a file of the handler changes, imports too',
  }),

  listen: option({
    topic: 'Listening',
    takenBy: ['command'],
    kind: endpoints(),
    help:
      'where to listen, in the place of --host and --port, and as often as needed: 7777, 10.0.0.1:80, [::1]:80, ' +
      '*:80, /run/a.sock, @abstract-name, systemd, systemd:name, fd:3',
  }),
  port: option({
    topic: 'Listening',
    takenBy: ['listen'],
    kind: integer(0, 65535),
    default: 0,
    commandDefault: 7777,
    short: 'p',
    help: 'port to listen on; 0: any free one',
  }),
  host: option({
    topic: 'Listening',
    takenBy: ['listen'],
    kind: text('address', 'an address or name'),
    default: '::',
    commandDefault: '127.0.0.1',
    short: 'H',
    help: 'local address or name to listen on; ::, all there are',
  }),
  path: option({
    topic: 'Listening',
    takenBy: ['listen'],
    kind: socketPath(),
    help: 'a Unix socket to listen on, or as @name an abstract one',
  }),
  fd: option({
    topic: 'Listening',
    takenBy: ['listen'],
    kind: integer(3, 2 ** 31 - 1),
    help: 'a bound socket to listen on, which was passed as this descriptor',
  }),
  backlog: option({
    topic: 'Listening',
    takenBy: ['listen'],
    kind: integer(1, 2 ** 31 - 1),
    default: () => Math.min(511, mostBacklog()),
    defaultText: '511',
    help: 'how many clients may wait in line',
  }),
  ipv6Only: option({
    topic: 'Listening',
    takenBy: ['listen'],
    kind: flag(),
    default: false,
    help: 'with an IPv6 address: keep IPv4 clients out',
  }),
  socketMode: option({
    topic: 'Listening',
    takenBy: ['listen'],
    kind: permissions(),
    help: 'permission bits of the Unix socket, in octal: who may write may connect',
  }),
  socketUser: option({
    topic: 'Listening',
    takenBy: ['listen'],
    kind: account('user', native.userId),
    help: 'who owns the Unix socket',
  }),
  socketGroup: option({
    topic: 'Listening',
    takenBy: ['listen'],
    kind: account('group', native.groupId),
    help: 'whose group owns it',
  }),
  noDelay: option({
    topic: 'Listening',
    takenBy: ['listen'],
    kind: flag(),
    default: false,
    help: 'send at once what is written (TCP_NODELAY)',
  }),
  keepAlive: option({
    topic: 'Listening',
    takenBy: ['listen'],
    kind: flag(),
    default: false,
    help: 'notice clients that are gone without a word (SO_KEEPALIVE)',
  }),
  keepAliveInitialDelay: option({
    topic: 'Listening',
    takenBy: ['listen'],
    kind: duration(0, longestKernelDelay),
    default: 0,
    defaultText: 'as the system has it',
    help: 'after how long a silence; in whole seconds',
  }),
  deferAccept: option({
    topic: 'Listening',
    takenBy: ['listen'],
    kind: duration(0, longestKernelDelay),
    default: 0,
    defaultText: 'not at all',
    help: 'how long to leave a client that has said nothing yet to the kernel; in whole seconds',
  }),
  notify: option({
    topic: 'Listening',
    takenBy: serverKinds,
    kind: flag(),
    default: false,
    commandDefault: true,
    help: 'tell the service manager what becomes of the server, if there is one (sd_notify)',
  }),

  maxChildren: option({
    topic: 'Limits',
    takenBy: ['fork'],
    kind: integer(1, 1_000_000),
    default: () => Math.min(defaultMaxChildren, mostChildren()),
    defaultText: '256',
    help: 'most connections at once, each by a process of its own',
  }),
  maxChildrenPolicy: option({
    topic: 'Limits',
    takenBy: ['fork'],
    kind: globalPolicy(),
    default: 'queue',
    help: 'clients beyond --max-children wait (queue), are told something and closed, or are reset',
  }),
  maxPerSource: option({
    topic: 'Limits',
    takenBy: ['fork'],
    kind: integer(1, 1_000_000),
    help: 'most connections at once from one IPv4 address or IPv6 /64',
  }),
  maxPerSourcePolicy: option({
    topic: 'Limits',
    takenBy: ['fork'],
    kind: policy(),
    default: 'refuse',
    help: 'clients beyond --max-per-source',
  }),
  acceptRate: option({
    topic: 'Limits',
    takenBy: ['fork'],
    kind: rate(0.001, 1_000_000),
    help: 'most connections a second, on average',
  }),
  acceptBurst: option({
    topic: 'Limits',
    takenBy: ['fork'],
    kind: integer(1, 1_000_000),
    defaultText: "a second's",
    help: 'how many may come at once before --accept-rate holds',
  }),
  acceptRatePolicy: option({
    topic: 'Limits',
    takenBy: ['fork'],
    kind: globalPolicy(),
    default: 'queue',
    help: 'clients beyond --accept-rate',
  }),
  acceptRatePerSource: option({
    topic: 'Limits',
    takenBy: ['fork'],
    kind: rate(0.001, 1_000_000),
    help: 'as --accept-rate, for each IPv4 address or IPv6 /64',
  }),
  acceptBurstPerSource: option({
    topic: 'Limits',
    takenBy: ['fork'],
    kind: integer(1, 1_000_000),
    defaultText: "a second's",
    help: 'as --accept-burst, for each IPv4 address or IPv6 /64',
  }),
  acceptRatePerSourcePolicy: option({
    topic: 'Limits',
    takenBy: ['fork'],
    kind: policy(),
    default: 'refuse',
    help: 'clients beyond --accept-rate-per-source',
  }),
  allow: option({
    topic: 'Limits',
    takenBy: ['fork'],
    kind: addresses(),
    default: [],
    defaultText: 'all',
    help: 'address or network that is let in; again for more',
  }),
  deny: option({
    topic: 'Limits',
    takenBy: ['fork'],
    kind: addresses(),
    default: [],
    defaultText: 'none',
    help: 'address or network that is not, even if --allow has it; again for more',
  }),
  addressPolicy: option({
    topic: 'Limits',
    takenBy: ['fork'],
    kind: policy(),
    default: 'refuse',
    help: 'clients that --allow and --deny keep out',
  }),
  maxConnections: option({
    topic: 'Limits',
    takenBy: ['select'],
    kind: integer(1, noLimit),
    default: noLimit,
    defaultText: 'no limit',
    help: 'most connections at once; more wait',
  }),
  multiplexer: option({
    topic: 'Limits',
    takenBy: ['select'],
    kind: choice('select', 'poll'),
    default: 'select',
    help: 'what waits for the connections: select knows no descriptor above 1023, poll has no such limit',
  }),

  firstByteTimeout: option({
    topic: 'Time',
    takenBy: ['fork'],
    kind: duration(),
    default: 0,
    defaultText: 'none',
    help: 'how long a client may take to send its first byte',
  }),
  idleTimeout: option({
    topic: 'Time',
    takenBy: ['fork'],
    kind: duration(),
    default: 0,
    defaultText: 'none',
    help: 'how long a connection may last on which no byte moves, either way',
  }),
  connectionTimeout: option({
    topic: 'Time',
    takenBy: ['fork'],
    kind: duration(),
    default: 0,
    defaultText: 'none',
    help: 'how long a connection may last in all',
  }),
  gracePeriod: option({
    topic: 'Time',
    takenBy: serverKinds,
    kind: duration(),
    default: 5000,
    help: 'how long those being served may finish when the server stops',
  }),
  killDelay: option({
    topic: 'Time',
    takenBy: serverKinds,
    kind: duration(),
    default: 1000,
    help: 'how long children may then take to obey SIGTERM, before SIGKILL',
  }),

  user: option({
    topic: 'Privileges',
    takenBy: serverKinds,
    kind: account('user', native.userId),
    help: 'whom the serving processes become, for good, before the first client; the server is started as root',
  }),
  group: option({
    topic: 'Privileges',
    takenBy: serverKinds,
    kind: account('group', native.groupId),
    defaultText: "the user's own",
    help: 'and in which group',
  }),
  groups: option({
    topic: 'Privileges',
    takenBy: serverKinds,
    kind: list(account('group', native.groupId)),
    defaultText: 'none',
    help: 'and in which others; for several, given several times',
  }),
  chroot: option({
    topic: 'Privileges',
    takenBy: serverKinds,
    kind: folder({ exists: true }),
    help: 'the folder that becomes their root, when the handler is loaded',
  }),
  workingDirectory: option({
    topic: 'Privileges',
    takenBy: serverKinds,
    kind: folder({ exists: false }),
    help: 'the folder that they work in, when the handler is loaded; in a chroot, one inside',
  }),
  umask: option({
    topic: 'Privileges',
    takenBy: serverKinds,
    kind: permissions(),
    help: 'which permissions the files that they make do not get',
  }),
  newPrivs: option({
    topic: 'Privileges',
    takenBy: serverKinds,
    kind: flag(),
    defaultText: 'yes; with a user, no',
    help: 'whether programs that they execute may have more privileges; --no-new-privs is no_new_privs (prctl(2))',
  }),

  spare: option({
    topic: 'Children',
    takenBy: ['fork'],
    kind: spareCount(1024),
    default: 0,
    defaultText: 'none',
    help: 'children forked ahead, so that a client does not wait for the fork',
  }),
  connectionsPerChild: option({
    topic: 'Children',
    takenBy: ['fork'],
    kind: integer(1, 1_000_000),
    default: 1,
    help: 'how many connections a child serves, one after the other, before it leaves',
  }),
  inspectChild: option({
    topic: 'Children',
    takenBy: ['fork'],
    kind: flag(),
    default: false,
    help: 'each child tells the URL of its inspector, and waits for a debugger before it serves',
  }),

  maxMemory: option({
    topic: 'Resources of a child',
    takenBy: ['fork'],
    kind: size(16 * 2 ** 20),
    help: 'most memory beside what it begins with (RLIMIT_DATA)',
  }),
  maxCpuTime: option({
    topic: 'Resources of a child',
    takenBy: ['fork'],
    kind: duration(1000),
    help: 'most CPU time, in whole seconds (RLIMIT_CPU)',
  }),
  maxOpenFiles: option({
    topic: 'Resources of a child',
    takenBy: ['fork'],
    kind: integer(64, 2 ** 30),
    help: 'most open descriptors (RLIMIT_NOFILE)',
  }),
  maxCoreSize: option({
    topic: 'Resources of a child',
    takenBy: ['fork'],
    kind: size(0),
    help: 'biggest core dump (RLIMIT_CORE)',
  }),
  nice: option({
    topic: 'Resources of a child',
    takenBy: ['fork'],
    kind: integer(-20, 19),
    help: 'niceness: 19 waits for everybody else',
  }),
  oomScoreAdj: option({
    topic: 'Resources of a child',
    takenBy: ['fork'],
    kind: integer(-1000, 1000),
    help: 'how readily the kernel ends it when memory is short: 1000 first',
  }),

  stdout: option({
    topic: 'Output',
    takenBy: serverKinds,
    kind: choice('inherit', 'stderr'),
    default: 'inherit',
    help: 'where what the handler prints goes; with --json, stderr',
  }),
  json: option({
    topic: 'Output',
    takenBy: ['command'],
    kind: flag(),
    default: false,
    help: 'one JSON object a line instead of text',
  }),
  logLevel: option({
    topic: 'Output',
    takenBy: ['command'],
    kind: choice('error', 'warn', 'info', 'debug'),
    default: 'info',
    help: 'info has each connection; warn only what went wrong or was refused; debug adds page faults and waits',
  }),
};

export type OptionName = keyof typeof optionTable;
type Table = typeof optionTable;

/** The names of the options that one of these takes. */
type NamesOf<T extends Taker> = {
  [Name in OptionName]: T extends Table[Name]['takenBy'][number] ? Name : never;
}[OptionName];

/** What a program may give to one of these: what its interface has to say, every option present. */
export type Given<T extends Taker> = {
  [Name in NamesOf<T>]: Table[Name]['kind'] extends Kind<infer In, infer _> ? In : never;
};

/** What a value is once it is checked, or completed by its default. */
export type CheckedValue<Name extends OptionName> =
  Table[Name]['kind'] extends Kind<infer _, infer Out>
    ? Out | (Table[Name] extends { default: unknown } ? never : undefined)
    : never;

export type Checked<T extends Taker> = { [Name in NamesOf<T>]: CheckedValue<Name> };

export function optionNames(taker?: Taker): OptionName[] {
  const names = Object.keys(optionTable) as OptionName[];
  return names.filter(name => taker === undefined || lookUp(name)!.takenBy.includes(taker));
}

export function lookUp(name: string): Option | undefined {
  return Object.hasOwn(optionTable, name) ? (optionTable[name as OptionName] as Option) : undefined;
}
