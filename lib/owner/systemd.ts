/** The protocol between a service manager and a service: sd_listen_fds(3), sd_notify(3), sd_watchdog_enabled(3). */

import { native } from '../binding/native.js';
import { misuse } from '../errors.js';
import type { ListenOptions } from '../options/interfaces.js';

const firstDescriptor = 3; // SD_LISTEN_FDS_START

/** The variables of that protocol. They are for this process, and for no process that it starts. */
export const managersVariables = [
  'LISTEN_FDS',
  'LISTEN_PID',
  'LISTEN_FDNAMES',
  'LISTEN_PIDFDID',
  'NOTIFY_SOCKET',
  'WATCHDOG_USEC',
  'WATCHDOG_PID',
] as const;

/**
 * The sockets that a service manager has opened for this process (sd_listen_fds(3)), for `server.listen()`; with a name,
 * only those that a socket unit calls so (`FileDescriptorName=`).
 *
 * @throws `ERR_TRUEFORK_LISTEN` where there are none.
 */
export function listenFds(name?: string): ListenOptions[] {
  const { LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES } = process.env;
  if (LISTEN_FDS === undefined)
    throw none('no LISTEN_FDS in the environment: is it started by a socket unit?');
  if (Number(LISTEN_PID) !== process.pid) {
    throw none(
      `they are meant for process ${LISTEN_PID}, and this is ${process.pid}: let the service manager start this ` +
        'program itself, and not npx, npm or a shell around it',
    );
  }
  const count = Number(LISTEN_FDS);
  if (!Number.isInteger(count) || count < 0) throw none(`LISTEN_FDS is ${JSON.stringify(LISTEN_FDS)}`);
  const names = LISTEN_FDNAMES?.split(':') ?? [];
  const all = Array.from({ length: count }, (_, n) => ({ fd: firstDescriptor + n }));
  const wanted = name === undefined ? all : all.filter((_, n) => names[n] === name);
  if (wanted.length > 0) return wanted;
  throw none(name === undefined ? 'LISTEN_FDS is 0' : `none is called "${name}", but: ${names.join(', ')}`);
}

function none(why: string): Error {
  return misuse('ERR_TRUEFORK_LISTEN', `the service manager has passed no sockets: ${why}`);
}

/** Notifies the service manager of the state of the service, if there is one. */
export class ServiceNotifier {
  readonly #socket = process.env.NOTIFY_SOCKET;
  readonly #onFailure: (error: Error) => void;
  #watchdog: NodeJS.Timeout | undefined;

  constructor(onFailure: (error: Error) => void) {
    this.#onFailure = onFailure;
  }

  /** The watchdog time of the service manager, in milliseconds; undefined where it has none. */
  static get watchdogMs(): number | undefined {
    const { WATCHDOG_USEC, WATCHDOG_PID } = process.env;
    const isForUs = WATCHDOG_PID === undefined || Number(WATCHDOG_PID) === process.pid;
    const usec = Number(WATCHDOG_USEC);
    return isForUs && usec > 0 ? usec / 1000 : undefined;
  }

  ready(status: string): void {
    this.#say(`READY=1\nSTATUS=${status}`);
  }

  reloading(): void {
    this.#say(`RELOADING=1\nMONOTONIC_USEC=${native.monotonicMicros()}`);
  }

  stopping(): void {
    this.#say('STOPPING=1');
  }

  /** Notifies twice in the watchdog time (sd_watchdog_enabled(3)), as long as `isAlive` resolves with true. */
  watch(isAlive: () => Promise<boolean>): void {
    const ms = ServiceNotifier.watchdogMs;
    if (this.#socket === undefined || ms === undefined) return;
    let isAsking = false;
    this.#watchdog = setInterval(async () => {
      if (isAsking) return; // the last question is not answered yet
      isAsking = true;
      if (await isAlive()) this.#say('WATCHDOG=1');
      isAsking = false;
    }, ms / 2).unref();
  }

  end(): void {
    clearInterval(this.#watchdog);
  }

  #say(state: string): void {
    if (this.#socket === undefined) return;
    try {
      native.notify(this.#socket, state);
    } catch (error) {
      this.#onFailure(error as Error);
    }
  }
}
