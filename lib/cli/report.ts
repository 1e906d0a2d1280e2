/** What `truefork serve` prints: for people, or a line of JSON for each event. */
import { styleText } from 'node:util';
import { type ListenAddress, showAddress, showHostAndPort } from '../owner/listener.js';
import type { ConnectionInfo, EndInfo, ExitInfo, RefusedInfo } from '../owner/records.js';
import type { ServerState, ZygoteState } from '../owner/server-types.js';
import type { LogOutput } from './log-output.js';

export interface Reporter {
  listening(address: ListenAddress): void;
  connection(info: ConnectionInfo): void;
  exit(info: ExitInfo): void;
  end(info: EndInfo): void;
  refused(info: RefusedInfo): void;
  reload(state: ServerState): void;
  /** The state of the server. It was asked for, so it is printed at any level. */
  state(state: ServerState): void;
}

/** From the most serious on: each level includes those before it. */
export const logLevels = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof logLevels)[number];

export function includes(chosen: LogLevel, level: LogLevel): boolean {
  return logLevels.indexOf(level) <= logLevels.indexOf(chosen);
}

type Output = Pick<LogOutput, 'write' | 'isTTY'>;

/** The line that tells of lines that could not be written. */
export function describeLoss(json: boolean, lines: number, why: string): string {
  return json
    ? JSON.stringify({ event: 'dropped', level: 'warn', time: new Date().toISOString(), lines, why })
    : `${lines} lines of the log were dropped: ${why}`;
}

/** An exit with code 0 is information; any other may need looking at. */
function levelOf({ code, limit }: ExitInfo): LogLevel {
  return code === 0 && limit === null ? 'info' : 'warn';
}

export function jsonReporter(out: Output, chosen: LogLevel): Reporter {
  const write = (level: LogLevel, event: string, fields: object) =>
    out.write(`${JSON.stringify({ event, level, time: new Date().toISOString(), ...fields })}\n`);
  const say = (level: LogLevel, event: string, fields: object) => {
    if (includes(chosen, level)) write(level, event, fields);
  };
  return {
    listening: address =>
      say(
        'info',
        'listening',
        typeof address === 'string' ? { path: address } : { host: address.address, port: address.port },
      ),
    connection: info => say('info', 'connection', info),
    exit: info => say(levelOf(info), 'exit', info),
    end: info => say('info', 'end', info),
    refused: info => say('warn', 'refused', info),
    reload: state => say('info', 'reload', { pid: accepting(state)?.pid }),
    state: state => write('info', 'state', state),
  };
}

export function textReporter(out: Output, chosen: LogLevel): Reporter {
  const paint = (format: Parameters<typeof styleText>[0], text: string) =>
    out.isTTY && !process.env.NO_COLOR ? styleText(format, text) : text;
  const name = (info: ConnectionInfo) => paint('bold', `#${info.id}`) + paint('gray', ` ${clientOf(info)}`);
  const say = (level: LogLevel, line: string) => {
    if (includes(chosen, level)) out.write(`${line}\n`);
  };
  return {
    listening: address => say('info', `listening on ${showAddress(address)}`),
    connection: info => say('info', `${name(info)} connected: process ${info.pid}`),
    reload: state => say('info', `reloaded: process ${accepting(state)?.pid} accepts now`),
    state: state => out.write(describeState(state)),
    end(info) {
      const { rollback } = info;
      const used = rollback === undefined ? [] : [...traffic(rollback), ...usage(rollback)];
      const ended = rollback === undefined ? 'ended' : `process ${info.pid} was rolled back`;
      say('info', `${name(info)} ${[`${ended} after ${milliseconds(info.durationMs)}`, ...used].join(', ')}`);
    },
    exit(info) {
      const level = levelOf(info);
      const outcome = paint(level === 'info' ? 'green' : 'red', describeExit(info));
      const used = [...traffic(info), ...usage(info), ...(chosen === 'debug' ? details(info) : [])];
      const after = [`${outcome} after ${milliseconds(info.durationMs)}`, ...used].join(', ');
      say(level, `${name(info)} process ${info.pid} ${after}`);
    },
    refused({ reason, count, remoteAddress, remotePort }) {
      const others = count === 1 ? '' : ` and ${count - 1} more`;
      say(
        'warn',
        `${showHostAndPort(remoteAddress, remotePort)}${others} ${paint('red', 'refused')}: ${reason}`,
      );
    },
  };
}

