/** The kernel's table of TCP sockets: /proc/net/tcp and tcp6. */
import { readText } from './proc.js';

export interface TcpSocket {
  /** Where a client of this machine reaches it. */
  readonly host: string;
  readonly localPort: number;
  readonly remotePort: number;
  readonly state: 'ESTABLISHED' | 'CLOSE_WAIT' | 'LISTEN' | 'TIME_WAIT' | 'FIN_WAIT' | 'other';
  /** 0: no process has it, because it was not accepted yet, or is closed. */
  readonly inode: number;
  /** Bytes that came and were not read; of a listener: connections not yet accepted. */
  readonly unread: number;
}

const states: Record<string, TcpSocket['state']> = {
  '01': 'ESTABLISHED',
  '04': 'FIN_WAIT',
  '05': 'FIN_WAIT',
  '06': 'TIME_WAIT',
  '08': 'CLOSE_WAIT',
  '0A': 'LISTEN',
};

/** All sockets of this network namespace with that local port. */
export function tcpSockets(localPort?: number): TcpSocket[] {
  const sockets: TcpSocket[] = [];
  for (const file of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of readText(file).split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/);
      if (fields.length < 10) continue;
      const port = portOf(fields[1]!);
      if (localPort !== undefined && port !== localPort) continue;
      sockets.push({
        host: hostOf(fields[1]!),
        localPort: port,
        remotePort: portOf(fields[2]!),
        state: states[fields[3]!] ?? 'other',
        inode: Number(fields[9]),
        unread: Number.parseInt(fields[4]!.split(':')[1]!, 16),
      });
    }
  }
  return sockets;
}

const portOf = (address: string) => Number.parseInt(address.slice(address.lastIndexOf(':') + 1), 16);

/** The address is little-endian in words of four bytes: 0100007F is 127.0.0.1. */
function hostOf(address: string): string {
  const [hex] = address.split(':') as [string];
  if (hex.length > 8) return '::1';
  const bytes = [6, 4, 2, 0].map(at => Number.parseInt(hex.slice(at, at + 2), 16));
  return bytes.every(byte => byte === 0) ? '127.0.0.1' : bytes.join('.');
}
