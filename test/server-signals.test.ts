/** What a running server is told by signals, and what it survives. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { ask, Client, refusesConnections } from './harness/client.ts';
import { Load } from './harness/load.ts';
import { isAlive, listeningPort, signalIfThere } from './harness/proc.ts';
import { script, scriptFolder } from './harness/scripts.ts';
import { serve } from './harness/served.ts';
import { cli, node, runScript, Subject } from './harness/subject.ts';
import { eventually } from './harness/wait.ts';

const echo = 'export default { data(conn, chunk) { conn.write(chunk); } };';

describe('SIGUSR1 prints what is being served', () => {
  test('as text', async () => {
    const server = new Subject(node, [cli, 'serve', script(echo), '--port', '0']);
    const [, port] = await server.says(/^listening on 127\.0\.0\.1:(\d+)\n/);
    const client = await Client.connect(Number(port));
    await client.exchange('hello');
    const [, child] = await server.says(/connected: process (\d+)\n/);
    server.signal('SIGUSR1');
    await server.says(
      new RegExp(
        `\nlistening on 127\\.0\\.0\\.1:${port}\nprocess \\d+ accepts, up [\\d.]+ m?s, connections: 1\n` +
          `  #1 127\\.0\\.0\\.1:${client.socket.localPort} by process ${child} for [\\d.]+ m?s\n$`,
      ),
    );
    expect(server.stderr).toBe(''); // Node's own use of this signal is to open a debugger
    await client.end();
    server.signal('SIGTERM');
    expect((await server.ended).code).toBe(0);
  });

  test('as JSON, with the zygotes of earlier code', async () => {
    const server = await serve(echo);
    const { client, info } = await server.connectAndFind();
    await client.exchange('hello');
    const before = server.zygotePid;
    server.signal('SIGHUP');
    await eventually('the reload', () => server.reloads === 1);
    server.signal('SIGUSR1');
    const state = await eventually('the state', () => server.events.find(({ event }) => event === 'state'));
    const { id, pid, remoteAddress, remotePort } = info;
    expect(state).toMatchObject({
      addresses: [{ address: '127.0.0.1', family: 'IPv4', port: server.port }],
      zygotes: [
        {
          pid: before,
          accepting: false,
          uptimeMs: expect.any(Number),
          connections: [{ id, pid, remoteAddress, remotePort, durationMs: expect.any(Number) }],
        },
        { pid: expect.any(Number), accepting: true, uptimeMs: expect.any(Number), connections: [] },
      ],
    });
    await client.end();
    await server.stop();
  });
});

test.each([
  ['the terminal itself', ''],
  ['a file', '> output'],
])(
  'SIGHUP of a terminal that is lost stops the server, with grace; output goes to %s',
  async (_, redirect) => {
    const files = fs.mkdtempSync(path.join(scriptFolder, 'terminal-'));
    const command = `echo $$ > pid.new; mv pid.new pid; exec ${node} ${cli} serve ${script(echo)} --port 0 ${redirect}`;
    const terminal = new Subject('script', ['-qefc', command, '/dev/null'], { cwd: files });
    const pidFile = path.join(files, 'pid');
    await eventually('its process id', () => fs.existsSync(pidFile));
    const pid = Number(fs.readFileSync(pidFile, 'utf8'));
    // Found by asking the kernel, for it may be told to nobody who is left.
    const port = await listeningPort(pid);
    expect(await ask(port, 'x')).toBe('x');
    const client = await Client.connect(port);
    await client.exchange('before');
    terminal.process.kill('SIGKILL'); // and with it the other side of the pseudo-terminal
    await refusesConnections(port);
    expect(await client.exchange('after')).toBe('after');
    expect(isAlive(pid)).toBe(true);
    await client.end();
    await eventually('the server to be gone', () => !isAlive(pid));
    if (redirect !== '')
      expect(fs.readFileSync(path.join(files, 'output'), 'utf8')).toMatch(/#2 \S+ process \d+ exited with 0/);
  },
);

test('SIGHUP with a terminal that is still there reloads', async () => {
  const handler = script(echo);
  const pidFile = path.join(scriptFolder, 'pid');
  const command = `echo $$ > ${pidFile}; exec ${node} ${cli} serve ${handler} --port 0`;
  const terminal = new Subject('script', ['-qefc', command, '/dev/null'], { env: { NO_COLOR: '1' } });
  const port = Number((await terminal.says(/listening on 127\.0\.0\.1:(\d+)/))[1]);
  const pid = Number(fs.readFileSync(pidFile, 'utf8'));
  fs.writeFileSync(handler, 'export default { open(conn) { conn.end("new"); } };');
  process.kill(pid, 'SIGHUP');
  await terminal.says(/reloaded: process \d+ accepts now/);
  expect(await ask(port)).toBe('new');
  process.kill(pid, 'SIGTERM');
  expect((await terminal.ended).code).toBe(0);
});

describe('limits are changed while the server runs', () => {
  test('by a property of the server', async () => {
    const program = script(`
      import assert from 'node:assert/strict';
      import { once } from 'node:events';
      import net from 'node:net';
      import { ForkingServer, SelectServer } from 'truefork';
      const handler = ${JSON.stringify(script(echo))};
      for (const [server, limit] of [
        [new ForkingServer({ handler, maxChildren: 1 }), 'maxChildren'],
        [new SelectServer({ handler, maxConnections: 1 }), 'maxConnections'],
      ]) {
        await server.listen(0, '127.0.0.1');
        const { port } = server.address();
        const connect = () => net.connect(port, '127.0.0.1').setEncoding('utf8');
        const exchange = async (client, text) => { client.write(text); return (await once(client, 'data'))[0]; };
        const first = connect();
        assert.equal(await exchange(first, 'a'), 'a');
        const second = connect();
        const answer = exchange(second, 'b');
        assert.equal(await exchange(first, 'still alone'), 'still alone');
        const { zygotes } = server.state();
        assert.ok(zygotes[0].connections.length <= 1); // the record may still be on its way
        assert.equal(server[limit], 1);
        assert.throws(() => { server[limit] = 0; }, { code: 'ERR_TRUEFORK_ARGUMENT' });
        server[limit] = 2;
        assert.equal(await answer, 'b');
        server[limit] = 1; // nobody is sent away
        assert.equal(await exchange(first, 'c') + await exchange(second, 'd'), 'cd');
        for (const client of [first, second]) client.end();
        await server.close();
      }
      console.log('pass');
    `);
    expect(await runScript(program)).toEqual({ code: 0, signal: null, stdout: 'pass\n', stderr: '' });
  });

  test.each(['json', 'mjs'])('by SIGHUP, from the config file (%s)', async extension => {
    const file = script('', `.${extension}`);
    const write = (maxChildren: number) =>
      fs.writeFileSync(
        file,
        `${extension === 'json' ? '' : 'export default '}{ "maxChildren": ${maxChildren} }`,
      );
    write(1);
    const server = await serve(echo, ['--config', file]);
    const first = await server.connect();
    await first.exchange('first');
    const second = await server.connect();
    second.send('second');
    await server.connectionOf(1);
    await first.exchange('still alone');
    expect(server.connections.length).toBe(1);
    write(2);
    server.signal('SIGHUP');
    expect(String(await second.receive(6))).toBe('second');
    await Promise.all([first.end(), second.end()]);
    await server.stop();
  });
});

test('kill -9 of the zygote under load: only those being served are lost', async () => {
  const server = await serve(echo, ['--max-children', '4'], { deadline: 590_000 });
  const load = new Load(server.port, 16, line => new RegExp(`^${line}$`));
  const kills = 3;
  for (let n = 1; n <= kills; n++) {
    const answers = load.answers;
    await eventually('the load to be served', () => load.answers > answers + 50);
    const zygote = server.zygotePid;
    process.kill(zygote, 'SIGKILL');
    await eventually(
      'another zygote',
      () => server.stderr.split('a new one takes its place').length === n + 1,
    );
  }
  const answers = load.answers;
  await eventually('the load to be served', () => load.answers > answers + 50);
  await load.stop();
  // At most four were being served each time, and one more may have been accepted; the other eleven only queued.
  expect(load.failures.length).toBeLessThanOrEqual(5 * kills);
  expect(load.failures.filter(failure => /ECONNREFUSED/.test(failure))).toEqual([]);
  const ids = server.connections.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  await server.stop();
}, 600_000);

test('a storm of signals during a transfer of 100 MiB: every byte arrives, in order', async () => {
  const mebibytes = 100;
  const server = await serve(
    `
    import { createHash } from 'node:crypto';
    export default socket => {
      const hash = createHash('sha256');
      let sent = 0;
      const more = () => {
        if (sent === ${mebibytes}) return socket.end(hash.digest());
        const chunk = Buffer.alloc(1 << 20, sent++);
        hash.update(chunk);
        socket.write(chunk, more);
      };
      more();
    };
  `,
    [],
    { deadline: 590_000 },
  );
  const zygote = server.zygotePid;
  const client = await server.connect();
  const hash = createHash('sha256');
  let received = 0;
  let tail = Buffer.alloc(0);
  client.socket.removeAllListeners('data').on('data', chunk => {
    received += chunk.length;
    const all = Buffer.concat([tail, chunk]);
    tail = all.subarray(Math.max(0, all.length - 32));
    hash.update(all.subarray(0, all.length - tail.length));
  });
  const { pid } = await server.connectionOf(1);
  const everybody = [server.pid, zygote, pid];
  let signals = 0;
  const storm = setInterval(() => {
    // Pauses let the storm last as long as the transfer, however fast the machine is.
    if (signals % 30 < 10) client.socket.pause();
    else client.socket.resume();
    for (const one of everybody) signalIfThere(one, 'SIGCHLD');
    for (const one of [server.pid, zygote]) {
      signalIfThere(one, 'SIGUSR1');
      signalIfThere(one, 'SIGHUP');
    }
    signals++;
  }, 1);
  try {
    expect(await client.closed).toBe('');
  } finally {
    clearInterval(storm);
  }
  expect(received).toBe((mebibytes << 20) + 32);
  expect(tail.toString('hex')).toBe(hash.digest('hex'));
  expect(signals).toBeGreaterThan(20);
  expect(await server.exitOf(1)).toMatchObject({ code: 0, signal: null });
  await eventually('the server to be at rest', async () => (await ask(server.port).catch(() => '')) !== '');
  await server.stop();
}, 600_000);
