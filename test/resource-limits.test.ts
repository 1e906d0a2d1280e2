/** What a child may use of the machine: it alone is ended for too much, and its record says for what. */
import fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ask } from './harness/client.ts';
import { script } from './harness/scripts.ts';
import { serve } from './harness/served.ts';
import { runScript } from './harness/subject.ts';

describe('maxMemory', () => {
  const eaters: [what: string, source: string][] = [
    ['objects', 'const all = []; for (;;) all.push({ n: all.length, text: "x".repeat(100) });'],
    ['arrays', 'const all = []; for (;;) all.push(new Array(100_000).fill(1.5));'],
    ['buffers', 'const all = []; for (;;) all.push(Buffer.alloc(1 << 20, 1));'],
    ['one big buffer', 'Buffer.alloc(1 << 30, 1);'],
    ['strings', 'let all = "x"; for (;;) all = JSON.stringify([all, all]);'],
  ];
  test.each(eaters)('a child that fills it with %s is ended, and named', async (_, source) => {
    const server = await serve(
      `export default { data(conn, chunk) {
      if (String(chunk) === 'eat') { ${source} }
      conn.write(chunk);
    } };`,
      ['--max-memory', '64M', '--max-core-size', '0'],
    );
    const [eats, other] = [await server.connect(), await server.connect()];
    eats.send('eat');
    await eats.closed;
    const exit = await server.exitOf(1);
    expect(exit).toMatchObject({ limit: 'maxMemory', bytesRead: 3 });
    expect(exit.code === null || exit.code > 0).toBe(true);
    expect(await other.exchange('still here')).toBe('still here');
    await other.end();
    expect(await server.exitOf(2)).toMatchObject({ limit: null, code: 0 });
    expect(await ask(server.port, 'new')).toBe('new');
    await server.stop();
  });

  test('a segmentation fault for want of memory is told from any other', async () => {
    const server = await serve(
      `import { getrlimit, RLIMIT_DATA, setrlimit } from 'truefork/posix';
       export default { data(conn, chunk) {
         const { rlim_max } = getrlimit(RLIMIT_DATA);
         if (String(chunk) === 'eat') setrlimit(RLIMIT_DATA, { rlim_cur: 1 << 20, rlim_max });
         process.kill(process.pid, 'SIGSEGV');
       } };`,
      ['--max-memory', '64M', '--max-core-size', '0'],
    );
    for (const text of ['eat', 'die']) {
      const client = await server.connect();
      client.send(text);
      await client.closed;
    }
    expect(await server.exitOf(1)).toMatchObject({ limit: 'maxMemory', signal: 'SIGSEGV' });
    expect(await server.exitOf(2)).toMatchObject({ limit: null, signal: 'SIGSEGV' });
    await server.stop();
  });

  const modest: [form: string, source: string][] = [
    ['callbacks', 'export default { data(conn, chunk) { conn.write(chunk); } };'],
    ['stream', 'export default socket => void socket.pipe(socket);'],
    [
      'file system and thread pool',
      `import fs from 'node:fs/promises'; import crypto from 'node:crypto'; import { promisify } from 'node:util';
       export default { async data(conn, chunk) {
         await fs.readFile('/etc/passwd');
         await promisify(crypto.pbkdf2)('a', 'b', 10, 20, 'sha256');
         conn.write(chunk);
       } };`,
    ],
  ];
  test.each(modest)('at the least that it may be, an ordinary handler works: %s', async (_, source) => {
    const server = await serve(source, ['--max-memory', '16M']);
    const client = await server.connect();
    for (let i = 0; i < 20; i++) expect(await client.exchange('hello')).toBe('hello');
    await client.end();
    expect(await server.exitOf(1)).toMatchObject({ limit: null, code: 0 });
    await server.stop();
  });

  test('an error that is caught is no end', async () => {
    const server = await serve(
      `export default { data(conn) {
        try { Buffer.alloc(1 << 30, 1); } catch (error) { conn.write(error.name); }
      } };`,
      ['--max-memory', '64M'],
    );
    expect(await ask(server.port, 'x')).toBe('RangeError');
    expect(await server.exitOf(1)).toMatchObject({ limit: null, code: 0 });
    await server.stop();
  });
});