function accepting(state: ServerState): ZygoteState | undefined {
  return state.zygotes.find(zygote => zygote.accepting);
}

function describeState({ addresses, zygotes }: ServerState): string {
  const lines = [
    addresses.length === 0 ? 'not listening' : `listening on ${addresses.map(showAddress).join(', ')}`,
  ];
  for (const { pid, accepting, uptimeMs, connections } of zygotes) {
    const does = accepting ? 'accepts' : 'does not accept';
    lines.push(`process ${pid} ${does}, up ${milliseconds(uptimeMs)}, connections: ${connections.length}`);
    for (const connection of connections) {
      const { id, pid, durationMs } = connection;
      lines.push(`  #${id} ${clientOf(connection)} by process ${pid} for ${milliseconds(durationMs)}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

/**
 * The client of a Unix socket seldom has a name: then it is named by the server's socket. A client chooses its own name,
 * so its control characters are escaped: they could look like lines of this log.
 */
function clientOf({ family, remoteAddress, remotePort, localAddress }: ConnectionInfo): string {
  if (family !== 'Unix') return showHostAndPort(remoteAddress, remotePort);
  return escapeControls(remoteAddress || localAddress);
}

function escapeControls(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, control => {
    if (control === '\n') return '\\n';
    if (control === '\r') return '\\r';
    const code = control.codePointAt(0)!.toString(16);
    return code.length > 2 ? `\\u${code}` : `\\x${code.padStart(2, '0')}`;
  });
}

function describeExit({ code, signal, coreDumped, limit, execError }: ExitInfo): string {
  if (execError !== undefined) return `could not execute the program (${execError})`;
  const how = signal === null ? `exited with ${code}` : `was ended by ${signal}`;
  return `${how}${coreDumped ? ' (core dumped)' : ''}${limit === null ? '' : ` (${limit})`}`;
}

function traffic({ bytesRead, bytesWritten }: Pick<ExitInfo, 'bytesRead' | 'bytesWritten'>): string[] {
  return bytesRead === null ? [] : [`${bytes(bytesRead)} in`, `${bytes(bytesWritten!)} out`];
}

function usage({ rusage }: Pick<ExitInfo, 'rusage'>): string[] {
  if (rusage === null) return [];
  const cpuMs = (rusage.userCPUTime + rusage.systemCPUTime) / 1000;
  return [`${milliseconds(cpuMs)} of CPU`, `${bytes(rusage.maxRSS * 1024)} of memory`];
}

function details({ rusage }: ExitInfo): string[] {
  if (rusage === null) return [];
  const { minorPageFault, majorPageFault, voluntaryContextSwitches, involuntaryContextSwitches } = rusage;
  return [
    `${minorPageFault} page faults, ${majorPageFault} of them major`,
    `${voluntaryContextSwitches} waits, ${involuntaryContextSwitches} preemptions`,
  ];
}

function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(Math.floor(Math.log2(Math.max(count, 1)) / 10), units.length - 1);
  return power === 0 ? `${count} B` : `${(count / 1024 ** power).toFixed(1)} ${units[power]}`;
}

function milliseconds(ms: number): string {
  return ms < 10
    ? `${ms.toFixed(1)} ms`
    : ms < 10_000
      ? `${Math.round(ms)} ms`
      : `${(ms / 1000).toFixed(1)} s`;
}
