/** A trace in words, a line for each thing that happened: as strace has it, in the lecture's names. */
import { Descriptors } from './descriptors.js';
import type { Enter, Leave, SignalDelivered, SocketAddress, SourceLine, TraceEvent } from './events.js';
import { isInterpreter, shortPlace } from './source-lines.js';
import { baseName, callName, count, duration, isAccept, isFork, isWait, mayWait } from './words.js';

const timeWidth = 10;
const nameWidth = 16;
const textColumn = 64;
/** A call that took less was not waited in. */
const waited = 1;
const longestData = 40;

interface Known {
  name: string;
  /** Its threads are no part of the script. */
  isInterpreter: boolean;
  readonly parent: number;
  /** Its children that have ended, and whose SIGCHLD has not come yet. */
  readonly unannounced: Set<number>;
}

export class Narrator {
  readonly #write: (line: string) => void;
  readonly #processes = new Map<number, Known>();
  readonly #descriptors = new Descriptors();
  /** What each process waits in, and whether that was said. */
  readonly #waiting = new Map<number, { enter: Enter; said: boolean }>();
  /** Interrupted calls, until the signal says what becomes of them. */
  readonly #interrupted = new Map<number, Leave>();
  /** The handlers that run in each thread, the innermost last. */
  readonly #handling = new Map<number, string[]>();

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  take(event: TraceEvent, where?: SourceLine): void {
    const text = this.#textOf(event);
    const from = event.kind === 'born' && event.parent !== 0 ? event.parent : event.pid;
    if (text !== undefined) this.#line(event.time, from, text, where);
    this.#descriptors.take(event);
    if (event.kind === 'enter' && event.tid === event.pid && mayWait(event)) {
      this.#waiting.set(event.pid, { enter: event, said: false });
    } else if ((event.kind === 'leave' && event.tid === event.pid) || event.kind === 'exit') {
      this.#waiting.delete(event.pid);
    }
  }

  /** Nothing has happened for a while: what the processes wait in. */
  idle(time: number): void {
    for (const [pid, waiting] of this.#waiting) {
      if (waiting.said) continue;
      waiting.said = true;
      this.#line(time, pid, `waits in ${callText(waiting.enter)}`);
    }
  }

