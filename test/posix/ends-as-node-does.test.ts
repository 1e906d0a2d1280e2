/** A forked child ends as the same script does in a Node that was never forked: same output, same exit code. */
import { expect, test } from 'vitest';
import { script } from '../harness/scripts.ts';
import { node, run } from '../harness/subject.ts';

const commonjs =
  "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

const endings: [what: string, source: string, code: number][] = [
  [
    'an immediate without ref, and nothing else',
    "process.once('beforeExit', () => setImmediate(() => console.log('ran')).unref());",
    0,
  ],
  [
    'an immediate without ref, beside a timer',
    "setImmediate(() => console.log('ran')).unref(); setTimeout(() => console.log('timer'), 20);",
    0,
  ],
  [
    'an exit listener that throws, and nothing catches it',
    "process.on('exit', code => { console.log('exit', code); throw new Error('in exit'); });",
    1,
  ],
  [
    'an exit listener that throws, and an uncaughtException listener',
    `process.exitCode = 5;
     process.on('uncaughtException', ({ message }) => { console.log('caught', message); setTimeout(() => {}, 60_000); });
     process.on('exit', code => { console.log('exit', code); throw new Error('in exit'); });`,
    5,
  ],
  [
    'the same by process.exit()',
    `process.on('uncaughtException', ({ message }) => console.log('caught', message));
     process.on('exit', code => { console.log('exit', code); throw new Error('in exit'); });
     setTimeout(() => process.exit(3), 1);`,
    3,
  ],
  [
    'the end of the event loop, in nodeTiming',
    `process.on('exit', () => {
       const { loopStart, loopExit } = performance.nodeTiming;
       console.log(loopExit > loopStart, loopExit <= performance.now());
     });
     setTimeout(() => {}, 1);`,
    0,
  ],
  [
    'a global of the name domain',
    `${commonjs} globalThis.domain = require('node:domain');
     process.on('beforeExit', () => console.log('beforeExit'));
     process.on('exit', () => console.log('exit'));`,
    0,
  ],
  [
    'an evaluation that the debugger ends after its time',
    `${commonjs} const { Session } = require('node:inspector');
     const session = new Session();
     session.connect();
     session.post('Runtime.evaluate', { expression: 'for (;;);', timeout: 50 }, error => console.log(error.message));
     session.disconnect();`,
    0,
  ],
];

test.each(endings)('%s', async (_what, source, code) => {
  const unforked = await run(node, [script(source)]);
  expect(unforked).toMatchObject({ code, signal: null });
  const { stdout, ...ending } = await run(node, [
    script(`
      import 'truefork/auto';
      import { fork, waitpid, WEXITSTATUS, WIFEXITED } from 'truefork/posix';
      const pid = fork();
      if (pid !== 0) {
        const { status } = waitpid(pid);
        process.exit(WIFEXITED(status) ? WEXITSTATUS(status) : 99);
      }
      ${source.replace(commonjs, "const { createRequire } = await import('node:module'); const require = createRequire(import.meta.url);")}
    `),
  ]);
  expect({ stdout, ...ending }).toMatchObject({ stdout: unforked.stdout, code, signal: null });
});
