/** fork(): what the child has, where it is refused, the fuse, and the ways to start. */
import { describe, expect, test } from 'vitest';
import { script } from '../harness/scripts.ts';
import { cli, node, run, Subject } from '../harness/subject.ts';
import { calling, forking, holds, output } from './subject.ts';

test('fork returns twice', async () => {
  const said = await output(
    forking(`
      const parent = p.getpid();
      const pid = p.fork();
      if (pid === 0) {
        assert.equal(p.getppid(), parent);
        assert.notEqual(p.getpid(), parent);
        assert.equal(process.pid, p.getpid());
        console.log('child');
        p.exit(3);
      }
      assert.ok(pid > 0);
      assert.deepEqual(p.waitpid(pid), { pid, status: 3 << 8 });
      console.log('parent');
    `),
  );
  expect(said).toBe('child\nparent\n');
});

test('the child has a copy of the memory, and the same open files', () =>
  holds(
    forking(`
      const warm = { list: [1, 2, 3] };
      const [reading, writing] = p.pipe();
      const pid = inChild(() => {
        warm.list.push(4);
        p.write(writing, Buffer.from(JSON.stringify(warm)));
      });
      p.waitpid(pid);
      const buf = Buffer.alloc(99);
      assert.equal(buf.toString('utf8', 0, p.read(reading, buf)), '{"list":[1,2,3,4]}');
      assert.deepEqual(warm, { list: [1, 2, 3] });
    `),
  ));

test('standard input that is a pipe is left to the script: no stream of it is opened', async () => {
  const opened = await output(
    script(`
      import 'truefork/auto';
      const opened = () => process.getActiveResourcesInfo().filter(resource => resource === 'PipeWrap').length;
      const before = opened();
      process.stdin.destroy();
      console.log(before, opened());
    `),
  );
  expect(opened).toBe('0 1\n');
});

test('a child outlives its parent, as a daemon does', async () => {
  const said = await output(
    forking(`
      const [reading, writing] = p.pipe();
      const parent = p.getpid();
      if (p.fork() === 0) {
        p.close(writing);
        assert.equal(p.read(reading, Buffer.alloc(1)), 0); // until the parent is gone
        while (p.getppid() === parent) p.poll([], 5);
        console.log('still here');
        p.exit(0);
      }
    `),
  );
  expect(said).toBe('still here\n');
});

test("a child's event loop is its own: timers, files, network, promises", async () => {
  const said = await output(
    forking(`
      import fs from 'node:fs/promises';
      import net from 'node:net';
      import { setTimeout } from 'node:timers/promises';
      if (p.fork() === 0) {
        await setTimeout(5);
        await fs.readFile(process.argv[1]);
        const server = net.createServer(socket => socket.end('hi')).listen(0, '127.0.0.1');
        await new Promise(resolve => server.once('listening', resolve));
        for await (const chunk of net.connect(server.address().port, '127.0.0.1')) console.log(String(chunk));
        server.close();
      } else {
        await setTimeout(1);
        console.log(p.WEXITSTATUS(p.wait().status));
      }
    `),
  );
  expect(said).toBe('hi\n0\n');
});

test('children of children, and 200 of them one after the other', () =>
  holds(
    forking(`
      const pid = inChild(() => p.WEXITSTATUS(p.waitpid(inChild(() => 5)).status));
      assert.equal(p.WEXITSTATUS(p.waitpid(pid).status), 5);
      for (let i = 0; i < 200; i++) assert.equal(p.WEXITSTATUS(p.waitpid(inChild(() => i)).status), i);
    `),
  ));

test('siblings draw different random numbers', async () => {
  const said = await output(
    forking(`
      import { randomUUID } from 'node:crypto';
      randomUUID();
      Math.random();
      for (let i = 0; i < 5; i++) inChild(() => console.log(Math.random() + randomUUID()));
      while (p.wait().pid > 0);
    `),
  );
  expect(new Set(said.trim().split('\n')).size).toBe(5);
});

test('registerAtFork: before, after in the parent, after in the child', async () => {
  const said = await output(
    forking(`
      for (const name of ['a', 'b']) p.registerAtFork({
        before: () => console.log(name, 'before'),
        afterInParent: () => console.log(name, 'parent'),
        afterInChild: () => console.log(name, 'child'),
      });
      const [reading, writing] = p.pipe();
      const pid = p.fork();
      if (pid === 0) p.exit(0);
      p.waitpid(pid);
    `),
  );
  expect(said.split('\n').filter(line => !line.endsWith('parent'))).toEqual([
    'b before',
    'a before',
    'a child',
    'b child',
    '',
  ]);
  expect(said).toContain('a parent\n');
});

