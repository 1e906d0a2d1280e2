/** What a child knows of itself and of the time before it: its own where it must be, its parent's where it may. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { ask } from './harness/client.ts';
import { children } from './harness/proc.ts';
import { scriptFolder } from './harness/scripts.ts';
import { serve } from './harness/served.ts';
import { node, run, Subject } from './harness/subject.ts';
import { eventually } from './harness/wait.ts';
import { forking, output } from './posix/subject.ts';

describe('in a child', () => {
  test('AsyncLocalStorage keeps the store of the fork, through awaits and timers', async () => {
    const said = await output(
      forking(`
        import { AsyncLocalStorage } from 'node:async_hooks';
        import fs from 'node:fs';
        const store = new AsyncLocalStorage();
        await store.run({ request: 7 }, async () => {
          await null;
          const pid = p.fork();
          store.getStore().in = pid === 0 ? 'child' : 'parent';
          await new Promise(resolve => setTimeout(resolve, 2));
          await fs.promises.stat('/');
          await store.run('inner', async () => { await null; assert.equal(store.getStore(), 'inner'); });
          if (pid !== 0) p.waitpid(pid);
          console.log(JSON.stringify(store.getStore()));
        });
        assert.equal(store.getStore(), undefined);
      `),
    );
    expect(said).toBe('{"request":7,"in":"child"}\n{"request":7,"in":"parent"}\n');
  });

  test('the clocks go on from the start of the script', async () => {
    await output(
      forking(`
        import { performance } from 'node:perf_hooks';
        const before = { uptime: process.uptime(), now: performance.now(), origin: performance.timeOrigin, hr: process.hrtime.bigint() };
        const pid = p.fork();
        if (pid !== 0) process.exit(p.WEXITSTATUS(p.waitpid(pid).status));
        assert.equal(performance.timeOrigin, before.origin);
        assert.ok(process.uptime() > before.uptime);
        assert.ok(performance.now() > before.now);
        assert.ok(process.hrtime.bigint() > before.hr);
        assert.ok(Math.abs(performance.timeOrigin + performance.now() - Date.now()) < 5000);
        const { userCPUTime } = process.resourceUsage(); // the kernel's account begins anew
        assert.ok(userCPUTime / 1e6 < process.uptime());
      `),
    );
  });

  test('process.title, process.report and process.pid are its own', async () => {
    const { stderr, ...ended } = await run(node, [
      forking(`
        import fs from 'node:fs';
        process.title = 'the parent';
        const pid = p.fork();
        if (pid !== 0) {
          assert.equal(p.waitpid(pid).status, 0);
          assert.equal(process.title, 'the parent');
          process.exit();
        }
        assert.equal(process.title, 'the parent');
        process.title = 'a child';
        assert.match(fs.readFileSync('/proc/self/cmdline', 'utf8'), /^a child/);
        const { header, javascriptStack } = process.report.getReport();
        assert.equal(header.processId, p.getpid());
        assert.ok(javascriptStack.stack.length > 0);
        const file = process.report.writeReport(process.argv[1] + '.report.json');
        assert.equal(JSON.parse(fs.readFileSync(file)).header.processId, process.pid);
        console.log(process.pid === p.getpid(), process.ppid === p.getppid());
      `),
    ]);
    expect(ended).toEqual({ code: 0, signal: null, stdout: 'true true\n' });
    expect(stderr).toMatch(/^\nWriting Node\.js report to file: .*\nNode\.js report completed\n$/);
  });
});

test('beforeExit and exit come in Node’s order, with the code, and each once', async () => {
  const deed = `
    const said = [];
    let more = 1;
    process.on('beforeExit', code => { said.push('beforeExit ' + code); if (more-- > 0) setTimeout(() => said.push('more'), 2); });
    process.once('exit', code => said.push('first ' + code));
    process.on('exit', code => { said.push('second ' + code); process.exitCode = 6; });
    process.on('exit', code => { said.push('third ' + code + ' ' + process.exitCode); console.log(said.join(', ')); });
    process.exitCode = 5;
  `;
  const asNodeHasIt = await run(node, ['--input-type=module', '--eval', deed]);
  const ofChild = await output(
    forking(`
      const pid = p.fork();
      if (pid === 0) { ${deed} } else { process.exitCode = 0; console.log(p.WEXITSTATUS(p.waitpid(pid).status)); }
    `),
  );
  expect(asNodeHasIt).toMatchObject({ code: 6, signal: null, stderr: '' });
  expect(ofChild).toBe(`${asNodeHasIt.stdout}6\n`);
});

describe('what a child prints straight before its exit is written', () => {
  const printing = forking(`
    const count = Number(process.argv[2]);
    const pid = p.fork();
    if (pid === 0) {
      for (let n = 0; n < count; n++) console.log('line ' + n + ' ' + 'x'.repeat(100));
      process.exit(3);
    }
    process.exitCode = p.WEXITSTATUS(p.waitpid(pid).status);
  `);
  const lines = (count: number) =>
    Array.from({ length: count }, (_, n) => `line ${n} ${'x'.repeat(100)}\n`).join('');
  // script(1) gives a program a terminal, and passes its exit code on.
  const shell = (line: string, count: number) =>
    run('/bin/bash', ['-c', line, 'bash', node, printing, String(count)]);

  test('to a pipe', async () => {
    expect(await run(node, [printing, '2000'])).toEqual({
      code: 3,
      signal: null,
      stdout: lines(2000),
      stderr: '',
    });
  });

  test('to a file', async () => {
    const file = path.join(scriptFolder, `out-${process.pid}`);
    const result = await run('/bin/sh', ['-c', '"$0" "$1" 2000 > "$2"', node, printing, file]);
    expect(result).toEqual({ code: 3, signal: null, stdout: '', stderr: '' });
    expect(fs.readFileSync(file, 'utf8')).toBe(lines(2000));
  });

  test('to a terminal', async () => {
    const { code, stdout } = await shell('script -qec "$1 $2 $3" /dev/null', 200);
    expect(stdout.replaceAll('\r\n', '\n')).toBe(lines(200));
    expect(code).toBe(3);
  });

  test('to a full pipe whose reader is slow', async () => {
    const subject = new Subject(node, [printing, '5000']);
    subject.process.stdout!.pause();
    await eventually('the child to wait for room', () =>
      children(subject.pid).some(({ state }) => state === 'S'),
    );
    subject.process.stdout!.resume();
    expect(await subject.ended).toEqual({ code: 3, signal: null });
    expect(subject.stdout).toBe(lines(5000));
  });

  test('to nobody: the reader is gone, and the child ends as Node does', async () => {
    const { stdout, ...ending } = await shell('"$1" "$2" "$3" | head -n 1; exit $PIPESTATUS', 5000);
    expect(stdout).toBe(lines(1));
    expect(ending.signal).toBe(null);
    expect(ending.code).not.toBe(0);
  });
});

test('a child of a server knows the clocks and the stores of its script as well', async () => {
  const server = await serve(`
    import { AsyncLocalStorage } from 'node:async_hooks';
    const store = new AsyncLocalStorage();
    const loadedAt = performance.now();
    export default {
      open: conn => store.run(conn.remotePort, async () => {
        await new Promise(resolve => setTimeout(resolve, 2));
        conn.end(JSON.stringify({ same: store.getStore() === conn.remotePort, on: performance.now() > loadedAt, title: process.title }));
      }),
    };
  `);
  expect(JSON.parse(await ask(server.port))).toMatchObject({
    same: true,
    on: true,
    title: expect.stringMatching(/^truefork: 127\.0\.0\.1:\d+$/),
  });
  expect(await server.exitOf(1)).toMatchObject({ code: 0 });
  await server.stop();
});
