/** Beside Node's own signals and child processes: what works together, and what is refused. */
import { expect, test } from 'vitest';
import { node, run } from '../harness/subject.ts';
import { calling, forking, holds, output } from './subject.ts';

test('process.on() of one signal and sigaction() of another live side by side', async () => {
  const said = await output(
    calling(`
      process.on('SIGUSR2', () => { console.log('by Node'); clearInterval(alive); });
      p.signal(p.SIGUSR1, () => { console.log('by sigaction'); p.kill(p.getpid(), p.SIGUSR2); });
      const alive = setInterval(() => {}, 1000);
      setTimeout(() => process.kill(process.pid, 'SIGUSR1'), 5);
    `),
  );
  expect(said).toBe('by sigaction\nby Node\n');
});

test('the same signal for both is refused, whoever comes second', () =>
  holds(
    calling(`
      const nodes = () => {};
      process.on('SIGINT', nodes);
      fails('ERR_TRUEFORK_SIGNAL_IN_USE', () => p.sigaction(p.SIGINT, { sa_handler() {} }));
      assert.equal(p.sigaction(p.SIGINT).sa_handler, p.SIG_DFL);
      process.off('SIGINT', nodes);
      let heard = 0;
      p.signal(p.SIGINT, () => heard++);
      fails('ERR_TRUEFORK_SIGNAL_IN_USE', () => process.on('SIGINT', nodes));
      assert.equal(process.listenerCount('SIGINT'), 0);
      p.raise(p.SIGINT);
      assert.equal(heard, 1);
      p.signal(p.SIGINT, p.SIG_DFL);
      process.once('SIGINT', nodes);
      process.on('exit', () => {});
    `),
  ));

test('SIGCHLD is refused while a child process of Node runs, and free again afterwards', async () => {
  const said = await output(
    calling(`
      import { spawn } from 'node:child_process';
      const child = spawn('cat');
      for (const sa_handler of [() => {}, p.SIG_IGN, p.SIG_DFL])
        fails('ERR_TRUEFORK_SIGNAL_IN_USE', () => p.sigaction(p.SIGCHLD, { sa_handler }));
      child.stdin.end();
      child.on('close', code => setImmediate(() => {
        p.signal(p.SIGCHLD, () => {});
        console.log('closed', code);
      }));
    `),
  );
  expect(said).toBe('closed 0\n');
});

test('while SIGCHLD is handled here, node:child_process refuses to start what it could not see end', async () => {
  const said = await output(
    calling(`
      import childProcess, { exec, execFileSync, execSync, fork, spawn, spawnSync } from 'node:child_process';
      for (const sa_handler of [() => {}, p.SIG_IGN]) {
        p.sigaction(p.SIGCHLD, { sa_handler });
        for (const start of [() => spawn('true'), () => spawnSync('true'), () => exec('true'), () => execSync('true'),
          () => execFileSync('true'), () => fork(process.argv[1]), () => childProcess.spawn('true')])
          fails('ERR_TRUEFORK_SIGNAL_IN_USE', start);
      }
      p.signal(p.SIGCHLD, p.SIG_DFL);
      assert.equal(String(execSync('echo works')), 'works\\n');
      spawn('sh', ['-c', 'exit 3']).on('exit', code => console.log(code));
    `),
  );
  expect(said).toBe('3\n');
});

test('a forked child may use node:child_process', async () => {
  const said = await output(
    forking(`
      import { spawn, execSync } from 'node:child_process';
      const pid = p.fork();
      if (pid === 0) {
        process.stdout.write(execSync('echo sync'));
        spawn('sh', ['-c', 'exit 6']).on('exit', code => process.exit(code));
      } else console.log(p.WEXITSTATUS(p.waitpid(pid).status));
    `),
  );
  expect(said).toBe('sync\n6\n');
});

test('a process that the parent has started is the parent’s: the child ends without it, and takes no exit away', async () => {
  const said = await output(
    forking(`
      import { spawn } from 'node:child_process';
      const parent = p.getpid();
      const other = spawn('sh', ['-c', 'read line; exit 7'], { stdio: ['pipe', 'ignore', 'ignore'] });
      other.on('exit', code => console.log(p.getpid() === parent ? 'parent' : 'child', code));
      await new Promise(setImmediate);
      const pid = p.fork();
      if (pid === 0) spawn('sh', ['-c', 'exit 6']).on('exit', code => { process.exitCode = code; });
      else {
        console.log(p.WEXITSTATUS(p.waitpid(pid).status));
        other.stdin.end();
      }
    `),
  );
  expect(said).toBe('6\nparent 7\n');
});

test('Ctrl-C still ends a process that handles other signals, in a call that waits too', async () => {
  const ended = await run(node, [
    calling(`
      p.signal(p.SIGUSR1, () => {});
      p.signal(p.SIGALRM, () => p.kill(p.getpid(), p.SIGINT));
      timer(20);
      for (;;) p.pause();
    `),
  ]);
  expect(ended).toMatchObject({ code: null, signal: 'SIGINT' });
});

test('in a Worker: calls work, signals are refused', async () => {
  const said = await output(
    calling(`
      import { isMainThread, Worker } from 'node:worker_threads';
      if (isMainThread) new Worker(new URL(import.meta.url));
      else {
        const [reading, writing] = p.pipe();
        p.write(writing, Buffer.from('x'));
        assert.equal(p.read(reading, Buffer.alloc(1)), 1);
        fails('ERR_TRUEFORK_WORKER', () => p.signal(p.SIGUSR1, () => {}));
        fails('ERR_TRUEFORK_WORKER', () => p.sigprocmask());
        fails('ERR_TRUEFORK_WORKER', () => p.pause());
        fails('ERR_TRUEFORK_UNSAFE', () => p.fork());
        console.log('refused');
      }
    `),
  );
  expect(said).toBe('refused\n');
});
