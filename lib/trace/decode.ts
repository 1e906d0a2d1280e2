/** Arguments and results of system calls, from numbers and bytes to what their manual pages call them. */
import os from 'node:os';
import type { CallDetails, CallName, SocketAddress } from './events.js';

const isLittle = os.endianness() === 'LE';
const int32 = (bytes: Buffer, at: number) => (isLittle ? bytes.readInt32LE(at) : bytes.readInt32BE(at));
const uint16 = (bytes: Buffer, at: number) => (isLittle ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at));
const int64 = (bytes: Buffer, at: number) =>
  Number(isLittle ? bytes.readBigInt64LE(at) : bytes.readBigInt64BE(at));

function inverted(names: Record<string, number>): Map<number, string> {
  const found = new Map<number, string>();
  for (const [name, number] of Object.entries(names)) if (!found.has(number)) found.set(number, name);
  return found;
}

const signalNames = inverted(os.constants.signals);
const errnoNames = inverted(os.constants.errno);
const firstRealTimeSignal = 32;

export function signalName(signal: number): NodeJS.Signals {
  const name = signalNames.get(signal);
  return (name ?? `SIGRT${signal - firstRealTimeSignal}`) as NodeJS.Signals;
}

export function signalNumber(signal: NodeJS.Signals): number {
  return os.constants.signals[signal];
}

export function errnoNumber(name: string): number | undefined {
  return (os.constants.errno as Record<string, number>)[name];
}

/** The kernel's own codes for "interrupted", which no program sees (ERESTARTSYS and its like, linux/errno.h). */
const restartCodes = { seen: 514, from: 512, to: 516 };

export function errnoName(errno: number): string {
  if (errno >= restartCodes.from && errno <= restartCodes.to) return 'EINTR';
  return errnoNames.get(errno) ?? `E${errno}`;
}

/** Whether the kernel begins an interrupted call anew where the signal's disposition says so. */
export function isRestartCode(errno: number): boolean {
  return errno >= restartCodes.from && errno <= restartCodes.to;
}

/** ERESTARTNOHAND and ERESTART_RESTARTBLOCK: with a handler, the program sees EINTR, whatever SA_RESTART says. */
export function restartsWithoutHandlerOnly(errno: number): boolean {
  return errno === 514 || errno === 516;
}

/** A wait status as waitpid(2) gives it. */
export function statusParts(status: number): { code?: number; signal?: NodeJS.Signals } {
  const signal = status & 0x7f;
  return signal === 0 ? { code: (status >> 8) & 0xff } : { signal: signalName(signal) };
}

/** A sockaddr. */
export function decodeAddress(bytes: Buffer): SocketAddress | undefined {
  if (bytes.length < 2) return undefined;
  switch (uint16(bytes, 0)) {
    case 1:
      return { family: 'Unix', address: unixPath(bytes.subarray(2)), port: 0 };
    case 2:
      if (bytes.length < 8) return undefined;
      return {
        family: 'IPv4',
        address: Array.from(bytes.subarray(4, 8)).join('.'),
        port: bytes.readUInt16BE(2),
      };
    case 10:
      if (bytes.length < 24) return undefined;
      return { family: 'IPv6', address: ipv6Text(bytes.subarray(8, 24)), port: bytes.readUInt16BE(2) };
    default:
      return undefined;
  }
}

/** An abstract name begins with a 0, which is shown as @, as ss(8) does. */
function unixPath(bytes: Buffer): string {
  if (bytes[0] === 0) return `@${bytes.subarray(1).toString()}`;
  const end = bytes.indexOf(0);
  return bytes.subarray(0, end < 0 ? undefined : end).toString();
}

/** RFC 5952 by way of the URL parser; an IPv4 address that is mapped into IPv6 is shown as what it is. */
function ipv6Text(bytes: Buffer): string {
  if (bytes.subarray(0, 10).every(byte => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff) {
    return Array.from(bytes.subarray(12)).join('.');
  }
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(i * 2).toString(16));
  return new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1);
}

/** Microseconds or nanoseconds behind the seconds, in milliseconds; no bytes are a null pointer: without end. */
function milliseconds(bytes: Buffer, parts: number): number {
  return bytes.length < 16 ? -1 : int64(bytes, 0) * 1000 + int64(bytes, 8) / parts;
}

const perMillisecond = { micro: 1e3, nano: 1e6 };
const SOL_SOCKET = 1;
const socketOptions: Record<number, string> = {
  2: 'SO_REUSEADDR',
  7: 'SO_SNDBUF',
  8: 'SO_RCVBUF',
  9: 'SO_KEEPALIVE',
  13: 'SO_LINGER',
  15: 'SO_REUSEPORT',
  20: 'SO_RCVTIMEO',
  21: 'SO_SNDTIMEO',
};

