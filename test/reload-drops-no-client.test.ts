/** New code for new clients, on the same listener: nobody is refused, reset or lost. */
import fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ask } from './harness/client.ts';
import { Load } from './harness/load.ts';
import { isAlive } from './harness/proc.ts';
import { script } from './harness/scripts.ts';
import { flagsOf, type Served, serve } from './harness/served.ts';
import { runScript } from './harness/subject.ts';
import { eventually } from './harness/wait.ts';

/** Says which version it is, and then what it hears. */
const version = (n: number | string) => `
  const version = 'version ${n}: ';
  export default { data(conn, chunk) { conn.write(version + chunk); } };
`;

async function reload(server: Served): Promise<void> {
  const before = server.reloads;
  server.signal('SIGHUP');
  await eventually('the reload', () => server.reloads === before + 1);
}

describe('a reload', () => {
  test('fifty times under the load of 16 clients: zero errors', async () => {
    const handler = script(version(0));
    const server = await serve(handler, [], { deadline: 590_000 });
    const load = new Load(server.port, 16, line => new RegExp(`^version \\d+: ${line}$`));
    for (let n = 1; n <= 50; n++) {
      fs.writeFileSync(handler, version(n));
      await reload(server);
    }
    const before = load.answers;
    await eventually('answers of the last', () => load.answers > before + 16);
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(await ask(server.port, 'last')).toBe('version 50: last');
    const answered = load.answers + 1;
    await eventually('the record of each', () => server.exits.length === answered);
    expect(server.exits.filter(({ code }) => code !== 0)).toEqual([]);
    // Ids are given once, whichever zygote accepted.
    expect(new Set(server.connections.map(({ id }) => id)).size).toBe(answered);
    expect(server.stderr).toBe('');
    await server.stop();
  }, 600_000);

  test('leaves those being served the code that they began with, as long as they stay', async () => {
    const handler = script(version('one'));
    const server = await serve(handler);
    const first = await server.connect();
    expect(await first.exchange('a', 14)).toBe('version one: a');
    const zygote = server.zygotePid;
    fs.writeFileSync(handler, version('two'));
    await reload(server);
    fs.writeFileSync(handler, version('three'));
    await reload(server);
    expect(await ask(server.port, 'b')).toBe('version three: b');
    expect(await first.exchange('c', 14)).toBe('version one: c');
    expect(isAlive(zygote)).toBe(true);
    expect(await first.end()).toBe('');
    await eventually('the first zygote to end with its last child', () => !isAlive(zygote));
    await server.stop();
  });

  test.each([
    ['is not JavaScript', 'export default {', /SyntaxError/],
    ['throws', 'throw new Error("not today");', /not today/],
    ['has nothing to serve', 'export const a = 1;', /has no default export/],
    ['ends its process', 'process.exit(3);', /exited with code 3 while it was being loaded/],
    [
      'leaves a timer open',
      'export default socket => socket; setInterval(() => {}, 1000);',
      /has left open: a timer/,
    ],
  ])('to a script that %s leaves the one before serving', async (_, broken, why) => {
    const handler = script(version('good'));
    const server = await serve(handler);
    const held = await server.connect();
    expect(await held.exchange('a', 15)).toBe('version good: a');
    fs.writeFileSync(handler, broken);
    server.signal('SIGHUP');
    await server.says(why, 'stderr');
    expect(server.stderr).toMatch(/not reloaded, the code before serves on/);
    expect(await ask(server.port, 'b')).toBe('version good: b');
    expect(await held.exchange('c', 15)).toBe('version good: c');
    fs.writeFileSync(handler, version('mended'));
    await reload(server);
    expect(await ask(server.port, 'd')).toBe('version mended: d');
    await held.end();
    await server.stop();
  });

  test('counts what earlier code still serves into maxChildren', async () => {
    const server = await serve(version(1), ['--max-children', '2']);
    const old = await server.connect();
    expect(await old.exchange('a', 12)).toBe('version 1: a');
    await reload(server);
    const second = await server.connect();
    expect(await second.exchange('b', 12)).toBe('version 1: b');
    const third = await server.connect();
    third.send('c');
    expect(await second.exchange('still', 16)).toBe('version 1: still');
    await server.connectionOf(2);
    expect(third.received).toBe('');
    expect(server.connections.length).toBe(2);
    await old.end();
    expect(String(await third.receive(12))).toBe('version 1: c');
    await Promise.all([second.end(), third.end()]);
    await server.stop();
  });

  test.each([['iterative'], ['select'], ['poll']])('works in mode %s too', async mode => {
    const handler = script(version(0));
    const server = await serve(handler, flagsOf(mode));
    const load = new Load(server.port, 4, line => new RegExp(`^version \\d+: ${line}$`));
    for (let n = 1; n <= 5; n++) {
      fs.writeFileSync(handler, version(n));
      await reload(server);
    }
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(await ask(server.port, 'x')).toBe('version 5: x');
    await server.stop();
  });

  test('and a stop right behind it end all, the stubborn children of earlier code too', async () => {
    const stubborn =
      "process.on('SIGTERM', () => {}); export default { data(conn, chunk) { conn.write(chunk); } };";
    const server = await serve(stubborn, ['--grace-period', '0s']);
    const { client, info } = await server.connectAndFind();
    await client.exchange('hello');
    await reload(server);
    server.signal('SIGHUP');
    await server.stop();
    expect(await server.exitOf(1)).toMatchObject({ pid: info.pid, signal: 'SIGKILL' });
    expect(isAlive(info.pid)).toBe(false);
  });

  test('from a program resolves when the new code accepts, and rejects with the script’s own error', async () => {
    const handler = script(version(1));
    const program = script(`
      import assert from 'node:assert/strict';
      import fs from 'node:fs';
      import net from 'node:net';
      import { ForkingServer } from 'truefork';
      const handler = ${JSON.stringify(handler)};
      const ask = port => new Promise((resolve, reject) => {
        let text = '';
        net.connect(port, '127.0.0.1', function () { this.end('x'); })
          .on('data', data => { text += data; }).on('close', () => resolve(text)).on('error', reject);
      });
      const server = new ForkingServer({ handler });
      await assert.rejects(server.reload(), { code: 'ERR_TRUEFORK_LISTENING' });
      let reloads = 0;
      server.on('reload', () => reloads++);
      await server.listen(0, '127.0.0.1');
      const { port } = server.address();
      assert.equal(await ask(port), 'version 1: x');
      const first = server.zygotePid;
      fs.writeFileSync(handler, ${JSON.stringify(version(2))});
      await server.reload();
      assert.equal(await ask(port), 'version 2: x');
      assert.notEqual(server.zygotePid, first);
      fs.writeFileSync(handler, 'throw Object.assign(new RangeError("broken"), { code: "E_BROKEN" });');
      await assert.rejects(server.reload(), { name: 'RangeError', message: 'broken', code: 'E_BROKEN' });
      assert.equal(await ask(port), 'version 2: x');
      // Called while one is under way, it loads once more; called again meanwhile, not once more.
      fs.writeFileSync(handler, ${JSON.stringify(version(3))});
      await Promise.all([server.reload(), server.reload(), server.reload()]);
      assert.equal(reloads, 2);
      const late = assert.rejects(server.reload(), { code: 'ERR_TRUEFORK_LISTENING' });
      await server.close();
      await late;
      await assert.rejects(server.reload(), { code: 'ERR_TRUEFORK_LISTENING' });
      assert.deepEqual(server.state(), { addresses: [], zygotes: [] });
      console.log('pass');
    `);
    expect(await runScript(program)).toEqual({ code: 0, signal: null, stdout: 'pass\n', stderr: '' });
  });
});

