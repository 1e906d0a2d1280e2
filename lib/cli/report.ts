/** What `truefork serve` prints: for people, or a line of JSON for each event. */
import type { AddressInfo } from 'node:net';
import type { WriteStream } from 'node:tty';
import { styleText } from 'node:util';
import type { ConnectionInfo, EndInfo, ExitInfo } from '../server/records.js';
import type { ServerState, ZygoteState } from '../server/server.js';

export interface Reporter {
  listening(address: AddressInfo): void;
  connection(info: ConnectionInfo): void;
  exit(info: ExitInfo): void;
  end(info: EndInfo): void;
  reload(state: ServerState): void;
  state(state: ServerState): void;
}

type Output = NodeJS.WritableStream & Partial<Pick<WriteStream, 'isTTY'>>;

export function jsonReporter(out: Output): Reporter {
  const say = (event: string, fields: object) => out.write(`${JSON.stringify({ event, ...fields })}\n`);
  return {
    listening: ({ address, port }) => say('listening', { host: address, port }),
    connection: info => say('connection', info),
    exit: info => say('exit', info),
    end: info => say('end', info),
    reload: state => say('reload', { pid: accepting(state)?.pid }),
    state: state => say('state', state),
  };
}

export function textReporter(out: Output): Reporter {
  const paint = (format: Parameters<typeof styleText>[0], text: string) =>
    out.isTTY && !process.env.NO_COLOR ? styleText(format, text) : text;
  const name = ({ id, remoteAddress, remotePort }: ConnectionInfo) =>
    paint('bold', `#${id}`) + paint('gray', ` ${endpoint(remoteAddress, remotePort)}`);
  return {
    listening: ({ address, port }) => out.write(`listening on ${endpoint(address, port)}\n`),
    connection: info => out.write(`${name(info)} connected: process ${info.pid}\n`),
    end: info => out.write(`${name(info)} ended after ${milliseconds(info.durationMs)}\n`),
    reload: state => out.write(`reloaded: process ${accepting(state)?.pid} accepts now\n`),
    state: state => out.write(describeState(state)),
    exit(info) {
      const cpu = info.rusage === null ? '' : `, ${milliseconds(cpuMicros(info.rusage) / 1000)} of CPU`;
      const outcome = paint(info.code === 0 ? 'green' : 'red', describeExit(info));
      out.write(
        `${name(info)} process ${info.pid} ${outcome} after ${milliseconds(info.durationMs)}${cpu}\n`,
      );
    },
  };
}

function accepting(state: ServerState): ZygoteState | undefined {
  return state.zygotes.find(zygote => zygote.accepting);
}

function describeState({ address, zygotes }: ServerState): string {
  const lines = [
    address === null ? 'not listening' : `listening on ${endpoint(address.address, address.port)}`,
  ];
  for (const { pid, accepting, uptimeMs, connections } of zygotes) {
    const does = accepting ? 'accepts' : 'does not accept';
    lines.push(`process ${pid} ${does}, up ${milliseconds(uptimeMs)}, connections: ${connections.length}`);
    for (const { id, pid, remoteAddress, remotePort, durationMs } of connections) {
      const who = `#${id} ${endpoint(remoteAddress, remotePort)}`;
      lines.push(`  ${who} by process ${pid} for ${milliseconds(durationMs)}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

function endpoint(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function describeExit({ code, signal, coreDumped }: ExitInfo): string {
  if (signal === null) return `exited with ${code}`;
  return `was ended by ${signal}${coreDumped ? ' (core dumped)' : ''}`;
}

function cpuMicros(usage: NonNullable<ExitInfo['rusage']>): number {
  return usage.userCPUTime + usage.systemCPUTime;
}

function milliseconds(ms: number): string {
  return ms < 10
    ? `${ms.toFixed(1)} ms`
    : ms < 10_000
      ? `${Math.round(ms)} ms`
      : `${(ms / 1000).toFixed(1)} s`;
}
