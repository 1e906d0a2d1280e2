/** Memory: what a long-lived child gathers, and what a big heap costs each child. */
import fs from 'node:fs';
import os from 'node:os';
import { expect, test } from 'vitest';
import { Client } from './harness/client.ts';
import { serve } from './harness/served.ts';
import { eventually } from './harness/wait.ts';
import { forking, output } from './posix/subject.ts';

// V8 makes room for young objects in steps, for some thousand collections. A task queued for a dead thread at each of
// them would be 1.2 MiB in five thousand.
test('a child that collects garbage comes to a size that it keeps, and may use a Worker', async () => {
  const said = await output(
    forking(`
      import fs from 'node:fs';
      import { Worker } from 'node:worker_threads';
      import v8 from 'node:v8';
      import vm from 'node:vm';
      v8.setFlagsFromString('--expose-gc');
      const gc = vm.runInNewContext('gc');
      const pid = p.fork();
      if (pid !== 0) process.exit(p.WEXITSTATUS(p.waitpid(pid).status));
      const collect = times => {
        for (let n = 0; n < times; n++) {
          const garbage = Array.from({ length: 100 }, (_, i) => ({ i, buffer: new ArrayBuffer(64) }));
          if (n % 50 === 0) gc();
          else gc({ type: 'minor' });
        }
      };
      const rss = () => Number(/^VmRSS:\\s*(\\d+)/m.exec(fs.readFileSync('/proc/self/status', 'utf8'))[1]);
      const sizes = [];
      const grown = () => sizes.at(-1) - sizes.at(-6);
      while (!(grown() < 700) && sizes.length < 16) {
        collect(1000);
        sizes.push(rss());
      }
      console.log(grown());
      // Its end waits for all that V8 has given to threads, of this process as well.
      const worker = new Worker('0', { eval: true });
      worker.once('exit', code => console.log('Worker', code));
    `),
  );
  const [grown, worker] = said.trim().split('\n');
  expect(Number(grown)).toBeLessThan(700); // KiB
  expect(worker).toBe('Worker 0');
});

// A page for the age of its code, and one for the count of its calls, in each child.
// From Linux 6.1 on, where the kernel has huge pages at all; a sanitizer forbids the copying.
const hasHugePages =
  Number.parseFloat(os.release()) >= 6.1 &&
  fs.existsSync('/sys/kernel/mm/transparent_hugepage') &&
  process.env.ASAN_OPTIONS === undefined;

test.skipIf(!hasHugePages)('the heap of a zygote lies in huge pages', async () => {
  const server = await serve('export default { data(conn, chunk) { conn.write(chunk); } };');
  const { zygotePid } = server;
  await eventually('6 MiB in huge pages', () => {
    const found = /^AnonHugePages:\s*(\d+)/m.exec(fs.readFileSync(`/proc/${zygotePid}/smaps_rollup`, 'utf8'));
    return Number(found?.[1]) >= 6 * 1024;
  });
  await server.stop();
});

test('a gigabyte of live objects is shared by all children, not copied', { timeout: 900_000 }, async () => {
  const server = await serve(
    `
    import fs from 'node:fs';
    const heap = [];
    export function beforeServe() {
      while (process.memoryUsage().heapUsed < 2 ** 30)
        heap.push(Array.from({ length: 100_000 }, (_, n) => ({ n, text: 'object ' + n, list: [n, n + 1, n + 2] })));
    }
    export default {
      data(conn) {
        const rollup = fs.readFileSync('/proc/self/smaps_rollup', 'utf8');
        const mib = name => Math.round(Number(new RegExp('^' + name + ':\\\\s*(\\\\d+)', 'm').exec(rollup)[1]) / 1024);
        const last = heap.at(-1).at(-1);
        conn.write(JSON.stringify({ rss: mib('Rss'), pss: mib('Pss'), own: mib('Private_Dirty'), last: last.list[0] === last.n }) + '\\n');
      },
    };
  `,
    [],
    { env: { NODE_OPTIONS: '--max-old-space-size=4096' }, deadline: 890_000, startsWithin: 400_000 },
  );
  const clients: Client[] = [];
  for (let n = 0; n < 8; n++) clients.push(await Client.connect(server.port));
  await eventually('all children', () => server.connections.length === clients.length);
  for (const client of clients) client.send('?');
  for (const client of clients) {
    while (!client.received.includes('\n')) await new Promise(resolve => client.socket.once('data', resolve));
    const { rss, pss, own, last } = JSON.parse(client.received);
    expect(last).toBe(true);
    expect(rss).toBeGreaterThan(1024);
    expect(pss).toBeLessThan(rss / 4); // one of nine processes that have it
    expect(own).toBeLessThan(64);
  }
  await Promise.all(clients.map(client => client.end()));
  await server.stop();
});
