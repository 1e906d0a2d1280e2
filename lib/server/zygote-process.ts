/** The owner's end of a zygote: starts it, sends commands, hears records. */
import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { misuse } from '../errors.js';
import { environmentMeant, environmentToForkIn } from '../fork/environment.js';
import { requiredFlags, zygoteFlags } from '../fork/preflight.js';
import { native } from '../native.js';
import type { ZygoteConfig } from '../zygote/config.js';
import { encodeCommand, type LoadError, RecordReader, type ZygoteRecord } from './protocol.js';

export interface Ending {
  code: number | null;
  signal: NodeJS.Signals | null;
}

interface ZygoteEvents {
  record: [ZygoteRecord];
  /** The process has ended, and every record of it has been told. */
  end: [Ending];
}

const script = fileURLToPath(new URL('../zygote/main.js', import.meta.url));

export class ZygoteProcess extends EventEmitter<ZygoteEvents> {
  readonly #process: ChildProcess;
  readonly #channel: Duplex;
  /** Until it serves, it runs the handler script's own code and hears no command. */
  #serves = false;

  constructor(
    listener: number,
    stdout: 'inherit' | 'stderr',
    config: Omit<ZygoteConfig, 'environment'>,
    settings: Buffer[],
  ) {
    super();
    const forks = config.mode === 'fork';
    const flags = forks ? [...requiredFlags(), ...zygoteFlags] : [];
    const environment = forks ? environmentMeant(process.env) : {};
    this.#process = spawn(process.execPath, [...flags, script, JSON.stringify({ ...config, environment })], {
      // A process group of its own: the terminal's Ctrl-C is for the owner, who then ends its children with grace.
      detached: true,
      env: forks ? { ...process.env, ...environmentToForkIn(process.env) } : process.env,
      // In the order of `descriptors` in lib/zygote/config.ts.
      stdio: ['ignore', stdout === 'stderr' ? 2 : 'inherit', 'inherit', 'pipe', listener],
    });
    this.#channel = this.#process.stdio[3] as unknown as Duplex;
    const reader = new RecordReader();
    this.#channel.on('data', (chunk: Buffer) => {
      for (const record of reader.read(chunk)) {
        if (record.name === 'Listening') this.#serves = true;
        this.emit('record', record);
      }
    });
    // Its end is told by 'close' below; what a dead zygote could not be told any more is no news.
    this.#channel.on('error', () => {});
    this.send(settings);

    let notStarted: Error | undefined;
    this.#process.once('error', error => {
      notStarted = error;
      this.emit('record', { name: 'LoadFailed', error: error as LoadError });
    });
    this.#process.once('close', (code, signal) => {
      if (notStarted === undefined) this.#endGroup();
      this.emit('end', { code, signal });
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Commands that are obeyed once it serves. */
  send(commands: readonly Buffer[]): void {
    if (commands.length > 0) this.#channel.write(Buffer.concat(commands));
  }

  stop(graceMs: number, killMs: number): void {
    if (!this.#serves) this.#process.kill('SIGKILL');
    else this.#channel.write(encodeCommand('Stop', { graceMs, killMs }));
  }

  kill(): void {
    if (!this.#serves) this.#process.kill('SIGKILL');
    else this.#channel.write(encodeCommand('Kill', {}));
  }

  ref(): void {
    this.#process.ref();
    (this.#channel as unknown as { ref(): void }).ref();
  }

  unref(): void {
    this.#process.unref();
    (this.#channel as unknown as { unref(): void }).unref();
  }

  /** What is left of its process group: children of a zygote that was killed, and what children have started. */
  #endGroup(): void {
    try {
      native.kill(-this.#process.pid!, 9);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/** The error with which a handler failed to load, as it was thrown in the zygote. */
export function reviveLoadError({ name, message, stack, code }: LoadError): Error {
  const error = new Error(message);
  error.name = name;
  if (stack !== undefined) error.stack = stack;
  return code === undefined ? error : Object.assign(error, { code });
}

export function diedWhileLoading({ code, signal }: Ending): Error {
  const how = signal === null ? `exited with code ${code}` : `was ended by ${signal}`;
  return misuse('ERR_TRUEFORK_HANDLER', `the handler script ${how} while it was being loaded`);
}
