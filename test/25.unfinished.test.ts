/** What was under way in a process at the moment of a fork: finished in the child as well, or the fork is refused. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { scriptFolder } from './harness/scripts.ts';
import { node, run, Subject } from './harness/subject.ts';
import { forking, output } from './posix/subject.ts';

const exitOf =
  'pid => { const { status } = p.waitpid(pid); return p.WIFEXITED(status) ? p.WEXITSTATUS(status) : status; }';

/** Keeps the event loop from looking for as long as the thread pool may need, if nothing else uses the machine. */
const withoutLooking = 'for (const until = Date.now() + 200; Date.now() < until; );';

describe('work of the thread pool', () => {
  test('that was done, and not yet looked at, calls back in both processes', async () => {
    const said = await output(
      forking(`
        import fs from 'node:fs';
        import { createHash, pbkdf2 } from 'node:crypto';
        let back = 0;
        fs.readFile(process.argv[1], () => back++);
        fs.promises.stat(process.argv[1]).then(() => back++);
        pbkdf2('a', 'b', 1, 8, 'sha1', () => back++);
        ${withoutLooking}
        const forkAtRest = () => {
          for (const until = Date.now() + 10_000; ; ) {
            try { return p.fork(); } catch (error) { if (Date.now() > until) throw error; }
          }
        };
        const pid = forkAtRest();
        process.on('exit', () => console.log(pid === 0 ? 'child' : 'parent', back, pid && (${exitOf})(pid)));
      `),
    );
    expect(said).toMatch(/^(child 3 0\nparent 3 0|parent 3 0\nchild 3 0)\n$/);
  });

  test('that goes on is no child’s: the fork is refused, and the thread named', async () => {
    const fifo = path.join(scriptFolder, `fifo-${process.pid}`);
    execFileSync('mkfifo', [fifo]);
    const subject = new Subject(node, [
      forking(`
        import fs from 'node:fs';
        fs.readFile(process.argv[2], 'utf8', (error, text) => {
          setImmediate(() => {
            const pid = p.fork(); // now that it is over
            if (pid === 0) process.exit(3);
            console.log(text, (${exitOf})(pid));
          });
        });
        setTimeout(() => {
          try { p.fork(); } catch (error) { console.log(error.code, error.message); }
        }, 50);
      `),
      fifo,
    ]);
    const refused = await subject.says(/^(ERR_TRUEFORK_UNSAFE .*)\n/);
    expect(refused[1]).toMatch(
      /thread that is at work .*"(libuv-worker|node)".* look-ups .* under way finish/,
    );
    fs.writeFileSync(fifo, 'written');
    expect(await subject.ended).toEqual({ code: 0, signal: null });
    expect(subject.stdout.slice(refused[0].length)).toBe('written 3\n');
    expect(subject.stderr).toBe('');
  });
});

test.each([
  ['a promise', 'Promise.resolve().then(() => Promise.resolve()).then(go);'],
  ['an await', 'await null; await new Promise(resolve => setTimeout(resolve, 1)); go();'],
  ['a timer', 'setTimeout(go, 1);'],
  ['setImmediate', 'setImmediate(go);'],
  ['nextTick', 'process.nextTick(go);'],
  ['a callback of fs', 'fs.readFile(process.argv[1], go);'],
  [
    'a callback of fs, others in the same batch',
    `for (let n = 0; n < 4; n++) fs.stat('/', n === 1 ? go : () => {}); ${withoutLooking}`,
  ],
  ['a promise of fs', 'fs.promises.readFile(process.argv[1]).then(go);'],
  [
    'an event of a socket',
    "net.connect(port, '127.0.0.1').once('data', function () { this.destroy(); go(); });",
  ],
])('fork() inside %s', async (_what, start) => {
  const said = await output(
    forking(`
      import fs from 'node:fs';
      import net from 'node:net';
      import { setTimeout as sleep } from 'node:timers/promises';
      const server = net.createServer(socket => socket.end('x')).listen(0, '127.0.0.1');
      await new Promise(resolve => server.once('listening', resolve));
      const { port } = server.address();
      let forks = 0;
      async function go() {
        assert.equal(++forks, 1);
        const pid = p.fork();
        if (pid !== 0) {
          console.log('exit', (${exitOf})(pid));
          server.close();
          return;
        }
        server.close(); // ours; the parent's is not touched by it
        await sleep(2);
        assert.ok((await fs.promises.readFile(process.argv[1], 'utf8')).includes('auto'));
        const own = net.createServer(socket => socket.end('hello')).listen(0, '127.0.0.1');
        await new Promise(resolve => own.once('listening', resolve));
        for await (const chunk of net.connect(own.address().port, '127.0.0.1')) console.log(String(chunk));
        own.close();
        process.exitCode = 9;
      }
      ${start}
    `),
  );
  expect(said).toBe('hello\nexit 9\n');
});

