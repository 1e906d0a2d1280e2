/** Database servers, real ones, each in a folder of its own, as a user who is not root. */
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { node, run } from './subject.ts';
import { eventually } from './wait.ts';

const isRoot = process.getuid?.() === 0;

/** As no root, which PostgreSQL refuses to be; and so that it ends when the test runner does. */
function asUser(command: string, args: string[]): [string, string[]] {
  const user = isRoot ? ['--reuid=nobody', '--regid=nogroup', '--clear-groups'] : [];
  return ['setpriv', [...user, '--pdeathsig=KILL', command, ...args]];
}

/** A short one: the path of a Unix socket has to fit into it. */
function newFolder(name: string): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), `truefork-${name}-`));
  if (isRoot) fs.chownSync(folder, 65534, 65534);
  return folder;
}

/** The folder of the newest PostgreSQL that is installed, as Debian has it. */
function findPostgres(): string | undefined {
  const root = '/usr/lib/postgresql';
  const versions = fs.existsSync(root)
    ? fs
        .readdirSync(root)
        .map(Number)
        .sort((a, b) => b - a)
    : [];
  return versions.map(version => `${root}/${version}/bin`).find(bin => fs.existsSync(`${bin}/initdb`));
}

export const postgresBin = findPostgres();
export const hasRedis = spawnSync('redis-server', ['--version']).status === 0;

export interface Database {
  /** Where its Unix socket is. */
  socket: string;
  folder: string;
  stop(): Promise<void>;
}

/** Not a Subject: those end after each test. */
async function start(command: string, args: string[], folder: string, socket: string): Promise<Database> {
  const server = spawn(...asUser(command, args), { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  server.stderr.on('data', text => {
    said += text;
  });
  const ended = new Promise(resolve => server.once('close', resolve));
  await eventually(
    `${command} to listen`,
    () => {
      if (server.exitCode !== null) throw new Error(`${command} ended: ${said}`);
      return answers(socket);
    },
    60_000,
  );
  return {
    socket,
    folder,
    async stop() {
      server.kill('SIGINT'); // PostgreSQL's fast shutdown
      await ended;
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}

function answers(socket: string): Promise<boolean> {
  return new Promise(resolve => {
    const probe = net.connect(socket, () => probe.end(() => resolve(true)));
    probe.on('error', () => resolve(false));
  });
}

/** A PostgreSQL server that listens on a Unix socket alone. */
export async function startPostgres(): Promise<Database> {
  const folder = newFolder('pg');
  const data = path.join(folder, 'data');
  const how = ['-D', data, '-U', 'truefork', '-A', 'trust', '-N', '--no-instructions'];
  const made = await run(...asUser(`${postgresBin}/initdb`, how), { cwd: folder });
  if (made.code !== 0) throw new Error(`initdb: ${made.stderr}`);
  const settings = [
    'listen_addresses=',
    `unix_socket_directories=${folder}`,
    'fsync=off',
    'max_connections=100',
  ];
  const args = ['-D', data, ...settings.flatMap(setting => ['-c', setting])];
  return start(`${postgresBin}/postgres`, args, folder, path.join(folder, '.s.PGSQL.5432'));
}

/** A Redis server that listens on a Unix socket alone. */
export async function startRedis(): Promise<Database> {
  const folder = newFolder('redis');
  const socket = path.join(folder, 'redis.sock');
  const args = ['--port', '0', '--unixsocket', socket, '--save', '', '--dir', folder];
  return start('redis-server', args, folder, socket);
}

/** Whether the subjects' Node runs this module: a package with an addon may be built for another. */
export function runs(source: string): boolean {
  return spawnSync(node, ['--input-type=module', '-e', source], { stdio: 'ignore' }).status === 0;
}
