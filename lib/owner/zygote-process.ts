/** The process of one zygote, as its owner has it: what it is sent, what it sends, and how it ends. */
import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { Socket } from 'node:net';
import { native } from '../binding/native.js';
import { misuse } from '../errors.js';
import { encodeCommand, encodeConfig } from '../wire/commands.js';
import type { ZygoteConfig } from '../wire/config.js';
import type { LoadError } from '../wire/handler-reports.js';
import { RecordReader, type ZygoteRecord } from '../wire/records.js';
import { startZygote } from './prespawn.js';
import { channelOf, environmentOfZygote, type ZygoteOutput } from './zygote-command.js';

export interface Ending {
  code: number | null;
  signal: NodeJS.Signals | null;
}

interface ZygoteEvents {
  record: [ZygoteRecord];
  /** The process has ended, and every record of it has been emitted. */
  end: [Ending];
}

/** How long a zygote may take to reap and report its children after their last deadline. */
const reportMs = 2000;

const longestTimerMs = 2 ** 31 - 1; // of setTimeout()

export class ZygoteProcess extends EventEmitter<ZygoteEvents> {
  readonly #process: ChildProcess;
  readonly #channel: Socket;
  /** Until it serves, it runs the handler script's own code and reads no command. */
  #serves = false;
  #killTimer: NodeJS.Timeout | undefined;
  #killedAt = Number.POSITIVE_INFINITY;

  constructor(
    listeners: readonly number[],
    stdout: ZygoteOutput,
    config: Omit<ZygoteConfig, 'environment'>,
    settings: Buffer[],
  ) {
    super();
    this.#process = startZygote(config, stdout);
    // Where no descriptor was left for a channel there is no process either, and 'error' below says why.
    this.#channel = channelOf(this.#process) ?? new Socket();
    const reader = new RecordReader();
    this.#channel.on('data', (chunk: Buffer) => {
      for (const record of this.#recordsIn(reader, chunk)) {
        if (record.name === 'Listening') this.#serves = true;
        this.emit('record', record);
      }
    });
    // That the zygote has ended is 'close' below; a command that it no longer reads is of no interest.
    this.#channel.on('error', () => {});
    this.#configure({ ...config, environment: environmentOfZygote(config) }, listeners);
    this.send(...settings);

    let notStarted: Error | undefined;
    this.#process.once('error', error => {
      notStarted = error;
      this.emit('record', { name: 'LoadFailed', error });
    });
    this.#process.once('close', (code, signal) => {
      clearTimeout(this.#killTimer);
      if (notStarted === undefined) this.#endGroup();
      this.emit('end', { code, signal });
    });
  }

  /** Nothing below is trusted: a zygote that sends nonsense, whoever wrote it there, is ended, and not this process. */
  *#recordsIn(reader: RecordReader, chunk: Buffer): Generator<ZygoteRecord> {
    try {
      yield* reader.read(chunk);
    } catch (error) {
      this.#channel.destroy();
      this.#process.kill('SIGKILL');
      yield { name: 'LoadFailed', error: error as Error };
    }
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Commands, which it obeys once it serves. */
  send(...commands: readonly Buffer[]): void {
    if (commands.length > 0) this.#channel.write(Buffer.concat(commands));
  }

  /** It kills its children, reports them and ends; where it does not, it is killed, and they with it. */
  kill(): void {
    if (!this.#serves) return void this.#process.kill('SIGKILL');
    this.send(encodeCommand('Kill', {}));
    this.killAfter(0);
  }

  /**
   * SIGKILL, unless it has ended by then and some time to report. A process that is stopped or in an endless loop obeys
   * no command, so the owner never waits for one without this. Called again, the earlier time counts.
   */
  killAfter(ms: number): void {
    const at = performance.now() + ms + reportMs;
    if (this.#killedAt <= at) return;
    this.#killedAt = at;
    clearTimeout(this.#killTimer);
    const kill = () => this.#process.kill('SIGKILL');
    this.#killTimer = setTimeout(kill, Math.min(ms + reportMs, longestTimerMs)).unref();
  }

  /** Kills it, unless it answers within that time: whether it did. */
  async killUnlessItAnswers(ms: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const isLate = new Promise<false>(resolve => {
      timer = setTimeout(resolve, Math.min(ms, longestTimerMs), false);
    });
    const answered = await Promise.race([this.answers(), isLate]);
    clearTimeout(timer);
    if (!answered) this.#process.kill('SIGKILL');
    return answered;
  }

  /** Whether its loop turns. It resolves with true when that answers, and with false when the process ends. */
  answers(): Promise<boolean> {
    if (!this.#serves) return Promise.resolve(false);
    return new Promise(resolve => {
      const onRecord = ({ name }: ZygoteRecord) => {
        if (name === 'Pong') settle(true);
      };
      const onEnd = () => settle(false);
      const settle = (answer: boolean) => {
        this.off('record', onRecord);
        this.off('end', onEnd);
        resolve(answer);
      };
      this.on('record', onRecord);
      this.on('end', onEnd);
      this.#channel.write(encodeCommand('Ping', {}));
    });
  }

  ref(): void {
    this.#process.ref();
    this.#channel.ref();
  }

  unref(): void {
    this.#process.unref();
    this.#channel.unref();
  }

  /** Sends the first message. Where the process has ended already, or was never started, its events say so. */
  #configure(config: ZygoteConfig, listeners: readonly number[]): void {
    const { _handle: handle } = this.#channel as unknown as { _handle: { fd: number } | null };
    if (handle === null) return;
    const { header, body } = encodeConfig(config);
    try {
      if (native.sendConfig(handle.fd, header, listeners)) this.#channel.write(body);
    } catch (error) {
      this.#process.kill('SIGKILL'); // it would wait for its configuration without end
      throw error;
    }
  }

  /** Kills what is left of its process group: children of a zygote that was killed, and what children have started. */
  #endGroup(): void {
    try {
      native.kill(-this.#process.pid!, 9);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/** The error with which a handler failed to load, as the zygote threw it; or that of starting the zygote. */
export function reviveLoadError(sent: LoadError): Error {
  if (sent instanceof Error) return sent;
  const { name, message, stack, code } = sent;
  const error = new Error(message);
  error.name = name;
  if (stack !== undefined) error.stack = stack;
  return code === undefined ? error : Object.assign(error, { code });
}

export function diedWhileLoading(ending: Ending): Error {
  return misuse('ERR_TRUEFORK_HANDLER', `the handler script ${howItEnded(ending)} while it was being loaded`);
}

export function howItEnded({ code, signal }: Ending): string {
  return signal === null ? `exited with code ${code}` : `was ended by ${signal}`;
}
