/** Sockets. */
import { native } from '../binding/native.js';
import type { Linger, SockAddr, SockAddrStorage, TimeVal } from '../binding/posix-structs.js';
import type {
  IPPROTO_TCP,
  SO_BINDTODEVICE,
  SO_LINGER,
  SO_RCVTIMEO,
  SO_SNDTIMEO,
  SOL_SOCKET,
  TCP_CONGESTION,
} from './constants.js';

const calls = native.posix;

/** Every IPv4 address of this machine, for bind(). */
export const INADDR_ANY = '0.0.0.0';
/** This machine itself, by IPv4. */
export const INADDR_LOOPBACK = '127.0.0.1';
/** Every IPv6 address of this machine, for bind(). */
export const in6addr_any = '::';
/** This machine itself, by IPv6. */
export const in6addr_loopback = '::1';

/**
 * Makes a socket: an endpoint for communication.
 *
 * @param domain AF_INET, AF_INET6 or AF_UNIX.
 * @param type SOCK_STREAM or SOCK_DGRAM; SOCK_NONBLOCK and SOCK_CLOEXEC may be added.
 * @param protocol 0: the usual one of that type.
 * @returns The new descriptor: the lowest that was free.
 * @throws `EAFNOSUPPORT`, `EINVAL`, `EPROTONOSUPPORT`; `EMFILE` when the process, `ENFILE` when the machine has too
 * many open files; `EACCES` for SOCK_RAW without privilege.
 * @see socket(2), POSIX.1-2017 socket()
 */
export function socket(domain: number, type: number, protocol = 0): number {
  return calls.socket(domain, type, protocol);
}

/**
 * Gives a socket its local address.
 *
 * @throws `EADDRINUSE`, `EADDRNOTAVAIL`; `EACCES` for a port below 1024 without privilege; `EINVAL` when it has an
 * address already; `EBADF`, `ENOTSOCK`. The error has `address` and `port`.
 * @see bind(2), POSIX.1-2017 bind()
 */
export function bind(sockfd: number, addr: SockAddr): void {
  calls.bind(sockfd, addr);
}

/**
 * Lets clients connect: up to `backlog` of them wait in a queue for accept().
 *
 * @throws `EADDRINUSE`, `EBADF`, `ENOTSOCK`, `ENOTSUP` (not a stream; Node's name for EOPNOTSUPP).
 * @see listen(2), POSIX.1-2017 listen()
 */
export function listen(sockfd: number, backlog: number): void {
  calls.listen(sockfd, backlog);
}

/**
 * Takes the first client from a listener's queue; waits for one if there is none.
 *
 * ```ts
 * const cliaddr: SockAddrStorage = {};
 * const connfd = accept(listenfd, cliaddr); // cliaddr.address, cliaddr.port
 * ```
 *
 * @param peer An object to be filled with the client's address, where C takes `struct sockaddr *`.
 * @returns The connection's descriptor.
 * @throws `EAGAIN` (O_NONBLOCK, and no client), `ECONNABORTED`, `EMFILE`, `ENFILE`, `EBADF`, `ENOTSOCK`, `EINVAL` (not
 * listening); `EINTR` when a handler without SA_RESTART has run.
 * @see accept(2), POSIX.1-2017 accept()
 */
export function accept(sockfd: number, peer?: SockAddrStorage): number {
  return calls.accept(sockfd, peer);
}

/**
 * Connects to a server; waits until the connection stands.
 *
 * @throws `ECONNREFUSED`, `ETIMEDOUT`, `ENETUNREACH`, `EHOSTUNREACH`, `EISCONN`, `EBADF`, `ENOTSOCK`; AF_UNIX: `ENOENT`,
 * `EACCES`; `EINPROGRESS` with O_NONBLOCK. After `EINTR` the connection goes on being made: poll() for POLLOUT tells
 * when. The error has `address` and `port`.
 * @see connect(2), POSIX.1-2017 connect()
 */
export function connect(sockfd: number, addr: SockAddr): void {
  calls.connect(sockfd, addr);
}

/**
 * The local address of a socket: after bind() to port 0, which port it was.
 *
 * @throws `EBADF`, `ENOTSOCK`.
 * @see getsockname(2), POSIX.1-2017 getsockname()
 */