describe('how a child ends', () => {
  test.each([
    ['its natural end', '', 0],
    ['process.exitCode', 'process.exitCode = 6;', 6],
    ['process.exit()', 'setTimeout(() => process.exit(4), 5); setTimeout(() => {}, 1e6);', 4],
    ['an uncaught throw', 'throw new Error("expected");', 1],
    ['a rejection', 'Promise.reject(new Error("expected"));', 1],
    ['a top-level await that nothing settles', 'await new Promise(() => {});', 13],
  ])('%s', async (_way, deed, code) => {
    const { stdout, ...ending } = await run(node, [
      forking(`
        const pid = p.fork();
        if (pid === 0) { ${deed} }
        else { console.log(p.WEXITSTATUS(p.waitpid(pid).status)); p.exit(0); }
      `),
    ]);
    expect(stdout).toBe(`${code}\n`);
    expect(ending).toMatchObject({ code: 0, signal: null });
  });

  test('and the parent: 13 for a top-level await that nothing settles, its own code otherwise', async () => {
    const parent = (deed: string) =>
      run(node, [forking(`const pid = p.fork(); if (pid === 0) p.exit(0); p.waitpid(pid); ${deed}`)]);
    expect(await parent('await new Promise(() => {});')).toMatchObject({ code: 13 });
    expect(await parent('process.exitCode = 5;')).toMatchObject({ code: 5 });
    expect(await parent('throw 1;')).toMatchObject({ code: 1 });
  });
});

describe('a process that is not fit is refused', () => {
  test('started without the flags: the message names both ways', async () => {
    const said = await output(
      calling(`
        try { p.fork(); } catch (error) { console.log(error.code, error.message); }
      `),
    );
    expect(said).toMatch(/^ERR_TRUEFORK_UNSAFE .*truefork run.*import 'truefork\/auto'/);
  });

  test('with a Worker running', () =>
    holds(
      forking(`
        import { Worker } from 'node:worker_threads';
        const worker = new Worker('setInterval(() => {}, 1000)', { eval: true });
        await new Promise(resolve => worker.once('online', resolve));
        fails('ERR_TRUEFORK_UNSAFE', () => p.fork());
        await worker.terminate();
      `),
    ));
});