describe('--watch', () => {
  test('reloads when an imported file changes, whatever it was imported by', async () => {
    const inner = script('module.exports = "one";', '.cjs');
    const outer = script(`import inner from ${JSON.stringify(inner)}; export const text = () => inner;`);
    const handler = script(
      `import { text } from ${JSON.stringify(outer)}; export default { open(conn) { conn.end(text()); } };`,
    );
    const server = await serve(handler, ['--watch']);
    expect(await ask(server.port)).toBe('one');
    const becomes = (text: string) => eventually(text, async () => (await ask(server.port)) === text);
    fs.writeFileSync(inner, 'module.exports = "two";');
    await becomes('two');
    fs.writeFileSync(inner, 'module.exports = ;');
    await server.says(/not reloaded.*SyntaxError/s, 'stderr');
    expect(await ask(server.port)).toBe('two');
    fs.writeFileSync(`${inner}.new`, 'module.exports = "three";');
    fs.renameSync(`${inner}.new`, inner); // as many editors save
    await becomes('three');
    fs.writeFileSync(outer, 'export const text = () => "four";');
    await becomes('four');
    await server.stop();
  });

  test('knows the files of a TypeScript handler', async () => {
    const inner = script('export const text: string = "one";', '.ts');
    const handler = script(
      `import { text } from ${JSON.stringify(inner)}; export default { open(conn: any) { conn.end(text); } };`,
      '.ts',
    );
    const server = await serve(handler, ['--watch']);
    expect(await ask(server.port)).toBe('one');
    fs.writeFileSync(inner, 'export const text: string = "two";');
    await eventually('two', async () => (await ask(server.port)) === 'two');
    await server.stop();
  });

  test('leaves the handler its own process.send and environment', async () => {
    const server = await serve(
      'export default { open(conn) { conn.end([process.send, process.env.WATCH_REPORT_DEPENDENCIES].join()); } };',
      ['--watch'],
    );
    expect(await ask(server.port)).toBe(',');
    await server.stop();
  });
});
