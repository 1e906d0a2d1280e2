/** examples/deploy: the units and the container's command, run as they stand there, with the other side played. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { Client } from './harness/client.ts';
import { get } from './harness/http.ts';
import { children, descendants, stat, status } from './harness/proc.ts';
import { scriptFolder } from './harness/scripts.ts';
import { NotifySocket, passedPort, startUnit } from './harness/service-manager.ts';
import { cli, node, run, Subject } from './harness/subject.ts';
import { eventually } from './harness/wait.ts';

const folder = fileURLToPath(new URL('../examples/deploy/', import.meta.url));
const read = (name: string) => fs.readFileSync(path.join(folder, name), 'utf8');
const unit = read('truefork.service');
const setting = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(unit)![1]!;

const installed = '/srv/app/node_modules/truefork/dist/cli/main.js';
/** The arguments after `truefork serve`, with the application where it is here. */
const argumentsOf = (command: string[]) => {
  const at = command.findIndex(word => installed.endsWith(word.replace(/^\/srv\/app\//, '')));
  expect(command[at + 1]).toBe('serve');
  return command
    .slice(at + 2)
    .map(word => word.replace(/^(\/srv\/app\/)?app\.js$/, path.join(folder, 'app.js')));
};

test.skipIf(spawnSync('systemd-analyze', ['--version']).status !== 0)(
  'systemd finds nothing wrong with the units',
  async () => {
    const here = path.join(scriptFolder, 'units');
    fs.mkdirSync(here, { recursive: true });
    // It looks for the program and the folder, too.
    const local = unit
      .replace('/usr/bin/node', node)
      .replace('WorkingDirectory=/srv/app', 'WorkingDirectory=/');
    fs.writeFileSync(path.join(here, 'truefork.service'), local);
    fs.writeFileSync(path.join(here, 'truefork.socket'), read('truefork.socket'));
    const files = ['truefork.service', 'truefork.socket'].map(name => path.join(here, name));
    const result = await run('systemd-analyze', ['verify', '--man=no', ...files]);
    expect(result).toEqual({ code: 0, signal: null, stdout: '', stderr: '' });
  },
);

test('the service serves what the socket unit passes, says when it is ready, lives and stops', async () => {
  const notify = await NotifySocket.open();
  const args = argumentsOf(setting('ExecStart').split(' ')).filter(word => word !== '--json');
  const service = startUnit(
    { places: [0], names: [/^FileDescriptorName=(.*)$/m.exec(read('truefork.socket'))![1]!], args },
    { env: { NOTIFY_SOCKET: notify.name, WATCHDOG_USEC: '500000' } },
  );
  const early = await Client.connect(await passedPort(service)); // before there is a service
  early.send('GET / HTTP/1.0\r\n\r\n');
  await notify.hears(/^READY=1\n/);
  await notify.hears(/^WATCHDOG=1$/);
  expect(await early.closed).toBe('');
  expect(early.received).toMatch(/hello from process \d+\n$/);
  const reload = setting('ExecReload').replace('$MAINPID', String(service.pid));
  expect(await run('/bin/sh', ['-c', reload])).toMatchObject({ code: 0 });
  await notify.hears(/^RELOADING=1\n/);
  await notify.hears(/^READY=1\n/, 2);
  service.signal('SIGTERM');
  await notify.hears(/^STOPPING=1$/);
  expect(await service.ended).toEqual({ code: 0, signal: null }); // which is what a service manager takes for success
});

const isRoot = process.getuid!() === 0;
const namespace = ['--pid', '--fork', '--kill-child', '--mount-proc', ...(isRoot ? [] : ['--map-root-user'])];
const hasNamespaces = spawnSync('unshare', [...namespace, 'true']).status === 0;

test.skipIf(!hasNamespaces)(
  "the container's command is its process 1, no root, reaps orphans, and ends with grace when it is told to",
  async () => {
    const file = read('Containerfile');
    const entry: string[] = JSON.parse(/^ENTRYPOINT (.*)$/m.exec(file)![1]!);
    expect(file).toMatch(/^USER node$/m);
    const args = argumentsOf(entry).map(word => word.replace('*:8080', '*:0'));
    const user = isRoot ? ['setpriv', '--reuid=nobody', '--regid=nogroup', '--clear-groups'] : [];
    const container = new Subject('unshare', [...namespace, ...user, node, cli, 'serve', ...args]);
    const [, port] = await container.says(/"event":"listening".*"host":"::","port":(\d+)/);
    const [first] = children(container.pid);
    expect(status(first!.pid, 'NSpid')).toMatch(/\s1$/);
    if (isRoot) expect(status(first!.pid, 'Uid')).toMatch(/^65534\b/);

    expect((await get(`http://127.0.0.1:${port}/`, { agent: false })).body).toMatch(
      /^hello from process \d+\n$/,
    );
    // An orphan of the container: its parent ends at once, and it becomes the first process's.
    const inside = ['-t', String(first!.pid), '-p', '-m', 'sh', '-c', '(sleep 0.2 &) ; exit 0'];
    if (isRoot) expect((await run('nsenter', inside)).code).toBe(0);
    await eventually('the orphans to be reaped', () =>
      descendants(first!.pid).every(pid => stat(pid)?.state !== 'Z' && stat(pid)?.comm !== 'sleep'),
    );

    const client = await Client.connect(Number(port));
    client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await eventually('an answer', () => /hello/.test(client.received));
    process.kill(first!.pid, 'SIGTERM');
    expect(await client.closed).toBe('');
    expect(await container.ended).toEqual({ code: 0, signal: null });
  },
);

test('the devcontainer is what its schema asks for', () => {
  const container = JSON.parse(read('.devcontainer/devcontainer.json'));
  expect(container).toMatchObject({ image: expect.any(String), remoteUser: 'node' });
  expect(container.runArgs).toContain('--init');
});