describe('the fork fuse', () => {
  test('a fork bomb ends in an error that says how to allow more', async () => {
    const { code, stderr } = await run(node, [forking('for (;;) p.fork();')], {
      env: { TRUEFORK_MAX_DESCENDANTS: '6' },
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/ERR_TRUEFORK_FUSE/);
    expect(stderr).toMatch(/6 live descendants.*TRUEFORK_MAX_DESCENDANTS/);
  });

  test('no more than so many live descendants, and again as many when they are gone, killed or not', () =>
    holds(
      forking(`
        p.setForkFuse({ descendants: 10 });
        for (let round = 0; round < 3; round++) {
          const pids = [];
          for (let i = 0; i < 10; i++) pids.push(inChild(() => { for (;;) p.pause(); }));
          fails('ERR_TRUEFORK_FUSE', () => p.fork());
          for (const pid of pids) p.kill(pid, p.SIGKILL);
          while (p.wait().pid > 0);
        }
      `),
    ));

  test('no deeper than so many generations', async () => {
    const said = await output(
      forking(`
        p.setForkFuse({ generations: 3 });
        for (let depth = 1; ; depth++) {
          try {
            const pid = p.fork();
            if (pid === 0) continue;
            p.waitpid(pid);
          } catch (error) {
            console.log(depth, error.code, error.message);
          }
          break;
        }
      `),
    );
    expect(said).toMatch(/^4 ERR_TRUEFORK_FUSE .*3 generations.*TRUEFORK_MAX_GENERATIONS/);
  });

  test('by default 8 generations; 512 descendants at most at once', async () => {
    const said = await output(
      forking(`
        let deepest = 0;
        const [reading, writing] = p.pipe();
        (function descend(depth) {
          let pid;
          try { pid = p.fork(); } catch { return p.write(writing, Buffer.from([depth])); }
          if (pid === 0) { descend(depth + 1); p.exit(0); }
          p.waitpid(pid);
        })(0);
        const buf = Buffer.alloc(1);
        p.read(reading, buf);
        console.log(buf[0]);
        let many = 0;
        try { for (;;) { inChild(() => { for (;;) p.pause(); }); many++; } } catch (error) { console.log(many, error.code); }
        p.signal(p.SIGTERM, p.SIG_IGN);
        p.kill(0, p.SIGTERM);
        while (p.wait().pid > 0);
      `),
    );
    expect(said).toBe('8\n512 ERR_TRUEFORK_FUSE\n');
  });

  test('limits that are none are refused', () =>
    holds(
      calling(`
        for (const wrong of [0, -1, 1.5, NaN, '7', 1e9]) fails('ERR_TRUEFORK_ARGUMENT', () => p.setForkFuse({ descendants: wrong }));
      `),
    ));
});

describe('ways to start', () => {
  const told = `
    import fs from 'node:fs';
    import * as p from 'truefork/posix';
    console.log(JSON.stringify({
      argv: process.argv.slice(1).map(arg => arg.replace(/.*\\//, '')),
      pid: process.pid,
      kept: process.env.KEPT,
      added: Object.keys(process.env).filter(name => name.startsWith('TRUEFORK_RE')),
      stdin: fs.readFileSync(0, 'utf8'),
    }));
    const pid = p.fork();
    if (pid === 0) process.exit(7);
    process.exit(p.WEXITSTATUS(p.waitpid(pid).status));
  `;

  test.each([
    ["import 'truefork/auto'", (file: string) => [file, 'a', '--b'], `import 'truefork/auto';${told}`],
    ['truefork run', (file: string) => [cli, 'run', file, 'a', '--b'], told],
  ])('%s: same pid, stdin, arguments and environment', async (_way, args, source) => {
    const file = script(source);
    const subject = new Subject(node, args(file), { env: { KEPT: 'yes' } });
    subject.process.stdin!.end('typed');
    expect(await subject.ended).toEqual({ code: 7, signal: null });
    expect(JSON.parse(subject.stdout)).toEqual({
      argv: [file.replace(/.*\//, ''), 'a', '--b'],
      pid: subject.pid,
      kept: 'yes',
      added: [],
      stdin: 'typed',
    });
  });

  test('auto does not loop, and refuses a script from stdin', async () => {
    const file = script("import 'truefork/auto'; console.log(process.pid === Number(process.argv[2]));");
    const subject = new Subject(node, ['--input-type=module', '-'], { cwd: import.meta.dirname });
    subject.process.stdin!.end("import 'truefork/auto';");
    expect(await subject.ended).toEqual({ code: 1, signal: null });
    expect(subject.stderr).toMatch(/ERR_TRUEFORK_UNSAFE/);
    expect(await run(node, [file, '0'])).toMatchObject({ code: 0, stdout: 'false\n' });
  });

  test('auto keeps the channel of child_process.fork()', async () => {
    const file = script(`
      import 'truefork/auto';
      import { fork, waitpid } from 'truefork/posix';
      const pid = fork();
      if (pid === 0) process._exit?.(0), process.exit(0);
      waitpid(pid);
      process.send('hello');
      process.disconnect();
    `);
    const { fork } = await import('node:child_process');
    const child = fork(file, [], { execPath: node, execArgv: [], silent: true });
    const messages: unknown[] = [];
    child.on('message', message => messages.push(message));
    const ended = await new Promise(resolve =>
      child.once('close', (code, signal) => resolve({ code, signal })),
    );
    expect({ ended, messages }).toEqual({ ended: { code: 0, signal: null }, messages: ['hello'] });
  });

  test('a TypeScript script, and one that ends with an error', async () => {
    const typed = script(
      "import { fork, waitpid, exit } from 'truefork/posix';\nconst pid: number = fork();\nif (pid === 0) exit(3);\nconsole.log((waitpid(pid).status as number) >> 8, process.argv[2]);",
      '.ts',
    );
    expect(await run(node, [cli, 'run', typed, 'arg'])).toEqual({
      code: 0,
      signal: null,
      stdout: '3 arg\n',
      stderr: '',
    });
    expect(await run(node, [cli, 'run', script('process.exit(42)')])).toMatchObject({ code: 42 });
  });

  test('truefork run: the limits, the help, and command lines that are wrong', async () => {
    const bomb = script("import { fork } from 'truefork/posix'; for (;;) fork();");
    expect((await run(node, [cli, 'run', '--max-descendants', '5', bomb])).stderr).toMatch(
      /5 live descendants/,
    );
    expect(await run(node, [cli, 'run', '--help'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/--max-generations/),
    });
    for (const wrong of [[], ['--nonsense', bomb], ['--max-descendants', 'x', bomb]])
      expect(await run(node, [cli, 'run', ...wrong])).toMatchObject({ code: 2, stdout: '' });
  });
});
