/** Plays the service manager: passes sockets as sd_listen_fds(3) has it, and hears what sd_notify(3) says. */
import path from 'node:path';
import { expect } from 'vitest';
import { scriptFolder } from './scripts.ts';
import { Served } from './served.ts';
import { cli, node, run, Subject, type SubjectOptions } from './subject.ts';
import { eventually } from './wait.ts';

/** Binds sockets, makes them the descriptors from 3 on, says so, and becomes the service. */
const launcher = `
import os, socket, sys
names, places, command = sys.argv[1], sys.argv[2].split(','), sys.argv[3:]
sockets = []
for place in places:
    if '/' in place:
        s = socket.socket(socket.AF_UNIX)
        s.bind(place)
    else:
        s = socket.socket()
        s.bind(('127.0.0.1', int(place)))
    s.listen(64)
    sockets.append(os.dup(s.fileno()))
    print('passed', s.getsockname() if '/' in place else s.getsockname()[1], file=sys.stderr, flush=True)
high = [os.dup2(fd, 100 + n) for n, fd in enumerate(sockets)]
for n, fd in enumerate(high):
    os.dup2(fd, 3 + n, inheritable=True)
os.closerange(3 + len(high), 200)
os.environ.update(LISTEN_FDS=str(len(high)), LISTEN_FDNAMES=names)
os.environ.setdefault('LISTEN_PID', str(os.getpid()))
if os.environ.get('WATCHDOG_USEC'): os.environ['WATCHDOG_PID'] = str(os.getpid())
os.execv(command[0], command)
`;

export interface Unit {
  /** Where the manager listens: a port, 0 for any, or a path. */
  places: (number | string)[];
  /** What the socket unit calls each. */
  names?: string[];
  args: string[];
}

/** `truefork serve`, started as a service by a socket unit. */
export function startUnit({ places, names = [], args }: Unit, options?: SubjectOptions): Served {
  const command = [node, cli, 'serve', '--json', ...args];
  return new Served('python3', ['-c', launcher, names.join(':'), places.join(','), ...command], options);
}

/** The port that the manager has chosen for the n-th socket. */
export async function passedPort(service: Served, n = 0): Promise<number> {
  const ports = () => [...service.stderr.matchAll(/passed (\d+)\n/g)].map(([, port]) => Number(port));
  return eventually('the socket to be passed', () => ports()[n]);
}

const listener = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1].replace('@', chr(0), 1) if sys.argv[1][0] == '@' else sys.argv[1])
print('ready', flush=True)
while True:
    print(repr(s.recv(4096).decode()), flush=True)
`;

const sender = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.sendto(sys.argv[2].encode(), sys.argv[1].replace('@', chr(0), 1) if sys.argv[1][0] == '@' else sys.argv[1])
`;

let count = 0;

/** The manager's ear. */
export class NotifySocket extends Subject {
  readonly name: string;

  private constructor(name: string) {
    super('python3', ['-c', listener, name]);
    this.name = name;
  }

  static async open(abstract = false): Promise<NotifySocket> {
    const name = `notify-${process.pid}-${++count}`;
    const socket = new NotifySocket(abstract ? `@${name}` : path.join(scriptFolder, name));
    await socket.says(/^ready\n/);
    return socket;
  }

  /** Each datagram so far. */
  get heard(): string[] {
    const lines = this.stdout.slice('ready\n'.length, this.stdout.lastIndexOf('\n') + 1).split('\n');
    return lines.filter(Boolean).map(line => line.slice(1, -1).replaceAll('\\n', '\n'));
  }

  /** All that was sent to it before this call: a datagram of the test's own is the last, for datagrams keep their order. */
  async heardUntilNow(): Promise<string[]> {
    const mark = `until now ${++count}`;
    expect(await run('python3', ['-c', sender, this.name, mark])).toMatchObject({ code: 0, stderr: '' });
    await this.hears(new RegExp(`^${mark}$`));
    return this.heard.slice(0, this.heard.indexOf(mark)).filter(text => !text.startsWith('until now'));
  }

  hears(wanted: RegExp, times = 1): Promise<string[]> {
    return eventually(`${wanted} to be heard`, () => {
      const found = this.heard.filter(text => wanted.test(text));
      return found.length >= times ? found : undefined;
    });
  }
}
