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
import { reportVariable } from '../zygote/imports.js';
import { environmentOf } from './privileges.js';
import { encodeCommand, type LoadError, RecordReader, type ZygoteRecord } from './protocol.js';
import { managersVariables } from './systemd.js';

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
const programScript = fileURLToPath(new URL('../zygote/program.js', import.meta.url));

export class ZygoteProcess extends EventEmitter<ZygoteEvents> {
  readonly #process: ChildProcess;
  readonly #channel: Duplex;
  /** Until it serves, it runs the handler script's own code and hears no command. */
  #serves = false;

  constructor(
    listeners: readonly number[],
    stdout: 'inherit' | 'stderr',
    config: Omit<ZygoteConfig, 'environment'>,
    settings: Buffer[],
  ) {
    super();
    // What becomes another program needs none of what forked JavaScript survives by.
    const forks = config.mode === 'fork' && config.program === undefined;
    const flags = forks ? [...requiredFlags(), ...zygoteFlags] : [];
    const start = config.program === undefined ? script : programScript;
    const meant = withoutManagers(process.env);
    const environment = forks ? environmentMeant(meant) : {};
    this.#process = spawn(process.execPath, [...flags, start, JSON.stringify({ ...config, environment })], {
      // A process group of its own: the terminal's Ctrl-C is for the owner, who then ends its children with grace.
      detached: true,
      env: {
        ...meant,
        ...(forks ? environmentToForkIn(meant) : {}),
        ...environmentOf(config.privileges),
        ...(config.watch ? { [reportVariable]: '1' } : {}),
      },
      // In the order of `descriptors` in lib/zygote/config.ts.
      stdio: ['ignore', stdout === 'stderr' ? 2 : 'inherit', 'inherit', 'pipe', ...listeners],
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
    this.send(...settings);

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
  send(...commands: readonly Buffer[]): void {
    if (commands.length > 0) this.#channel.write(Buffer.concat(commands));
  }

  kill(): void {
    if (!this.#serves) this.#process.kill('SIGKILL');
    else this.send(encodeCommand('Kill', {}));
  }

  /** Whether its loop turns. Nobody waits for ever: what does not answer now is asked anew, or ends. */
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

function withoutManagers(variables: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const meant = { ...variables };
  for (const name of managersVariables) delete meant[name];
  return meant;
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
