/** What was under way in a process at the moment of a fork: finished in the child as well, or the fork is refused. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { script, scriptFolder } from './harness/scripts.ts';
import { node, run, Subject } from './harness/subject.ts';
import { forking, output } from './posix/subject.ts';

const exitOf =
  'pid => { const { status } = p.waitpid(pid); return p.WIFEXITED(status) ? p.WEXITSTATUS(status) : status; }';

/** Keeps the event loop from looking for as long as the thread pool may need, if nothing else uses the machine. */
const withoutLooking = 'for (const until = Date.now() + 200; Date.now() < until; );';

/** A fork is refused while a thread is at work, which on a busy machine may be longer than the fork itself waits. */
const forkWhenQuiet = `(() => {
  for (;;) try { return p.fork(); } catch (error) { if (error.code !== 'ERR_TRUEFORK_UNSAFE') throw error; }
})()`;

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
        const pid = ${forkWhenQuiet};
        process.on('exit', () => console.log(pid === 0 ? 'child' : 'parent', back, pid && (${exitOf})(pid)));
      `),
    );
    expect(said).toMatch(/^(child 3 0\nparent 3 0|parent 3 0\nchild 3 0)\n$/);
  });

  test('more of it than there are threads: a fork waits until the last is done, and none is lost', async () => {
    const said = await output(
      forking(`
        import fs from 'node:fs';
        for (let round = 0; round < 20; round++) {
          let back = 0;
          for (let n = 0; n < 64; n++) fs.stat('/', () => back++);
          const pid = ${forkWhenQuiet};
          while (back < 64) await new Promise(setImmediate);
          if (pid === 0) p._exit(back);
          assert.equal((${exitOf})(pid), 64);
        }
        console.log('all');
      `),
    );
    expect(said).toBe('all\n');
  });

  test('that goes on is no child’s: the fork is refused, and the thread named', async () => {
    const fifo = path.join(scriptFolder, `fifo-${process.pid}`);
    execFileSync('mkfifo', [fifo]);
    const subject = new Subject(node, [
      forking(`
        import fs from 'node:fs';
        fs.readFile(process.argv[2], 'utf8', (error, text) => {
          setImmediate(() => {
            const pid = ${forkWhenQuiet}; // now that it is over
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
        const pid = ${forkWhenQuiet};
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

  test('a socket whose data comes after the parent has closed it is read in the child', async () => {
    const said = await output(
      forking(`
        import net from 'node:net';
        const parent = p.getpid();
        for (const listens of ['before', 'after']) {
          const [far, fd] = connection();
          const socket = new net.Socket({ fd, readable: true, writable: true });
          const listen = () => socket.once('data', data => {
            console.log(p.getpid() === parent ? 'parent' : 'child', 'listening', listens, 'the fork reads', String(data));
            socket.destroy();
          });
          if (listens === 'before') listen();
          await new Promise(setImmediate);
          const pid = p.fork();
          if (pid === 0) {
            if (listens === 'after') listen();
            break;
          }
          socket.destroy();
          await new Promise(resolve => socket.once('close', resolve));
          p.send(far, Buffer.from('late'));
          assert.equal((${exitOf})(pid), 0);
        }
      `),
    );
    expect(said).toBe(
      'child listening before the fork reads late\nchild listening after the fork reads late\n',
    );
  });

  test('a watched folder is watched in both, and a watcher that the child closes goes on in the parent', async () => {
    const said = await output(
      forking(`
        import fs from 'node:fs';
        import path from 'node:path';
        const folder = fs.mkdtempSync(process.argv[1] + '-');
        const seen = [];
        let told;
        const watcher = fs.watch(folder, (_, file) => { seen.push(file); told?.(); });
        const toSee = async (...files) => {
          for (const file of files) fs.writeFileSync(path.join(folder, file), '');
          while (!files.every(file => seen.includes(file))) await new Promise(resolve => { told = resolve; });
        };
        await new Promise(setImmediate);
        const pid = p.fork();
        if (pid === 0) {
          await toSee('a', 'b');
          watcher.close();
          const own = fs.watch(folder, (_, file) => { own.close(); process.exitCode = file === 'c' ? 3 : 4; });
          fs.writeFileSync(path.join(folder, 'c'), '');
        } else {
          assert.equal((${exitOf})(pid), 3);
          await toSee('d');
          watcher.close();
          console.log([...new Set(seen)].join(' '));
        }
      `),
    );
    expect(said).toBe('a b c d\n');
  });

  test('a listener of process.on() hears the signals of its own process, and no other’s', async () => {
    const said = await output(
      forking(`
        const parent = p.getpid();
        let heard = 0;
        process.on('SIGUSR2', () => { heard++; console.log(p.getpid() === parent ? 'parent' : 'child'); });
        const alive = setInterval(() => { if (heard > 0) clearInterval(alive); }, 1);
        const [ready, tell] = p.pipe();
        const looping = p.fork();
        if (looping === 0) p.write(tell, Buffer.from('x'));
        else {
          p.read(ready, Buffer.alloc(1));
          p.kill(looping, p.SIGUSR2);
          assert.equal((${exitOf})(looping), 0);
          const deaf = p.fork(); // its loop never looks
          if (deaf === 0) {
            p.sigprocmask(p.SIG_BLOCK, [p.SIGTERM]);
            p.write(tell, Buffer.from('x'));
            while (!p.sigpending().has(p.SIGTERM)) p.poll([], 1);
            p._exit(5);
          }
          p.read(ready, Buffer.alloc(1));
          p.kill(deaf, p.SIGUSR2);
          p.kill(deaf, p.SIGTERM);
          assert.equal((${exitOf})(deaf), 5);
          for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setTimeout(resolve, 1));
          assert.equal(heard, 0);
          process.kill(process.pid, 'SIGUSR2');
        }
      `),
    );
    expect(said).toBe('child\nparent\n');
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

describe('an import', () => {
  test('in whose midst the module forks itself is finished in both, and known as one module', async () => {
    const forks = script(`
      import * as p from 'truefork/posix';
      export const pid = p.fork();
      export const last = 'all of it';
    `);
    const said = await output(
      forking(`
        import fs from 'node:fs';
        const module = await import(process.argv[2]);
        assert.equal(module.last, 'all of it');
        assert.equal(await import(process.argv[2]), module);
        if (module.pid === 0) {
          assert.equal((await import('data:text/javascript,export default 5')).default, 5);
          process.exitCode = 3;
        } else console.log((${exitOf})(module.pid));
      `),
      [forks],
    );
    expect(said).toBe('3\n');
  });

  test.each([
    ['that has just been asked for', ''],
    ['whose module waits', 'await begun;'],
  ])('%s is finished in both', async (_when, untilThen) => {
    const slow = script(`
      globalThis.begin();
      export let done = false;
      await new Promise(resolve => setTimeout(resolve, 30));
      done = true;
    `);
    const said = await output(
      forking(`
        const begun = new Promise(resolve => { globalThis.begin = resolve; });
        const coming = import(process.argv[2]);
        ${untilThen}
        const pid = ${forkWhenQuiet};
        const module = await coming;
        assert.equal(module.done, true);
        assert.equal(await import(process.argv[2]), module);
        if (pid === 0) process.exitCode = 4;
        else console.log((${exitOf})(pid));
      `),
      [slow],
    );
    expect(said).toBe('4\n');
  });
});

describe('what V8 would give to its threads', () => {
  // V8 tells by bits of this number how a function runs: 16 is "optimized" (src/runtime/runtime.h).
  test('a function that was half hot at the fork is optimized in the child all the same', async () => {
    const said = await output(
      forking(`
        import v8 from 'node:v8';
        v8.setFlagsFromString('--allow-natives-syntax');
        const optimized = new Function('f', 'return (%GetOptimizationStatus(f) & 16) !== 0');
        const functions = Array.from({ length: 20 }, (_, n) =>
          new Function('count', 'let sum = 0; for (let i = 0; i < count; i++) sum = (sum + i * ' + n + ') | 0; return sum;'));
        for (const [n, each] of functions.entries()) for (let call = 0; call < n; call++) each(10);
        assert.ok(functions.filter(each => !optimized(each)).length > 10);
        const pid = p.fork();
        if (pid !== 0) process.exit((${exitOf})(pid));
        const deadline = Date.now() + 100_000;
        for (const each of functions) {
          while (!optimized(each) && Date.now() < deadline) each(1000);
          await null;
        }
        console.log(functions.filter(optimized).length);
      `),
    );
    expect(said).toBe('20\n');
  });

  test('contexts of vm are used, dropped and collected in the child, and new ones made', async () => {
    const said = await output(
      forking(`
        import v8 from 'node:v8';
        import vm from 'node:vm';
        v8.setFlagsFromString('--expose-gc');
        const gc = vm.runInNewContext('gc');
        const make = () => vm.createContext({ text: 'x'.repeat(100_000) });
        let contexts = Array.from({ length: 20 }, make);
        for (const context of contexts) vm.runInContext('var list = Array.from(text)', context);
        gc(); // as an embedder that tells V8 that memory is low
        const pid = p.fork();
        if (pid !== 0) process.exit((${exitOf})(pid));
        let collected = 0;
        const registry = new FinalizationRegistry(() => collected++);
        for (const context of contexts) {
          assert.equal(vm.runInContext('list.length', context), 100_000);
          registry.register(context);
        }
        contexts = undefined;
        for (let round = 0; round < 100 && collected < 10; round++) {
          assert.equal(vm.runInContext('text.length', make()), 100_000);
          gc();
          await new Promise(setImmediate);
        }
        console.log(collected >= 10);
      `),
    );
    expect(said).toBe('true\n');
  });
});
