/** As the first process of a container: it inherits every orphan in there, and no signal ends it that it does not handle. */
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { ask, Client } from './harness/client.ts';
import { children, descendants, isAlive } from './harness/proc.ts';
import { script } from './harness/scripts.ts';
import { cli, node, Subject } from './harness/subject.ts';
import { eventually } from './harness/wait.ts';

function canUnshare(): boolean {
  try {
    execFileSync('unshare', ['-fp', '--mount-proc', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

test.skipIf(!canUnshare())('as PID 1 it reaps what is not its own, and stops on SIGTERM', async () => {
  const handler = script(`
    import { spawn } from 'node:child_process';
    // A grandchild whose parent is gone at once: an orphan, which falls to PID 1.
    export default { data(conn, chunk) { spawn('sh', ['-c', 'sleep 0.2 &'], { detached: true }).unref(); conn.write(chunk); } };
  `);
  const outside = new Subject('unshare', ['-fp', '--mount-proc', node, cli, 'serve', handler, '--port', '0']);
  const port = Number((await outside.says(/listening on 127\.0\.0\.1:(\d+)/))[1]);
  const init = children(outside.pid)[0]!.pid;
  const isInit = execFileSync('grep', ['NSpid', `/proc/${init}/status`]).toString();
  expect(isInit).toMatch(/\t1\n$/);
  for (let turn = 0; turn < 5; turn++) expect(await ask(port, 'hello')).toBe('hello');
  await eventually('orphans to arrive and be reaped: only the zygote is left', () => {
    const left = children(init);
    return left.length === 1 && left[0]!.state !== 'Z';
  });
  const client = await Client.connect(port);
  await client.exchange('before');
  const inside = descendants(outside.pid);
  expect(inside.length).toBeGreaterThanOrEqual(3);
  process.kill(init, 'SIGTERM');
  expect(await client.exchange('after')).toBe('after');
  await client.end();
  expect(await outside.ended).toEqual({ code: 0, signal: null });
  expect(inside.filter(isAlive)).toEqual([]);
});