  #line(time: number, pid: number, text: string, where?: SourceLine): void {
    const name = `${this.#processes.get(pid)?.name ?? '?'} ${pid}`;
    const left = `${time.toFixed(1).padStart(timeWidth)}  ${name.padEnd(nameWidth)}  ${text}`;
    this.#write(
      where ? `${left.padEnd(timeWidth + nameWidth + 4 + textColumn)}  ${shortPlace(where)}` : left,
    );
  }

  #textOf(event: TraceEvent): string | undefined {
    const process = this.#processes.get(event.pid);
    switch (event.kind) {
      case 'born':
        return this.#born(event);
      case 'exec': {
        if (process) {
          process.name = baseName(event.argv[0] ?? event.path);
          process.isInterpreter = isInterpreter(event.path);
        }
        return `executes ${event.argv.join(' ')}`;
      }
      case 'enter':
        if (event.call === 'exit_group') return `exit(${event.details.code})`;
        return event.call === 'rt_sigreturn' ? this.#handlerReturns(event.tid) : undefined;
      case 'leave':
        return this.#leave(event);
      case 'signal':
        return this.#signal(event);
      case 'exit': {
        const parent = process && this.#processes.get(process.parent);
        parent?.unannounced.add(event.pid);
        const how = event.signal ? `killed by ${event.signal}` : `exit status ${event.code}`;
        return `has ended, ${how}${parent ? ': a zombie until its parent waits' : ''}`;
      }
      case 'stopped':
        return `is stopped by ${event.signal}`;
      case 'continued':
        return 'goes on';
      case 'intervened':
        return interventions[event.reason];
      case 'unsafe-call':
        return `the handler of ${event.signal} calls ${event.function}(), which is not async-signal-safe`;
      case 'refused':
        return 'is a 32-bit program, which cannot be traced: it is ended';
      default:
        return undefined;
    }
  }

  #born({ pid, parent, by }: Extract<TraceEvent, { kind: 'born' }>): string | undefined {
    const inherited = this.#processes.get(parent)?.isInterpreter ?? false;
    if (by === 'thread') return inherited ? undefined : 'starts a thread';
    const name = by === 'root' ? 'program' : 'child';
    this.#processes.set(pid, { name, parent, isInterpreter: inherited, unannounced: new Set() });
    return by === 'root' ? undefined : `${by === 'vfork' ? 'vfork' : 'fork'}() = ${pid}`;
  }

  #leave(event: Leave): string | undefined {
    const { call, details, result, errno, pid, time, entered } = event;
    if (event.interrupted !== undefined) {
      if (event.interrupted === 'seen') return `${callText(entered)} = -1 EINTR`;
      this.#interrupted.set(event.tid, event);
      return undefined;
    }
    const took =
      mayWait(entered) && time - entered.time >= waited ? `, after ${duration(time - entered.time)}` : '';
    const head = `${callText(entered)} = ${result}${errno === undefined ? '' : ` ${errno}`}`;
    if (isFork(call)) return errno === undefined ? undefined : `${callName(entered)}() = -1 ${errno}`;
    if (isAccept(call)) return `${head}${result >= 0 ? this.#client(details.address) : ''}${took}`;
    if (isWait(call)) return `${head}${waitText(event)}${took}`;
    if (call === 'listen' && result === 0) {
      const process = this.#processes.get(pid);
      if (process) process.name = 'server';
      return `${callText(entered)}: listens on ${addressText(details.address)}`;
    }
    const about = this.#about(pid, details.fd);
    switch (call) {
      case 'close':
        return about && `${callText(entered)}: ${about}`;
      case 'shutdown':
        return about && `shutdown(${details.fd}, ${details.how}): ${about}`;
      case 'socket':
      case 'bind':
      case 'connect':
        return `${head}${took}`;
      case 'setsockopt':
        return details.option === 'SO_REUSEADDR' ? head : undefined;
      case 'rt_sigaction':
        return dispositionText(event);
      case 'select':
      case 'pselect6':
      case 'poll':
      case 'ppoll':
      case 'epoll_wait':
      case 'epoll_pwait':
      case 'epoll_pwait2':
        return event.tid === pid && took !== '' ? `${head}${took}` : undefined;
      case 'kill':
      case 'tkill':
      case 'tgkill':
      case 'setsid':
        return `${head}${took}`;
      case 'rt_sigtimedwait':
        // One that does not wait only looks whether there is a signal.
        return details.timeout === 0 && result < 0 ? undefined : `${head}${took}`;
      case 'nanosleep':
      case 'clock_nanosleep':
        return `has slept ${duration(time - entered.time)}`;
      default:
        return this.#traffic(event, about, head, took);
    }
  }

  /** What is read and written: on sockets, and on the terminal. */
  #traffic(event: Leave, about: string | undefined, head: string, took: string): string | undefined {
    const { call, details, result, errno } = event;
    const isStandard = details.fd === 1 || details.fd === 2;
    const writes = call.startsWith('write') || call.startsWith('send');
    const reads = call.startsWith('read') || call.startsWith('recv');
    if (!(writes || reads) || (about === undefined && !(isStandard && writes))) return undefined;
    // Whether it is a socket is a question that libraries ask so.
    if (errno === 'ENOTSOCK') return undefined;
    if (errno !== undefined) return `${head}${took}`;
    const isEnd = reads && result === 0 && about !== undefined;
    const shown = isEnd ? ': the client has finished' : ` ${dataText(details.data, result)}`;
    return `${head}${shown}${took}`;
  }

  #about(pid: number, fd: number | undefined): string | undefined {
    const open = this.#descriptors.find(pid, fd);
    if (open === undefined) return undefined;
    if (open.kind === 'connection') return `the connection of client ${open.connection.number}`;
    return open.kind === 'listener' ? 'the listening socket' : 'a socket';
  }

  #client(peer: SocketAddress | undefined): string {
    const number = this.#descriptors.connections.length + 1;
    return `: client ${number}${peer ? `, ${addressText(peer)}` : ''}`;
  }

  #signal(event: SignalDelivered): string | undefined {
    const interrupted = this.#interrupted.get(event.tid);
    this.#interrupted.delete(event.tid);
    // A library's own, for its threads; and those that do nothing.
    if (event.signal.startsWith('SIGRT')) return undefined;
    if (event.disposition !== 'handler' && event.signal !== 'SIGCHLD' && event.disposition === 'ignored')
      return undefined;
    const parts = [this.#signalHead(event)];
    if (event.disposition === 'handler') {
      const handling = this.#handling.get(event.tid) ?? [];
      this.#handling.set(event.tid, [...handling, event.signal]);
      parts.push('its handler runs');
    }
    if (event.disposition !== 'handler' && event.signal === 'SIGCHLD')
      parts.push('ignored, for there is no handler');
    if (interrupted && event.disposition === 'handler') {
      const isSeen = interrupted.interrupted === 'if-handler' || event.restart === false;
      const name = callName(interrupted.entered);
      parts.push(isSeen ? `${name}() fails with EINTR` : `${name}() goes on afterwards (SA_RESTART)`);
    }
    return parts.join('; ');
  }

  #handlerReturns(tid: number): string | undefined {
    const signal = this.#handling.get(tid)?.pop();
    return signal === undefined ? undefined : `the handler of ${signal} returns`;
  }

  #signalHead({ pid, signal, sender, child }: SignalDelivered): string {
    if (signal !== 'SIGCHLD' || child === undefined) return sender > 0 ? `${signal} from ${sender}` : signal;
    if (child !== 'exited' && child !== 'killed') return `SIGCHLD: ${sender} was ${child}`;
    const process = this.#processes.get(pid);
    process?.unannounced.delete(sender);
    const others = process?.unannounced.size ?? 0;
    process?.unannounced.clear();
    const merged =
      others > 0 ? ` and ${count(others, 'other child', 'other children')}: one SIGCHLD for all` : '';
    return `SIGCHLD: ${sender} has ended${merged}`;
  }
}