export function getsockname(sockfd: number): SockAddr {
  return calls.getsockname(sockfd);
}

/**
 * The address of the other end.
 *
 * @throws `ENOTCONN`, `EBADF`, `ENOTSOCK`.
 * @see getpeername(2), POSIX.1-2017 getpeername()
 */
export function getpeername(sockfd: number): SockAddr {
  return calls.getpeername(sockfd);
}

/**
 * Reads an option of a socket: a number for most of them.
 *
 * @throws `ENOPROTOOPT` (no such option), `EBADF`, `ENOTSOCK`.
 * @see getsockopt(2), socket(7), tcp(7), POSIX.1-2017 getsockopt()
 */
export function getsockopt(sockfd: number, level: typeof SOL_SOCKET, optname: typeof SO_LINGER): Linger;
export function getsockopt(
  sockfd: number,
  level: typeof SOL_SOCKET,
  optname: typeof SO_RCVTIMEO | typeof SO_SNDTIMEO,
): TimeVal;
export function getsockopt(sockfd: number, level: typeof SOL_SOCKET, optname: typeof SO_BINDTODEVICE): string;
export function getsockopt(sockfd: number, level: typeof IPPROTO_TCP, optname: typeof TCP_CONGESTION): string;
export function getsockopt(sockfd: number, level: number, optname: number): number;
export function getsockopt(
  sockfd: number,
  level: number,
  optname: number,
): number | string | Linger | TimeVal {
  return calls.getsockopt(sockfd, level, optname);
}

/**
 * Sets an option of a socket: `setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, 1)`.
 *
 * @param optval A number or boolean for most options; a {@link Linger}, a {@link TimeVal} or a name where the option's
 * value is one.
 * @throws `ENOPROTOOPT` (no such option), `EINVAL`, `EDOM` (a timeout out of range), `EBADF`, `ENOTSOCK`.
 * @see setsockopt(2), socket(7), tcp(7), POSIX.1-2017 setsockopt()
 */
export function setsockopt(
  sockfd: number,
  level: number,
  optname: number,
  optval: number | boolean | string | Linger | TimeVal,
): void {
  calls.setsockopt(sockfd, level, optname, optval);
}

/**
 * Ends one direction of a connection, or both, for every process that has it. The descriptor stays open.
 *
 * @param how SHUT_RD, SHUT_WR or SHUT_RDWR.
 * @throws `ENOTCONN`, `EINVAL`, `EBADF`, `ENOTSOCK`.
 * @see shutdown(2), POSIX.1-2017 shutdown()
 */
export function shutdown(sockfd: number, how: number): void {
  calls.shutdown(sockfd, how);
}

/**
 * Sends on a connected socket; waits for room in its buffer.
 *
 * @param len How many bytes, from `offset` on; by default all of them.
 * @param flags MSG_DONTWAIT, MSG_MORE, MSG_OOB.
 * @returns The bytes sent: after a signal fewer than asked for.
 * @throws `EAGAIN`, `ECONNRESET`, `EPIPE` (the connection is closed; no SIGPIPE), `ENOTCONN`, `EMSGSIZE`, `EBADF`,
 * `ENOTSOCK`; `EINTR` when a handler without SA_RESTART has run before anything was sent.
 * @see send(2), POSIX.1-2017 send()
 */
export function send(sockfd: number, buf: Uint8Array, len?: number, flags = 0, offset = 0): number {
  return calls.send(sockfd, buf, len, flags, offset);
}

/**
 * Receives from a socket; waits until there is something.
 *
 * @param len How many bytes at most, into `buf` from `offset` on; by default as many as fit.
 * @param flags MSG_PEEK, MSG_WAITALL, MSG_DONTWAIT, MSG_OOB.
 * @returns The bytes received; 0 when the peer has finished.
 * @throws `EAGAIN`, `ECONNRESET`, `ECONNREFUSED`, `ENOTCONN`, `EBADF`, `ENOTSOCK`; `EINTR` when a handler without
 * SA_RESTART has run before anything was received.
 * @see recv(2), POSIX.1-2017 recv()
 */
export function recv(sockfd: number, buf: Uint8Array, len?: number, flags = 0, offset = 0): number {
  return calls.recv(sockfd, buf, len, flags, offset);
}
