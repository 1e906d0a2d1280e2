/** Subjects of these tests: scripts with `truefork/posix` as `p`, `assert`, and `fails(code, call)` at hand. */
import { expect } from 'vitest';
import { script } from '../harness/scripts.ts';
import { node, run, type SubjectOptions } from '../harness/subject.ts';

const prelude = `
import assert from 'node:assert/strict';
import * as p from 'truefork/posix';
const fails = (code, call) => assert.throws(call, error => {
  assert.equal(error.code, code, error.stack);
  return true;
});
/** A listener on a free port of this machine. */
const listener = () => {
  const fd = p.socket(p.AF_INET, p.SOCK_STREAM, 0);
  p.bind(fd, { family: p.AF_INET, address: p.INADDR_LOOPBACK, port: 0 });
  p.listen(fd, 5);
  return [fd, p.getsockname(fd)];
};
/** Two ends of a TCP connection. */
const connection = () => {
  const [listenfd, address] = listener();
  const client = p.socket(p.AF_INET, p.SOCK_STREAM, 0);
  p.connect(client, address);
  const server = p.accept(listenfd);
  p.close(listenfd);
  return [client, server];
};
/** Runs in a child, which then exits with 0, or what it returns. */
const inChild = deed => {
  const pid = p.fork();
  if (pid !== 0) return pid;
  p.exit(deed() ?? 0);
};
const milliseconds = ms => ({ tv_sec: Math.floor(ms / 1000), tv_usec: (ms % 1000) * 1000 });
/** SIGALRM after so long, and again after each interval. */
const timer = (ms, interval = 0) =>
  p.setitimer(p.ITIMER_REAL, { it_value: milliseconds(ms), it_interval: milliseconds(interval) });
`;

/** A script that only makes calls. */
export function calling(source: string): string {
  return script(`${prelude}${source}`);
}

/** A script that forks. */
export function forking(source: string): string {
  return script(`import 'truefork/auto';${prelude}${source}`);
}

/** Runs it: it must end with 0 and without a word on stderr. What it said on stdout. */
export async function output(
  file: string,
  args: readonly string[] = [],
  options?: SubjectOptions,
): Promise<string> {
  const { stdout, ...ending } = await run(node, [file, ...args], options);
  expect({ stdout, ...ending }).toEqual({ stdout, stderr: '', code: 0, signal: null });
  return stdout;
}

/** Runs a source whose assertions must all hold, to its last line. */
export async function holds(file: string, options?: SubjectOptions): Promise<void> {
  expect(await output(file, [], options)).toBe('');
}
