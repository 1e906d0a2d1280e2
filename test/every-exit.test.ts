/** Every way out of a child: the right code, and nothing of its output lost. */
import { describe, expect, test } from 'vitest';
import { children, sleepsThrough } from './harness/proc.ts';
import { script } from './harness/scripts.ts';
import { serve } from './harness/served.ts';
import { node, Subject } from './harness/subject.ts';
import { eventually } from './harness/wait.ts';

/** What a child does when its client has said "go": the same lines in a stream and in a callbacks handler. */
const forms = {
  stream: (deed: string) => `export default socket => socket.once('data', async () => { ${deed} });`,
  callbacks: (deed: string) =>
    `export default { data(conn) { const socket = { end() { conn.end(); } }; ${deed} } };`,
};

type Outcome = { code: number } | { signal: NodeJS.Signals };

const ways: [what: string, deed: string, outcome: Outcome, says?: RegExp][] = [
  ['a natural end', "console.log('said'); socket.end();", { code: 0 }, /said/],
  ['process.exit()', "console.log('said'); process.exit();", { code: 0 }, /said/],
  ['process.exit(7)', "console.error('said'); process.exit(7);", { code: 7 }, /said/],
  ['process.exitCode', 'process.exitCode = 9; socket.end();', { code: 9 }],
  [
    'a listener of exit that sets the code',
    "process.on('exit', () => { process.exitCode = 4; }); process.exit();",
    { code: 4 },
  ],
  [
    'an uncaught throw',
    'setTimeout(() => { throw new Error("from a timer"); });',
    { code: 1 },
    /script-.*\.mjs:\d+\n.*throw new Error\("from a timer"\).*\n\s*\^\n\nError: from a timer\n\s+at .*\n[\s\S]*Node\.js v/,
  ],
  ['an uncaught throw, at once', 'throw new Error("at once");', { code: 1 }, /Error: at once\n\s+at /],
  ['a rejection', 'Promise.reject(new Error("rejected"));', { code: 1 }, /Error: rejected\n\s+at /],
  ['a throw with another exit code', 'process.exitCode = 5; setTimeout(() => { throw 1; });', { code: 1 }],
  [
    'a throw that is handled',
    `process.on('uncaughtException', error => { console.log('caught ' + error.message); socket.end(); });
     setTimeout(() => { throw new Error("handled"); });`,
    { code: 0 },
    /caught handled/,
  ],
  [
    'work found in beforeExit',
    `let more = 2;
     process.on('beforeExit', () => { if (more-- > 0) setTimeout(() => console.log('more ' + more), 5); });
     process.on('exit', code => console.log('exit ' + code));
     socket.end();`,
    { code: 0 },
    /more 1\nmore 0\nexit 0\n$/,
  ],
  [
    'a SIGTERM listener that exits with 9',
    "process.on('SIGTERM', () => process.exit(9)); process.kill(process.pid, 'SIGTERM'); setTimeout(() => {}, 5000);",
    { code: 9 },
  ],
  ['SIGTERM without a listener', "process.kill(process.pid, 'SIGTERM');", { signal: 'SIGTERM' }],
  ['process.abort()', 'process.abort();', { signal: 'SIGABRT' }],
  ['a kill', "process.kill(process.pid, 'SIGKILL');", { signal: 'SIGKILL' }],
];

describe.each(Object.entries(forms))('a child of the %s form, on', (_form, handler) => {
  test.each(ways)('%s', async (_what, deed, outcome, says) => {
    const server = await serve(script(handler(deed)));
    const client = await server.connect();
    client.send('go');
    const expected = { code: null, signal: null, ...outcome };
    const exit = await eventually('the exit', () => server.exits[0]).catch(() => 'no exit');
    expect(exit).toMatchObject(expected);
    if (says !== undefined) expect(server.stderr).toMatch(says);
    expect(await client.closed).toMatch(/^(ECONNRESET)?$/);
    await server.stop();
  });
});

test('a signal reaches the listener of a child that waits for its client', async () => {
  const server = await serve(`
    process.on('SIGUSR2', () => { console.log('heard'); process.exit(3); });
    export default { data(conn, chunk) { conn.write(chunk); } };
  `);
  const { client, info } = await server.connectAndFind();
  await client.exchange('ready');
  process.kill(info.pid, 'SIGUSR2');
  expect(await server.exitOf(1)).toMatchObject({ code: 3 });
  expect(server.stderr).toBe('heard\n');
  await server.stop();
});

/** The process that many generations below a subject. */
function writerBelow({ pid }: Subject, generations: number): Promise<number> {
  return eventually('the process that writes', () => {
    let below: number | undefined = pid;
    for (let n = 0; n < generations && below !== undefined; n++) below = children(below)[0]?.pid;
    return below;
  });
}

test('a megabyte on stdout reaches a slow reader whole, though the child exits at once', async () => {
  const handler = script(`
    export default socket => {
      process.stdout.write('x'.repeat(1_000_000));
      console.log('end');
      process.exit(0);
    };
  `);
  const owner = new Subject(node, [
    script(`
      import net from 'node:net';
      import { ForkingServer } from 'truefork';
      const server = new ForkingServer({ handler: ${JSON.stringify(handler)} });
      server.once('exit', async ({ code }) => { await server.close(); process.exitCode = 10 + code; });
      await server.listen(0, '127.0.0.1');
      net.connect(server.address().port, '127.0.0.1').resume();
    `),
  ]);
  owner.process.stdout!.pause();
  await sleepsThrough(await writerBelow(owner, 2));
  expect(owner.stdout.length).toBeLessThan(200_000);
  owner.process.stdout!.resume();
  expect(await owner.ended).toEqual({ code: 10, signal: null });
  expect(owner.stdout.length).toBe(1_000_004);
  expect(owner.stdout.endsWith('xend\n')).toBe(true);
});

test('so it is in a script that forks by itself', async () => {
  const file = script(`
    import 'truefork/auto';
    import { fork, wait } from 'truefork/posix';
    if (fork() === 0) {
      process.stdout.write('x'.repeat(1_000_000));
      console.log('end');
      process.exit(7);
    }
    process.exitCode = wait().status >> 8;
  `);
  const subject = new Subject(node, [file]);
  subject.process.stdout!.pause();
  await sleepsThrough(await writerBelow(subject, 1));
  subject.process.stdout!.resume();
  expect(await subject.ended).toEqual({ code: 7, signal: null });
  expect(subject.stdout.length).toBe(1_000_004);
});

test('SIGUSR1 reaches the listener of a handler script, on lines of Node that block it too', async () => {
  const server = await serve(`
    process.on('SIGUSR1', () => process.exit(3));
    export default { data(conn, chunk) { conn.write(chunk); } };
  `);
  const { client, info } = await server.connectAndFind();
  await client.exchange('ready');
  process.kill(info.pid, 'SIGUSR1');
  expect(await server.exitOf(1)).toMatchObject({ code: 3 });
  await server.stop();
});
