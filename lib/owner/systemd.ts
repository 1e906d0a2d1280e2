/** What a service manager and a service say to each other: sd_listen_fds(3), sd_notify(3), sd_watchdog_enabled(3). */

import { native } from '../binding/native.js';
import { misuse } from '../errors.js';
import type { Place } from '../options/place.js';

const firstDescriptor = 3; // SD_LISTEN_FDS_START

/** What the service manager tells a service by, and no process that the service starts. */
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
 * The sockets that a service manager has opened for this process (sd_listen_fds(3)), to be given to
 * `server.listen()`; with a name, those alone that a socket unit calls so (`FileDescriptorName=`).
 *
 * @throws `ERR_TRUEFORK_LISTEN` where there are none.
 */
export function listenFds(name?: string): Place[] {
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

/** Tells the service manager how the service is, if there is one that wants to know. */
export class ServiceNotifier {
  readonly #socket = process.env.NOTIFY_SOCKET;
  readonly #onFailure: (error: Error) => void;
  #watchdog: NodeJS.Timeout | undefined;

  constructor(onFailure: (error: Error) => void) {
    this.#onFailure = onFailure;
  }

  /** How often the service manager wants to hear that the service lives, in milliseconds; undefined: not at all. */
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

  /** Says so twice in the time that the manager waits (sd_watchdog_enabled(3)), for as long as `isAlive` says yes. */
  watch(isAlive: () => Promise<boolean>): void {
    const ms = ServiceNotifier.watchdogMs;
    if (this.#socket === undefined || ms === undefined) return;
    let isAsking = false;
    this.#watchdog = setInterval(async () => {
      if (isAsking) return; // and no answer yet
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
