/** What no file tells: whether a fork, and a server, really work here. Each is tried in processes of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { requiredFlags } from '../fork/preflight.js';
import { addonFile } from '../native.js';
import { ForkingServer } from '../server/forking-server.js';
import { type Finding, failure, ok, warning } from './finding.js';

const deadlineMs = 20_000;

export async function trials(): Promise<Finding[]> {
  const flags = await flagsTrial();
  if (flags.verdict === 'failure' || addonFile === undefined) return [flags];
  const fork = await forkTrial();
  return fork.verdict === 'failure' ? [flags, fork] : [flags, fork, await serverTrial()];
}

/** NODE_OPTIONS, or a distribution's own Node, may not go with the flags that a fork needs. */
async function flagsTrial(): Promise<Finding> {
  const result = await runNode([...requiredFlags(), '--eval', '0']);
  if (result.problem === undefined) return ok('flags', `Node takes ${requiredFlags().join(' ')}`);
  const advice =
    process.env.NODE_OPTIONS === undefined
      ? "use the Node of nodejs.org, or a distribution's that has these flags"
      : `unset NODE_OPTIONS, which is ${process.env.NODE_OPTIONS}`;
  return failure('flags', result.problem, advice);
}

async function forkTrial(): Promise<Finding> {
  const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));
  const result = await runNode([...requiredFlags(), '--import', '../auto.js', file('fork-probe.js')]);
  if (result.problem === undefined) return ok('fork', result.output);
  const advice = /EPERM|ENOSYS|SIGSYS/.test(result.problem)
    ? 'a rule of this container or sandbox forbids that call (seccomp, AppArmor, SELinux): have it allowed, or use ' +
      "the engine's default profile"
    : /EAGAIN|ENOMEM/.test(result.problem)
      ? 'the machine or this user has no more processes or memory: end some, or raise ulimit -u or pids.max'
      : 'docs/troubleshooting.md tells of each error by its code';
  return failure('fork', result.problem, advice);
}

async function serverTrial(): Promise<Finding> {
  const server = new ForkingServer({
    handler: new URL('echo-handler.js', import.meta.url),
    stdout: 'stderr',
  });
  const begun = performance.now();
  const warnings: string[] = [];
  server.on('warning', ({ message }) => warnings.push(message));
  try {
    await server.listen(0, '127.0.0.1');
    const socket = net.connect(server.address()!.port, '127.0.0.1');
    socket.setTimeout(deadlineMs, () => socket.destroy(new Error('no answer came')));
    socket.end('are you there?');
    const answer = await text(socket);
    if (answer !== 'are you there?') throw new Error(`the answer was "${answer}"`);
    const found = `a forked process answered ${Math.round(performance.now() - begun)} ms after the start`;
    if (warnings.length === 0) return ok('server', found);
    return warning('server', found, `but not at once: ${warnings.join('; ')}`);
  } catch (error) {
    const advice = 'does a firewall or sandbox forbid connections to 127.0.0.1?';
    return failure('server', [(error as Error).message, ...warnings].join('; '), advice);
  } finally {
    await server.close({ gracePeriod: 0 });
  }
}

async function runNode(args: string[]): Promise<{ output: string; problem?: string }> {
  const child = spawn(process.execPath, args, {
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: deadlineMs,
    killSignal: 'SIGKILL',
  });
  const [output, errors, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>,
  ]);
  if (code === 0) return { output: output.trim() };
  const why = /^.*Error.*$/m.exec(errors)?.[0] ?? errors.trim().split('\n').at(-1) ?? '';
  return {
    output,
    problem: `${signal === null ? `exit code ${code}` : `ended by ${signal}`}. ${why}`.trim(),
  };
}
