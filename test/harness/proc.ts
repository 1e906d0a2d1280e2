/** Processes of a subject, and what they come to be: /proc itself is read in scripts/proc.js. */
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { descriptors, status } from '../../scripts/proc.js';
import { eventually } from './wait.ts';

export {
  children,
  descendants,
  descriptors,
  isAlive,
  startedWith,
  stat,
  status,
  title,
} from '../../scripts/proc.js';

/** How often each has been put to sleep, or was made to give way: a process that sleeps on keeps its numbers. */
function switches(pids: readonly number[]): string {
  return pids
    .flatMap(pid => [status(pid, 'voluntary_ctxt_switches'), status(pid, 'nonvoluntary_ctxt_switches')])
    .join();
}

/** Waits for a second in which none of these processes ran. */
export async function sleepsThrough(...pids: number[]): Promise<void> {
  let before = '';
  await eventually('a second without a wake-up', async () => {
    const now = switches(pids);
    if (now === before) return true;
    before = now;
    await sleep(1000);
    return false;
  });
}

interface TcpSocket {
  localPort: number;
  remotePort: number;
  state: string;
  /** Bytes that the other side has not acknowledged, and those that nobody has read. */
  unsent: number;
  unread: number;
  /** Which timer runs: 1 of a retransmission, 2 of the keep-alive probes, 4 of a zero window; 0 for none. */
  timer: number;
  /** When that timer expires, in ticks of 10 ms. */
  timerTicks: number;
  inode: string;
}

/** The TCP sockets over IPv4 of this network namespace (proc(5), /proc/net/tcp). */
function tcpSockets(): TcpSocket[] {
  const rows = fs.readFileSync('/proc/net/tcp', 'utf8').trim().split('\n').slice(1);
  return rows.map(row => {
    const [, local, remote, state, queues, timer, , , , inode] = row.trim().split(/\s+/);
    const hex = (text: string, part: number) => Number.parseInt(text.split(':')[part]!, 16);
    return {
      localPort: hex(local!, 1),
      remotePort: hex(remote!, 1),
      state: state!,
      unsent: hex(queues!, 0),
      unread: hex(queues!, 1),
      timer: hex(timer!, 0),
      timerTicks: hex(timer!, 1),
      inode: inode!,
    };
  });
}

/** One end of a connection. */
export function tcpSocket(localPort: number, remotePort: number): TcpSocket | undefined {
  return tcpSockets().find(socket => socket.localPort === localPort && socket.remotePort === remotePort);
}

/** Sends a signal to a process that may be gone. */
export function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The TCP port that a process listens on, once it does: its sockets (/proc/PID/fd) among all. */
export async function listeningPort(pid: number): Promise<number> {
  const listening = '0A'; // TCP_LISTEN
  return eventually('a listening socket', () => {
    const own = new Set([...descriptors(pid).values()].map(target => /^socket:\[(\d+)\]$/.exec(target)?.[1]));
    return tcpSockets().find(({ state, inode }) => state === listening && own.has(inode))?.localPort;
  });
}