const SA_RESTART = 0x10000000;
const WNOHANG = 1;
const CLONE_THREAD = 0x10000;
const P_PID = 1;
const dispositions = new Map([
  [0, 'default'],
  [1, 'ignored'],
] as const);

/** A C int: the upper half of its register is whatever was there. */
const int = (value: number) => Number(BigInt.asIntN(32, BigInt(value)));

/** What the arguments say; `data` is what a pointer among them pointed to, where the tracer read it. */
export function decodeArguments(call: CallName, a: readonly number[], data: Buffer): CallDetails {
  const arg = (i: number) => int(a[i] ?? 0);
  switch (call) {
    case 'accept':
    case 'accept4':
    case 'close':
    case 'dup':
      return { fd: arg(0) };
    case 'dup2':
    case 'dup3':
      return { fd: arg(0), newfd: arg(1) };
    case 'listen':
      return { fd: arg(0), backlog: arg(1) };
    case 'bind':
    case 'connect': {
      const address = decodeAddress(data);
      return { fd: arg(0), ...(address ? { address } : {}) };
    }
    case 'shutdown':
      return { fd: arg(0), how: (['read', 'write', 'both'] as const)[arg(1)] ?? 'both' };
    case 'setsockopt': {
      const name = arg(1) === SOL_SOCKET ? socketOptions[arg(2)] : undefined;
      const value = data.length >= 4 ? { value: int32(data, 0) } : {};
      return { fd: arg(0), option: name ?? `${arg(1)}:${arg(2)}`, ...value };
    }
    case 'read':
    case 'recvfrom':
      return { fd: arg(0), length: a[2] ?? 0 };
    case 'write':
    case 'sendto':
      return { fd: arg(0), length: a[2] ?? 0, data };
    case 'writev':
    case 'sendmsg':
      return { fd: arg(0), data };
    case 'readv':
    case 'recvmsg':
      return { fd: arg(0) };
    case 'sendfile':
      return { fd: arg(0), length: a[3] ?? 0 };
    case 'wait4':
      return { target: arg(0), nohang: (arg(2) & WNOHANG) !== 0 };
    case 'waitid':
      return { target: arg(0) === P_PID ? arg(1) : -1, nohang: (arg(3) & WNOHANG) !== 0 };
    case 'select':
      return { fd: arg(0), timeout: milliseconds(data, perMillisecond.micro) };
    case 'pselect6':
      return { fd: arg(0), timeout: milliseconds(data, perMillisecond.nano) };
    case 'poll':
      return { fd: arg(1), timeout: arg(2) };
    case 'ppoll':
      return { fd: arg(1), timeout: milliseconds(data, perMillisecond.nano) };
    case 'epoll_wait':
    case 'epoll_pwait':
      return { timeout: arg(3) };
    case 'epoll_pwait2':
    case 'nanosleep':
    case 'clock_nanosleep':
    case 'rt_sigtimedwait':
      return { timeout: milliseconds(data, perMillisecond.nano) };
    case 'rt_sigaction':
      return { signal: signalName(arg(0)), ...(data.length >= 16 ? newDisposition(data) : {}) };
    case 'kill':
    case 'tkill':
      return { target: arg(0), signal: signalName(arg(1)) };
    case 'tgkill':
      return { target: arg(0), signal: signalName(arg(2)) };
    case 'exit_group':
      return { code: arg(0) & 0xff };
    case 'clone':
      return { thread: ((a[0] ?? 0) & CLONE_THREAD) !== 0 };
    case 'clone3':
      return { thread: data.length >= 4 && (int32(data, 0) & CLONE_THREAD) !== 0 };
    default:
      return {};
  }
}

function newDisposition(data: Buffer): CallDetails {
  const disposition = dispositions.get(int64(data, 0) as 0 | 1) ?? 'handler';
  return { disposition, restart: (int64(data, 8) & SA_RESTART) !== 0 };
}

/** CLD_EXITED and its like (sigaction(2)). */
export const childCodes = [
  undefined,
  'exited',
  'killed',
  'killed',
  'stopped',
  'stopped',
  'continued',
] as const;

/** What waitid(2) found, as a wait status; undefined where it found nothing. */
export function decodeWaitid(data: Buffer): { pid: number; status: number } | undefined {
  if (data.length < 28 || int32(data, 0) === 0) return undefined;
  const value = int32(data, 24);
  const isExit = childCodes[int32(data, 8)] === 'exited';
  return { pid: int32(data, 16), status: isExit ? value << 8 : value };
}

export function waitStatus(data: Buffer): number | undefined {
  return data.length >= 4 ? int32(data, 0) : undefined;
}

/** Return addresses, 64 bits each. */
export function decodeAddresses(data: Buffer): number[] {
  return Array.from({ length: data.length / 8 }, (_, i) => int64(data, i * 8));
}
