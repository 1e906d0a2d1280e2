/** Makes events of records: it knows which call a thread is in, and which program a process executes. */
import {
  childCodes,
  decodeAddress,
  decodeAddresses,
  decodeArguments,
  decodeWaitid,
  errnoName,
  isRestartCode,
  restartsWithoutHandlerOnly,
  signalName,
  statusParts,
  waitStatus,
} from './decode.js';
import type { CallDetails, CallName, Enter, Leave, SourceLine, TraceEvent } from './events.js';
import type { TraceRecord } from './records.js';

const bornBy = ['root', 'fork', 'vfork', 'clone', 'thread'] as const;
const dispositions = ['default', 'ignored', 'handler'] as const;
const reasons = ['injected', 'stranger', 'everybody', 'process-limit'] as const;
const nothing = Buffer.alloc(0);

/** "file:///a.ts:12" or "/a.ts:12". */
function sourceLine(location: string): SourceLine | undefined {
  const parts = /^(?<file>.+):(?<line>\d+)$/.exec(location)?.groups;
  return parts && { file: parts.file!, line: Number(parts.line) };
}

export class Assembler {
  #calls: CallName[] = [];
  readonly #entered = new Map<number, Enter>();
  readonly #programs = new Map<number, string>();
  /** Which handlers have SA_RESTART, of each process. */
  readonly #restarting = new Map<number, Map<string, boolean>>();

  setCalls(names: string): void {
    this.#calls = names.split('\n') as CallName[];
  }

  event(record: TraceRecord): TraceEvent | undefined {
    const { time, pid, tid, values, blobs } = record;
    const happened = { time, pid, tid };
    switch (record.kind) {
      case 'born': {
        const [parent = 0, how = 0] = values;
        const program = this.#programs.get(parent);
        if (program !== undefined && pid === tid) this.#programs.set(pid, program);
        this.#restarting.set(pid, new Map(this.#restarting.get(parent)));
        return { ...happened, kind: 'born', by: bornBy[how] ?? 'clone', parent };
      }
      case 'exec': {
        const [path = nothing, argv = nothing] = blobs;
        this.#programs.set(pid, path.toString());
        this.#restarting.set(pid, new Map());
        return { ...happened, kind: 'exec', path: path.toString(), argv: strings(argv) };
      }
      case 'exit': {
        const [status = 0] = values;
        return { ...happened, kind: 'exit', status, ...statusParts(status) };
      }
      case 'thread-exit':
      case 'continued':
        return { ...happened, kind: record.kind };
      case 'enter':
        return this.#enter(record);
      case 'leave':
        return this.#leave(record);
      case 'signal':
        return this.#signal(record);
      case 'stopped':
        return { ...happened, kind: 'stopped', signal: signalName(values[0] ?? 0) };
      case 'intervened': {
        const injection = blobs[0]?.toString() ?? '';
        const call = this.#calls[record.call] ?? 'fork';
        const reason = reasons[values[0] ?? 0] ?? 'injected';
        return { ...happened, kind: 'intervened', call, reason, ...(injection === '' ? {} : { injection }) };
      }
      case 'unsafe-call':
        return {
          ...happened,
          kind: 'unsafe-call',
          signal: signalName(values[0] ?? 0),
          function: String(blobs[0]),
        };
      case 'refused':
        return { ...happened, kind: 'refused', reason: '32-bit' };
      default:
        return undefined;
    }
  }

  #enter({ time, pid, tid, call: number, values, blobs }: TraceRecord): Enter {
    const [data = nothing, callers = nothing, location = nothing] = blobs;
    const call = this.#calls[number]!;
    const file = this.#programs.get(pid);
    const addresses = callers.length > 0 && file !== undefined && decodeAddresses(callers);
    const where = sourceLine(location.toString());
    const event: Enter = {
      kind: 'enter',
      time,
      pid,
      tid,
      call,
      details: decodeArguments(call, values, data),
      ...(addresses ? { addresses: addresses.map(address => ({ file, address })) } : {}),
      ...(where ? { where } : {}),
    };
    this.#entered.set(tid, event);
    if (call === 'rt_sigaction') this.#noteDisposition(event);
    return event;
  }

  #noteDisposition({ pid, details }: Enter): void {
    if (details.disposition !== 'handler' || details.signal === undefined) return;
    this.#restarting.get(pid)?.set(details.signal, details.restart === true);
  }

  #leave({ time, pid, tid, values, blobs }: TraceRecord): Leave | undefined {
    const entered = this.#entered.get(tid);
    if (entered === undefined) return undefined;
    this.#entered.delete(tid);
    const [raw = 0, inode = 0] = values;
    const [data = nothing, local = nothing, peer = nothing] = blobs;
    const { call } = entered;
    const found = raw >= 0 ? resultDetails(call, raw, data) : undefined;
    const address = decodeAddress(call === 'listen' ? local : peer);
    return {
      kind: 'leave',
      time,
      pid,
      tid,
      call,
      result: raw < 0 ? -1 : (found?.result ?? raw),
      ...(raw < 0 ? failure(-raw) : {}),
      details: {
        ...entered.details,
        ...found?.details,
        ...(inode === 0 ? {} : { inode }),
        ...(address ? { address } : {}),
      },
      entered,
    };
  }

  #signal({ time, pid, tid, values }: TraceRecord): TraceEvent {
    const [number = 0, how = 0, code = 0, sender = 0] = values;
    const signal = signalName(number);
    const disposition = dispositions[how] ?? 'default';
    const restart = disposition === 'handler' ? this.#restarting.get(pid)?.get(signal) : undefined;
    const child = signal === 'SIGCHLD' && code > 0 ? childCodes[code] : undefined;
    return {
      kind: 'signal',
      time,
      pid,
      tid,
      signal,
      disposition,
      sender,
      ...(restart === undefined ? {} : { restart }),
      ...(child ? { child } : {}),
    };
  }
}

function strings(bytes: Buffer): string[] {
  return bytes.toString().split('\0').slice(0, -1);
}

function failure(errno: number): Pick<Leave, 'errno' | 'interrupted'> {
  const name = errnoName(errno);
  if (name !== 'EINTR') return { errno: name };
  const interrupted = !isRestartCode(errno)
    ? 'seen'
    : restartsWithoutHandlerOnly(errno)
      ? 'if-handler'
      : 'if-no-restart';
  return { errno: name, interrupted };
}

/** What a call that succeeded gave: waitid(2) has its child's process ID elsewhere than wait4(2). */
function resultDetails(
  call: CallName,
  result: number,
  data: Buffer,
): { result?: number; details: CallDetails } | undefined {
  switch (call) {
    case 'wait4': {
      const status = result > 0 ? waitStatus(data) : undefined;
      return { details: status === undefined ? {} : { status } };
    }
    case 'waitid': {
      const found = decodeWaitid(data);
      return found ? { result: found.pid, details: { status: found.status } } : { result: 0, details: {} };
    }
    case 'read':
    case 'readv':
    case 'recvfrom':
    case 'recvmsg':
      return { details: { data } };
    default:
      return undefined;
  }
}
