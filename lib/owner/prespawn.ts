/**
 * The process of a zygote, started when it is needed or a little earlier. Node takes as long to start as the command
 * takes to load its own modules, so `truefork serve` starts a zygote first (lib/cli/prespawn.ts). Such a process waits for
 * its first message like any other.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  channelOf,
  commandFor,
  type ZygoteCommand,
  type ZygoteKind,
  type ZygoteOutput,
} from './zygote-command.js';

let prespawned: { process: ChildProcess; command: string } | undefined;

/** A process of that kind: the prespawned one, if it is of that kind and alive, or a new one. */
export function startZygote(kind: ZygoteKind, stdout: ZygoteOutput): ChildProcess {
  const command = commandFor(kind, stdout);
  const early = prespawned;
  if (early === undefined || early.command !== JSON.stringify(command) || hasEnded(early.process)) {
    endPrespawnedZygote();
    return start(command);
  }
  prespawned = undefined;
  early.process.ref();
  channelOf(early.process)?.ref();
  return early.process;
}

/** Starts a process of that kind for the first server that wants one. It does not keep this process alive. */
export function prespawnZygote(kind: ZygoteKind, stdout: ZygoteOutput): void {
  const command = commandFor(kind, stdout);
  const early = start(command);
  early.on('error', () => {}); // the server that starts one itself gets the same error
  if (early.pid === undefined) return;
  early.unref();
  channelOf(early)?.unref();
  prespawned = { process: early, command: JSON.stringify(command) };
}

/** Ends the prespawned process, unless a server has taken it. */
export function endPrespawnedZygote(): void {
  prespawned?.process.kill('SIGKILL');
  prespawned = undefined;
}

/** The process ID of the prespawned process, unless a server has taken it. */
export function prespawnedPid(): number | undefined {
  return prespawned?.process.pid;
}

function start({ args, stdout, env }: ZygoteCommand): ChildProcess {
  return spawn(process.execPath, args, {
    // A process group of its own: Ctrl-C in a terminal is for the owner, which then lets the children finish.
    detached: true,
    env,
    stdio: ['ignore', stdout === 'stderr' ? 2 : 'inherit', 'inherit', 'pipe'],
  });
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