test('maxCpuTime ends an endless loop, and one that listens to SIGXCPU a second later', async () => {
  const server = await serve(
    `process.on('SIGXCPU', () => {});
     export default { data(conn, chunk) { process.removeAllListeners(String(chunk)); for (;;); } };`,
    ['--max-cpu-time', '1s', '--max-core-size', '0'],
  );
  const clients = [await server.connect(), await server.connect()];
  clients[0]!.send('SIGXCPU');
  clients[1]!.send('nothing');
  for (const client of clients) await client.closed;
  const exit = await server.exitOf(1);
  expect(exit).toMatchObject({ limit: 'maxCpuTime', signal: 'SIGXCPU' });
  expect(exit.rusage!.userCPUTime + exit.rusage!.systemCPUTime).toBeGreaterThan(500_000);
  expect(await server.exitOf(2)).toMatchObject({ limit: 'maxCpuTime', signal: 'SIGKILL' });
  await server.stop();
});

test('descriptors, core size, niceness and OOM score are the child’s, not the server’s', async () => {
  const server = await serve(
    `import fs from 'node:fs';
     import os from 'node:os';
     export default socket => socket.end(JSON.stringify({
       limits: fs.readFileSync('/proc/self/limits', 'utf8'),
       nice: os.getPriority(),
       oom: fs.readFileSync('/proc/self/oom_score_adj', 'utf8'),
     }));`,
    ['--max-open-files', '123', '--max-core-size', '1M', '--nice', '19', '--oom-score-adj', '700'],
  );
  const own = fs.readFileSync(`/proc/${server.zygotePid}/limits`, 'utf8');
  const { limits, nice, oom } = JSON.parse(await ask(server.port));
  expect(limits).toMatch(/^Max open files +123 +123 /m);
  expect(limits).toMatch(/^Max core file size +1048576 +1048576 /m);
  expect(nice).toBe(19);
  expect(oom).toBe('700\n');
  expect(own).not.toMatch(/^Max open files +123 /m);
  expect(fs.readFileSync(`/proc/${server.zygotePid}/oom_score_adj`, 'utf8')).not.toBe('700\n');
  await server.stop();
});

test('beyond maxOpenFiles the handler gets EMFILE, and nobody else does', async () => {
  const server = await serve(
    `import fs from 'node:fs';
     export default socket => {
       try { for (;;) fs.openSync('/dev/null'); } catch (error) { socket.end(error.code); }
     };`,
    ['--max-open-files', '64'],
  );
  for (let i = 0; i < 3; i++) expect(await ask(server.port)).toBe('EMFILE');
  await server.stop();
});

test.runIf(process.getuid!() === 0)(
  'what a user may not have is refused before anything is started',
  async () => {
    const attempt = script(`
    import { ForkingServer } from 'truefork';
    process.setgid(65534);
    process.setuid(65534);
    const handler = ${JSON.stringify(script('export default socket => socket.end();'))};
    for (const options of [{ maxOpenFiles: 2 ** 30 }, { nice: -20 }, { oomScoreAdj: -1000 }]) {
      try { new ForkingServer({ handler, ...options }); console.log('no error'); }
      catch (error) { console.log(error.code, error.message); }
    }
  `);
    const { stdout } = await runScript(attempt);
    expect(stdout.trim().split('\n')).toEqual([
      expect.stringMatching(
        /^ERR_TRUEFORK_LIMIT maxOpenFiles 1073741824 is more than this user may have: at most \d+/,
      ),
      expect.stringMatching(/^ERR_TRUEFORK_LIMIT nice -20 is more than this user may have: at least -?\d+/),
      expect.stringMatching(/^ERR_TRUEFORK_LIMIT oomScoreAdj -1000 is more than .*: at least -?\d+, its own/),
    ]);
  },
);
