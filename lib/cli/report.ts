/** What `truefork serve` prints: for people, or a line of JSON for each event. */
import type { WriteStream } from 'node:tty';
import { styleText } from 'node:util';
import { type ListenAddress, showAddress, showHostAndPort } from '../server/listener.js';
import type { ConnectionInfo, EndInfo, ExitInfo } from '../server/records.js';

export interface Reporter {
  listening(address: ListenAddress): void;
  connection(info: ConnectionInfo): void;
  exit(info: ExitInfo): void;
  end(info: EndInfo): void;
}

type Output = NodeJS.WritableStream & Partial<Pick<WriteStream, 'isTTY'>>;

export function jsonReporter(out: Output): Reporter {
  const say = (event: string, fields: object) => out.write(`${JSON.stringify({ event, ...fields })}\n`);
  return {
    listening: address =>
      say(
        'listening',
        typeof address === 'string' ? { path: address } : { host: address.address, port: address.port },
      ),
    connection: info => say('connection', info),
    exit: info => say('exit', info),
    end: info => say('end', info),
  };
}

export function textReporter(out: Output): Reporter {
  const paint = (format: Parameters<typeof styleText>[0], text: string) =>
    out.isTTY && !process.env.NO_COLOR ? styleText(format, text) : text;
  const name = (info: ConnectionInfo) => paint('bold', `#${info.id}`) + paint('gray', ` ${clientOf(info)}`);
  return {
    listening: address => out.write(`listening on ${showAddress(address)}\n`),
    connection: info => out.write(`${name(info)} connected: process ${info.pid}\n`),
    end: info => out.write(`${name(info)} ended after ${milliseconds(info.durationMs)}\n`),
    exit(info) {
      const cpu = info.rusage === null ? '' : `, ${milliseconds(cpuMicros(info.rusage) / 1000)} of CPU`;
      const outcome = paint(info.code === 0 ? 'green' : 'red', describeExit(info));
      out.write(
        `${name(info)} process ${info.pid} ${outcome} after ${milliseconds(info.durationMs)}${cpu}\n`,
      );
    },
  };
}

/** A Unix socket's client seldom has a name: then it goes by where it came in. */
function clientOf({ family, remoteAddress, remotePort, localAddress }: ConnectionInfo): string {
  return family === 'Unix' ? remoteAddress || localAddress : showHostAndPort(remoteAddress, remotePort);
}

function describeExit({ code, signal, coreDumped, execError }: ExitInfo): string {
  if (execError !== undefined) return `could not execute the program (${execError})`;
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
