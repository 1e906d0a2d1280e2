/** The sockets that a server listens on. They are the owner's: when a zygote dies, no queued client is dropped. */
import dns from 'node:dns/promises';
import fs from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { native } from '../binding/native.js';
import { misuse } from '../errors.js';
import type { Endpoint } from '../options/places.js';

/** As `net.Server.address()`: a string for a Unix socket, its path or abstract name. */
export type ListenAddress = AddressInfo | string;

export class Listener {
  readonly fd: number;
  /** 0 where it listened already when it came here. */
  readonly backlog: number;
  readonly address: ListenAddress;
  /** The socket file that was made, to be removed again. */
  readonly #file: { path: string; made: fs.Stats } | undefined;

  private constructor(fd: number, backlog: number, file?: string) {
    this.fd = fd;
    this.backlog = backlog;
    const { address, family, port } = native.getsockname(fd);
    this.address = family === 'Unix' ? address : { address, family, port };
    if (file !== undefined) this.#file = { path: file, made: fs.lstatSync(file) };
  }

  static async open(options: Endpoint): Promise<Listener> {
    if (options.fd !== undefined) return Listener.#adopt(options.fd, options.backlog);
    if (options.path !== undefined) return Listener.#bindPath(options.path, options);
    return new Listener(await bindHost(options), options.backlog);
  }

  static #adopt(fd: number, backlog: number): Listener {
    let listens: boolean;
    try {
      listens = native.adoptListener(fd);
    } catch (error) {
      throw misuse(
        'ERR_TRUEFORK_LISTEN',
        `descriptor ${fd} is no stream socket that can be listened on`,
        error,
      );
    }
    return new Listener(fd, listens ? 0 : backlog);
  }

  static #bindPath(path: string, options: Endpoint): Listener {
    const fd = native.bindUnixListener(path);
    if (path.startsWith('\0')) return new Listener(fd, options.backlog);
    try {
      // Before any client can connect, for it does not listen yet.
      const { socketUser, socketGroup, socketMode } = options;
      if (socketUser !== undefined || socketGroup !== undefined)
        fs.lchownSync(path, socketUser ?? keep, socketGroup ?? keep);
      if (socketMode !== undefined) fs.chmodSync(path, socketMode);
      return new Listener(fd, options.backlog, path);
    } catch (error) {
      native.close(fd);
      fs.unlinkSync(path);
      throw error;
    }
  }

  close(): void {
    this.#removeFile();
    native.close(this.fd);
  }

  /** Unless another server has replaced it. */
  #removeFile(): void {
    if (this.#file === undefined) return;
    const { path, made } = this.#file;
    const found = fs.lstatSync(path, { throwIfNoEntry: false });
    if (found?.ino === made.ino && found.dev === made.dev) fs.rmSync(path, { force: true });
  }
}

/** chown(2): this one stays as it is. */
const keep = -1;

async function bindHost(options: Endpoint): Promise<number> {
  const { host, ipv6Only } = options;
  const bind = (address: string, ipv6Only: boolean) =>
    native.bindListener({
      ...options,
      host: address,
      ipv6Only,
      keepAliveSeconds: inSeconds(options.keepAliveInitialDelay),
      deferSeconds: inSeconds(options.deferAccept),
    });
  try {
    return bind(isAddress(host) ? host : (await dns.lookup(host)).address, ipv6Only);
  } catch (error) {
    // As net.Server: a machine without IPv6 is served by IPv4.
    const { code = '' } = error as NodeJS.ErrnoException;
    if (host !== '::' || !['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL'].includes(code)) throw error;
    return bind('0.0.0.0', false);
  }
}

/** The kernel counts in whole seconds. A fraction is rounded up, so that it never becomes 0. */
function inSeconds(milliseconds: number): number {
  return Math.ceil(milliseconds / 1000);
}

/** Whether `host` needs no look-up. */
function isAddress(host: string): boolean {
  return net.isIP(host.replace(/%.*$/, '')) !== 0;
}

/** An address as it is shown to people: `127.0.0.1:7777`, `[::1]:7777`, `/run/a.sock`, `@abstract-name`. */
export function showAddress(address: ListenAddress): string {
  return typeof address === 'string'
    ? address.replace(/^\0/, '@')
    : showHostAndPort(address.address, address.port);
}

export function showHostAndPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
