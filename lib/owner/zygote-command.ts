/** What process a zygote is started as: its script, its flags, and its environment. */
import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { environmentMeant, environmentToForkIn } from '../fork/environment.js';
import { requiredFlags, zygoteFlags } from '../fork/preflight.js';
import { channel, reportImportsVariable, type ZygoteConfig } from '../wire/config.js';
import { environmentOf } from './privileges.js';
import { managersVariables } from './systemd.js';

/** Where the handler script's standard output goes. */
export type ZygoteOutput = 'inherit' | 'stderr';

/** All that has to be known when the process is started. The rest comes with its first message. */
export interface ZygoteKind extends Pick<ZygoteConfig, 'mode' | 'privileges' | 'watch'> {
  /** Whether there is one, not which. */
  program: unknown;
}

/** A command line of Node, in a form that can be compared. */
export interface ZygoteCommand {
  args: string[];
  stdout: ZygoteOutput;
  env: NodeJS.ProcessEnv;
}

const scriptAt = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const scripts = {
  zygote: scriptAt('../zygote/main.js'),
  program: scriptAt('../zygote/program.js'),
  singleProcess: scriptAt('../single-process/main.js'),
};

export function commandFor(kind: ZygoteKind, stdout: ZygoteOutput): ZygoteCommand {
  const flags = forksJavaScript(kind) ? [...requiredFlags(), ...zygoteFlags] : [];
  const meant = withoutManagers(process.env);
  return {
    args: [...flags, scriptFor(kind)],
    stdout,
    env: {
      ...meant,
      ...(forksJavaScript(kind) ? environmentToForkIn(meant) : {}),
      ...environmentOf(kind.privileges),
      ...(kind.watch ? { [reportImportsVariable]: '1' } : {}),
    },
  };
}

/** The variables that such a process is started with other values of than the script is to see. */
export function environmentOfZygote(kind: ZygoteKind): Record<string, string | null> {
  return forksJavaScript(kind) ? environmentMeant(withoutManagers(process.env)) : {};
}

/** The owner's end of the channel to it; undefined where there were no descriptors left for one. */
export function channelOf({ stdio }: ChildProcess): Socket | undefined {
  return (stdio as ChildProcess['stdio'] | undefined)?.[channel] as Socket | undefined;
}

function scriptFor({ mode, program }: ZygoteKind): string {
  if (mode !== 'fork') return scripts.singleProcess;
  return program === undefined ? scripts.zygote : scripts.program;
}

/** A zygote whose children execute a program needs none of what forked JavaScript survives by. */
function forksJavaScript({ mode, program }: ZygoteKind): boolean {
  return mode === 'fork' && program === undefined;
}

/** The service manager's variables are addressed to this process, and to none that it starts. */
function withoutManagers(variables: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const meant = { ...variables };
  for (const name of managersVariables) delete meant[name];
  return meant;
}
