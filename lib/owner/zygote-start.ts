/** Starts the process of a zygote. What it is to serve it hears when it is there, so that it can be started ahead. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { environmentMeant, environmentToForkIn } from '../fork/environment.js';
import { requiredFlags, zygoteFlags } from '../fork/preflight.js';
import { channel, type ZygoteConfig } from '../wire/config.js';
import { reportVariable } from '../zygote/imports.js';
import { environmentOf } from './privileges.js';
import { managersVariables } from './systemd.js';

/** Where the handler script's standard output goes. */
export type ZygoteOutput = 'inherit' | 'stderr';

/** What a process has to be started for; all else it can be told. */
export interface ZygoteKind extends Pick<ZygoteConfig, 'mode' | 'privileges' | 'watch'> {
  /** Whether there is one, not which. */
  program: unknown;
}

const script = fileURLToPath(new URL('../zygote/main.js', import.meta.url));
const programScript = fileURLToPath(new URL('../zygote/program.js', import.meta.url));

let ahead: { process: ChildProcess; command: string } | undefined;

/** A process of that kind, started now or ahead. */
export function startZygote(kind: ZygoteKind, stdout: ZygoteOutput): ChildProcess {
  const command = commandFor(kind, stdout);
  const early = ahead;
  if (early === undefined || early.command !== JSON.stringify(command) || hasEnded(early.process)) {
    endPrespawnedZygote();
    return start(command);
  }
  ahead = undefined;
  early.process.ref();
  channelOf(early.process)?.ref();
  return early.process;
}

/** Starts a process of that kind for whoever will want one first. Until then it keeps nobody from ending. */
export function prespawnZygote(kind: ZygoteKind, stdout: ZygoteOutput): void {
  const command = commandFor(kind, stdout);
  const early = start(command);
  early.on('error', () => {}); // whoever needs one is told when he starts it
  if (early.pid === undefined) return;
  early.unref();
  channelOf(early)?.unref();
  ahead = { process: early, command: JSON.stringify(command) };
}

/** Ends the process that was started ahead, if nobody has taken it. */
export function endPrespawnedZygote(): void {
  ahead?.process.kill('SIGKILL');
  ahead = undefined;
}

/** Of the process that was started ahead, if nobody has taken it. */
export function prespawnedPid(): number | undefined {
  return ahead?.process.pid;
}

/** The owner's end of the channel to it; undefined where there were no descriptors left for one. */
export function channelOf({ stdio }: ChildProcess): Socket | undefined {
  return (stdio as ChildProcess['stdio'] | undefined)?.[channel] as Socket | undefined;
}

/** The variables that differ for its start from what is meant for it. */
export function environmentOfZygote(kind: ZygoteKind): Record<string, string | null> {
  return forks(kind) ? environmentMeant(withoutManagers(process.env)) : {};
}

type Command = ReturnType<typeof commandFor>;

function commandFor(kind: ZygoteKind, stdout: ZygoteOutput) {
  const flags = forks(kind) ? [...requiredFlags(), ...zygoteFlags] : [];
  const meant = withoutManagers(process.env);
  return {
    args: [...flags, kind.program === undefined ? script : programScript],
    stdout,
    env: {
      ...meant,
      ...(forks(kind) ? environmentToForkIn(meant) : {}),
      ...environmentOf(kind.privileges),
      ...(kind.watch ? { [reportVariable]: '1' } : {}),
    },
  };
}

function start({ args, stdout, env }: Command): ChildProcess {
  return spawn(process.execPath, args, {
    // A process group of its own: the terminal's Ctrl-C is for the owner, who then ends its children with grace.
    detached: true,
    env,
    stdio: ['ignore', stdout === 'stderr' ? 2 : 'inherit', 'inherit', 'pipe'],
  });
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/** What becomes another program needs none of what forked JavaScript survives by. */
function forks({ mode, program }: ZygoteKind): boolean {
  return mode === 'fork' && program === undefined;
}

function withoutManagers(variables: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const meant = { ...variables };
  for (const name of managersVariables) delete meant[name];
  return meant;
}
