/** Whether a fork, and a server, really work here. Each is tried in processes of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { addonFile } from '../binding/native.js';
import { requiredFlags } from '../fork/preflight.js';
import { ForkingServer } from '../owner/forking-server.js';
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
  const problem = await problemOf([...requiredFlags(), '--eval', '0']);
  if (problem === undefined) return ok('flags', `Node takes ${requiredFlags().join(' ')}`);
  const advice =
    process.env.NODE_OPTIONS === undefined
      ? "use the Node of nodejs.org, or a distribution's that has these flags"
      : `unset NODE_OPTIONS, which is ${process.env.NODE_OPTIONS}`;
  return failure('flags', problem, refused(problem) ?? advice);
}

async function forkTrial(): Promise<Finding> {
  const probe = fileURLToPath(new URL('fork-probe.js', import.meta.url));
  const problem = await problemOf([
    ...requiredFlags(),
    '--import',
    new URL('../auto.js', import.meta.url).href,
    probe,
  ]);
  if (problem === undefined) return ok('fork', 'a child ran JavaScript, and was reaped');
  return failure(
    'fork',
    problem,
    refused(problem) ?? 'docs/troubleshooting.md explains each error by its code',
  );
}

/** What to do about a system call that was refused, if the problem is one. */
function refused(problem: string): string | undefined {
  if (/EPERM|EACCES|ENOSYS|SIGSYS/.test(problem)) {
    return (
      'a rule of this container or sandbox forbids that call (seccomp, AppArmor, SELinux): have it allowed, or use ' +
      "the container engine's default profile"
    );
  }
  if (/EAGAIN|ENOMEM/.test(problem))
    return 'this user or machine has no more processes or memory: end some, or raise ulimit -u or pids.max';
  return undefined;
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
    const { port } = server.address() as net.AddressInfo;
    const socket = net.connect(port, '127.0.0.1');
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

/** Runs Node to its end. Undefined: it exited with 0. */
async function problemOf(args: string[]): Promise<string | undefined> {
  try {
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: deadlineMs,
      killSignal: 'SIGKILL',
    });
    const [errors, [code, signal]] = await Promise.all([
      text(child.stderr),
      once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>,
    ]);
    if (code === 0) return undefined;
    const why = /^\w*Error\b.*: .*$/m.exec(errors)?.[0] ?? errors.trim().split('\n').at(-1);
    return `${signal === null ? `exit code ${code}` : `ended by ${signal}`}. ${why}`;
  } catch (error) {
    return (error as Error).message; // it could not even be started
  }
}
