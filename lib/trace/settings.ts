/** What the caller sends to the tracer's process: first a line of JSON, then commands, a line each. */
import { constants } from 'node:os';
import type { TracerSettings } from '../binding/native.js';
import { misuse } from '../errors.js';
import { errnoNumber, signalNumber } from './decode.js';
import type { Injection, TraceOptions } from './tracer.js';
import { unsafeFunctions } from './unsafe-functions.js';

const defaults = { maxProcesses: 256, dataLength: 256 };
const most = { processes: 100_000, dataLength: 1024 * 1024 };

/** That a script of truefork/posix under the tracer says where it makes its calls. */
export const tracedVariable = 'TRUEFORK_TRACED';

export function tracerSettings(options: TraceOptions): TracerSettings {
  const { command, env = process.env, maxProcesses = defaults.maxProcesses } = options;
  const { dataLength = defaults.dataLength, watchHandlers = [] } = options;
  if (!Array.isArray(command) || command.length === 0 || command[0] === '') {
    throw misuse('ERR_TRUEFORK_TRACE', 'startTrace() needs a command: the program and its arguments');
  }
  whole('maxProcesses', maxProcesses, 1, most.processes);
  whole('dataLength', dataLength, 0, most.dataLength);
  const addresses = options.addresses !== false;
  const environment = Object.entries({ ...env, ...(addresses ? { [tracedVariable]: '1' } : {}) })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value}`);
  return {
    command,
    environment,
    folder: options.cwd ?? '',
    newSession: options.newSession !== false,
    readWrite: options.filter === 'read-write',
    injections: (options.injections ?? []).map(injectionText),
    maxProcesses,
    confineSignals: options.confineSignals !== false,
    addresses,
    dataLength,
    watchedSignals: watchHandlers.map(signalOf),
    unsafeFunctions: watchHandlers.length === 0 ? [] : unsafeFunctions,
  };
}

function whole(name: string, value: number, least: number, greatest: number): void {
  if (Number.isInteger(value) && value >= least && value <= greatest) return;
  throw misuse('ERR_TRUEFORK_TRACE', `${name} is a whole number from ${least} to ${greatest}, not ${value}`);
}

export function signalOf(signal: NodeJS.Signals): number {
  if (!Object.hasOwn(constants.signals, signal)) {
    throw misuse('ERR_TRUEFORK_TRACE', `there is no signal ${signal}`);
  }
  return signalNumber(signal);
}

/** As native/trace/injections.h reads it. */
export function injectionText(injection: Injection): string {
  const { call, name = call, nth = 1, times = 1, pid = 0, fault } = injection;
  if (/\s/.test(name) || name === '') {
    throw misuse('ERR_TRUEFORK_TRACE', `an injection's name is one word, not "${name}"`);
  }
  whole('nth', nth, 1, Number.MAX_SAFE_INTEGER);
  if (times !== Number.POSITIVE_INFINITY) whole('times', times, 1, Number.MAX_SAFE_INTEGER);
  const socketsOnly = injection.socketsOnly !== false && (call === 'read' || call === 'write');
  const [errno, length] = 'errno' in fault ? [errnoOf(fault.errno), 0] : [0, fault.length];
  if (errno === 0) whole('length', length, 1, Number.MAX_SAFE_INTEGER);
  const counts = [nth, times === Number.POSITIVE_INFINITY ? 0 : times, pid, Number(socketsOnly)];
  return [name, call, ...counts, errno, length].join(' ');
}

function errnoOf(name: string): number {
  const errno = errnoNumber(name);
  if (errno === undefined) throw misuse('ERR_TRUEFORK_TRACE', `there is no errno ${name}`);
  return errno;
}