describe('what the parent has open', () => {
  test('timers and immediates come in both', async () => {
    const said = await output(
      forking(`
        setTimeout(() => console.log('timer'), 20);
        const pid = p.fork();
        if (pid !== 0) assert.equal((${exitOf})(pid), 0);
      `),
    );
    expect(said).toBe('timer\ntimer\n');
  });

  test('a server goes on in the parent when the child has closed it, and ended', async () => {
    const said = await output(
      forking(`
        import http from 'node:http';
        const server = http.createServer((request, response) => response.end('served by ' + (p.getpid() === parent)));
        const parent = p.getpid();
        await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
        const get = async () => (await fetch('http://127.0.0.1:' + server.address().port)).text();
        await new Promise(setImmediate);
        const pid = p.fork();
        if (pid === 0) server.close();
        else {
          assert.equal((${exitOf})(pid), 0);
          console.log(await get());
          server.close();
          server.closeAllConnections();
        }
      `),
    );
    expect(said).toBe('served by true\n');
  });

  test('an inspector session, a profiler or a Worker: refused', async () => {
    const said = await output(
      forking(`
        import inspector from 'node:inspector';
        import { Worker } from 'node:worker_threads';
        const refused = what => {
          try {
            if (p.fork() === 0) p._exit(0);
            p.wait();
            console.log(what, 'forked');
          } catch (error) {
            console.log(what, error.code);
          }
        };
        const session = new inspector.Session();
        session.connect();
        session.post('Profiler.enable');
        session.post('Profiler.start');
        refused('profiler');
        session.post('Profiler.stop', () => {});
        session.disconnect();
        refused('none');
        const worker = new Worker('setInterval(() => {}, 1000)', { eval: true });
        await new Promise(resolve => worker.once('online', resolve));
        refused('Worker');
        await worker.terminate();
        refused('none');
      `),
    );
    expect(said).toBe('profiler ERR_TRUEFORK_UNSAFE\nnone forked\nWorker ERR_TRUEFORK_UNSAFE\nnone forked\n');
  });

  test('an open inspector: refused', async () => {
    const { stdout, stderr, ...ending } = await run(node, [
      forking(`
        import inspector from 'node:inspector';
        inspector.open(0, '127.0.0.1');
        try { p.fork(); console.log('forked'); } catch (error) { console.log(error.code); }
        inspector.close();
        process.exit();
      `),
    ]);
    expect(stderr).toMatch(/^Debugger listening/);
    expect(stdout).toBe('ERR_TRUEFORK_UNSAFE\n');
    expect(ending).toEqual({ code: 0, signal: null });
  });
});

test('a child that forks, and its child, each with its own exit code', async () => {
  const said = await output(
    forking(`
      import fs from 'node:fs';
      const child = p.fork();
      if (child === 0) {
        const grandchild = p.fork();
        if (grandchild === 0) {
          await fs.promises.stat('/');
          const last = p.fork();
          if (last === 0) { await new Promise(resolve => setTimeout(resolve, 5)); p.exit(12); }
          p.exit((${exitOf})(last) + 1);
        }
        process.exitCode = (${exitOf})(grandchild) + 1;
      } else console.log((${exitOf})(child));
    `),
  );
  expect(said).toBe('14\n');
});

test('promises of WebAssembly that follow one another are all kept before the child ends', async () => {
  const said = await output(
    forking(`
      await new Promise(setImmediate);
      const empty = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
      const pid = p.fork();
      if (pid === 0) {
        let made = 0;
        for (let n = 0; n < 20; n++, made++) {
          await WebAssembly.instantiate(new WebAssembly.Module(empty));
          await WebAssembly.instantiate(empty);
          await WebAssembly.compile(empty);
        }
        process.exitCode = made;
      } else console.log((${exitOf})(pid));
    `),
  );
  expect(said).toBe('20\n');
});
