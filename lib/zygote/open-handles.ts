/** Checks that a zygote holds nothing that every child would inherit and share: sockets, watchers, timers, databases. */
import fs from 'node:fs';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { misuse } from '../errors.js';
import { assertForkable } from '../fork/preflight.js';

const words: Record<string, string> = {
  TCPServerWrap: 'a listening TCP server',
  TCPSocketWrap: 'a TCP connection',
  PipeWrap: 'a pipe or Unix socket',
  PipeServerWrap: 'a listening Unix socket',
  TLSWrap: 'a TLS connection',
  UDPWrap: 'a UDP socket',
  Timeout: 'a timer (setTimeout, setInterval)',
  Immediate: 'a setImmediate() that keeps coming back',
  FSEventWrap: 'a file watcher',
  StatWatcher: 'a file watcher (fs.watchFile)',
  ProcessWrap: 'a child process',
  MessagePort: 'a Worker or MessagePort',
  TTYWrap: 'a terminal',
  GetAddrInfoReqWrap: 'a DNS lookup under way',
};

/** How long a handle that is closing may take, in milliseconds. */
const patienceMs = 500;

/** And an idle socket: `fetch` and `http.Agent` keep one for another request, for some seconds. */
const keepAlivePatienceMs = 6000;

/** What a process has open. */
export interface Held {
  resources: string[];
  /** Each descriptor, and what it leads to. */
  descriptors: Map<number, string>;
}

/** What Node itself has open, before the script runs. Its standard streams are created here: a terminal is a handle. */
export function nodesOwnHandles(): Held {
  void [process.stdout, process.stderr];
  return { resources: process.getActiveResourcesInfo(), descriptors: openDescriptors() };
}

/** @throws `ERR_TRUEFORK_HANDLER`, which names what the script has left open. */
export async function assertNothingShared(own: Held): Promise<void> {
  let left = await whatIsLeft(patienceMs, () => [...namedResources(own), ...databases(own)]);
  if (left === undefined) {
    left = await whatIsLeft(keepAlivePatienceMs, () => idleSockets(own));
    if (left !== undefined) assertForkable(); // a thread's own socket, as the inspector's, goes by the thread's name
  }
  if (left === undefined) return;
  throw misuse(
    'ERR_TRUEFORK_HANDLER',
    `the handler script has left open: ${[...new Set(left)].join(', ')}. Every child would share it with all others: ` +
      'close it in beforeServe, or open it in afterFork or in the handler',
  );
}

async function whatIsLeft(patience: number, look: () => string[]): Promise<string[] | undefined> {
  const deadline = Date.now() + patience;
  for (;;) {
    await turn();
    const left = look();
    if (left.length === 0) return undefined;
    if (Date.now() >= deadline) return left;
    await sleep(10);
  }
}

/** Handles that keep the event loop alive. */
function namedResources(own: Held): string[] {
  const expected = [...own.resources];
  const left = process.getActiveResourcesInfo().filter(name => {
    const at = expected.indexOf(name);
    if (at >= 0) expected.splice(at, 1);
    return at < 0;
  });
  return left.map(name => (words[name] ? `${words[name]} (${name})` : name));
}

/** Database files, which are no handles of the event loop. */
function databases(own: Held): string[] {
  const files = newDescriptors(own).filter(([fd, what]) => what.startsWith('/') && isSqlite(fd));
  return files.map(([, file]) => `the SQLite database ${file}`);
}

/** Sockets that do not keep the event loop alive, such as the idle connections of a pool. */
function idleSockets(own: Held): string[] {
  const sockets = newDescriptors(own).filter(([, what]) => what.startsWith('socket:'));
  return sockets.map(([fd]) => `a socket that nothing waits for (descriptor ${fd})`);
}

function newDescriptors(own: Held): [fd: number, what: string][] {
  return [...openDescriptors()].filter(([fd, what]) => own.descriptors.get(fd) !== what);
}

function openDescriptors(): Map<number, string> {
  const open = new Map<number, string>();
  for (const name of fs.readdirSync('/proc/self/fd')) {
    try {
      open.set(Number(name), fs.readlinkSync(`/proc/self/fd/${name}`));
    } catch {
      // the descriptor of the listing itself
    }
  }
  return open;
}

const sqliteHeader = 'SQLite format 3\0'; // sqlite.org/fileformat.html, 1.3.1

/**
 * Reads by the open descriptor: to open the file again and close it would drop the locks that this process has on it
 * (fcntl(2)).
 */
function isSqlite(fd: number): boolean {
  const start = Buffer.alloc(sqliteHeader.length);
  try {
    if (!fs.fstatSync(fd).isFile()) return false;
    fs.readSync(fd, start, 0, start.length, 0);
  } catch {
    return false; // it cannot be read
  }
  return start.toString('latin1') === sqliteHeader;
}