const interventions = {
  injected: 'the tracer changes this call, as it was asked to',
  stranger: 'a signal to a process that is not of the program: refused',
  everybody: 'kill(-1), a signal to every process there is: refused',
  'process-limit': 'too many processes: fork() is made to fail',
} as const;

/** "accept(3)", "waitpid(-1, WNOHANG)". */
export function callText(enter: Pick<Enter, 'call' | 'details'>): string {
  const { call, details } = enter;
  const name = callName(enter);
  switch (call) {
    case 'listen':
      return `listen(${details.fd}, ${details.backlog})`;
    case 'bind':
    case 'connect':
      return `${name}(${details.fd}, ${addressText(details.address)})`;
    case 'setsockopt':
      return `setsockopt(${details.fd}, ${details.option}, ${details.value})`;
    case 'wait4':
      return name === 'wait' ? 'wait()' : `waitpid(${details.target}${details.nohang ? ', WNOHANG' : ''})`;
    case 'waitid':
      return `waitid(${details.target}${details.nohang ? ', WNOHANG' : ''})`;
    case 'kill':
    case 'tkill':
    case 'tgkill':
      return `kill(${details.target}, ${details.signal})`;
    case 'dup2':
    case 'dup3':
      return `dup2(${details.fd}, ${details.newfd})`;
    case 'select':
    case 'pselect6':
    case 'poll':
    case 'ppoll':
      return `${name}()`;
    default:
      return `${name}(${details.fd ?? ''})`;
  }
}

function waitText({ result, details }: Leave): string {
  if (result === 0) return ': no child has ended';
  if (result < 0 || details.status === undefined) return '';
  const signal = details.status & 0x7f;
  if ((details.status & 0xff) === 0x7f) return ': it is stopped';
  return signal === 0 ? `: exit status ${(details.status >> 8) & 0xff}` : `: killed by signal ${signal}`;
}

function dispositionText({ details }: Leave): string | undefined {
  const { signal, disposition, restart } = details;
  if (disposition === undefined || disposition === 'default' || signal?.startsWith('SIGRT')) return undefined;
  const how = disposition === 'handler' ? `a handler${restart ? ', SA_RESTART' : ''}` : 'SIG_IGN';
  return `sigaction(${signal}, ${how})`;
}

export function addressText(address: SocketAddress | undefined): string {
  if (address === undefined) return '?';
  if (address.family === 'Unix') return address.address;
  return address.family === 'IPv6' && address.address.includes(':')
    ? `[${address.address}]:${address.port}`
    : `${address.address}:${address.port}`;
}

/** As much as fits; what is no text is counted. */
function dataText(data: Buffer | undefined, length: number): string {
  if (data === undefined || data.length === 0) return '';
  const shown = data.subarray(0, longestData);
  const isText = shown.every(byte => byte >= 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09);
  if (!isText) return `(${length} bytes)`;
  return `${JSON.stringify(shown.toString())}${length > longestData ? '…' : ''}`;
}
