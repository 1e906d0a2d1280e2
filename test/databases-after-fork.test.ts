/** Databases in children, real ones: what is opened before the fork is refused by name, what is opened after it works. */
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask } from './harness/client.ts';
import {
  type Database,
  hasRedis,
  postgresBin,
  runs,
  startPostgres,
  startRedis,
} from './harness/databases.ts';
import { script, scriptFolder } from './harness/scripts.ts';
import { type Served, serve } from './harness/served.ts';
import { cli, node, run, runScript } from './harness/subject.ts';
import { eventually } from './harness/wait.ts';

/** What a client hears that says nothing, and leaves the end to the server. */
async function answer(server: Served): Promise<{ closed: string; received: string }> {
  const client = await server.connect();
  const closed = await client.closed;
  return { closed, received: client.received };
}

/** For a server of a thousand connections, on a machine that has other things to do. */
const patient = { deadline: 590_000 };

/** As many connections as asked for, some at a time, each answered as `check` wants it. */
async function manyConnections(
  server: Served,
  count: number,
  check: (answer: string) => void,
): Promise<void> {
  let left = count;
  const client = async () => {
    while (left-- > 0) {
      const { closed, received } = await answer(server);
      expect(closed).toBe('');
      check(received);
    }
  };
  await Promise.all(Array.from({ length: 8 }, client));
}

function refusal(source: string) {
  return run(node, [cli, 'serve', script(source), '--port', '0']);
}

let count = 0;
const newFile = () => path.join(scriptFolder, `data-${process.pid}-${++count}.db`);

// better-sqlite3 is built for one line of Node; node:sqlite comes with Node, from 22.13 on without a flag.
const sqlites: [name: string, open: string, canBeHad: boolean][] = [
  [
    'better-sqlite3',
    `import Database from 'better-sqlite3'; const open = file => new Database(file);`,
    runs("new (await import('better-sqlite3')).default(':memory:')"),
  ],
  [
    'node:sqlite',
    `import { DatabaseSync } from 'node:sqlite'; const open = file => new DatabaseSync(file);`,
    runs("await import('node:sqlite')"),
  ],
];

describe.each(sqlites)('SQLite by %s', (_name, open, canBeHad) => {
  test.skipIf(!canBeHad)('a database that is open before the fork is refused, by its file', async () => {
    const file = newFile();
    const result = await refusal(`
      ${open}
      const db = open(${JSON.stringify(file)});
      db.exec('CREATE TABLE t (n INTEGER)');
      export default { open(conn) { db.exec('INSERT INTO t VALUES (1)'); conn.end(); } };
    `);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain(
      `the handler script has left open: the SQLite database ${file}. Every child`,
    );
  });

  test.skipIf(!canBeHad)('one that is closed again, or lives in memory, is none of them', async () => {
    const file = newFile();
    const server = await serve(`
      ${open}
      const warm = open(':memory:');
      export function beforeServe() {
        const db = open(${JSON.stringify(file)});
        db.exec('CREATE TABLE t (n INTEGER)');
        db.close();
        warm.exec("CREATE TABLE t (n INTEGER); INSERT INTO t VALUES (42)");
      }
      export default { open(conn) { conn.end(String(warm.prepare('SELECT n FROM t').get().n)); } };
    `);
    expect([await ask(server.port), await ask(server.port)]).toEqual(['42', '42']);
    await server.stop();
  });

  test.skipIf(!canBeHad)(
    'opened in afterFork, 1000 connections lose no write and leave nothing open',
    async () => {
      const file = newFile();
      const server = await serve(
        `
      ${open}
      let db;
      export function beforeServe() {
        const made = open(${JSON.stringify(file)});
        made.exec('PRAGMA journal_mode = WAL; CREATE TABLE hits (pid INTEGER)');
        made.close();
      }
      export function afterFork() {
        db = open(${JSON.stringify(file)});
        db.exec('PRAGMA busy_timeout = 20000; PRAGMA synchronous = OFF');
      }
      export default { open(conn) {
        db.prepare('INSERT INTO hits VALUES (?)').run(process.pid);
        db.close();
        conn.end('done');
      } };
    `,
        [],
        patient,
      );
      await manyConnections(server, 1000, answer => expect(answer).toBe('done'));
      await eventually('all children to be reaped', () => server.exits.length === 1000);
      expect(server.exits.filter(({ code }) => code !== 0)).toEqual([]);
      await server.stop();
      const { stdout } = await runScript(
        script(`
        ${open}
        const db = open(${JSON.stringify(file)});
        console.log(db.prepare('SELECT count(*) AS n FROM hits').get().n, db.prepare('PRAGMA integrity_check').get().integrity_check);
      `),
      );
      expect(stdout).toBe('1000 ok\n');
      expect(fs.existsSync(`${file}-wal`)).toBe(false); // the last to close it has removed it
    },
    600_000,
  );
});

describe.skipIf(postgresBin === undefined)('PostgreSQL', () => {
  let database: Database;
  beforeAll(async () => {
    database = await startPostgres();
  });
  afterAll(() => database?.stop());
  const config = (more = '') =>
    `{ host: ${JSON.stringify(database.folder)}, user: 'truefork', database: 'postgres' ${more} }`;

  async function connections(): Promise<number> {
    const result = await runScript(
      script(`
        import pg from 'pg';
        const client = new pg.Client(${config()});
        await client.connect();
        const { rows } = await client.query("SELECT count(*)::int AS n FROM pg_stat_activity WHERE backend_type = 'client backend'");
        console.log(rows[0].n - 1);
        await client.end();
      `),
    );
    expect(result).toMatchObject({ code: 0, stderr: '' });
    return Number(result.stdout);
  }

  test('a client that is connected before the fork is refused', async () => {
    const result = await refusal(`
      import pg from 'pg';
      const client = new pg.Client(${config()});
      await client.connect();
      export default socket => socket.end();
    `);
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/has left open: a pipe or Unix socket \(PipeWrap\)\. Every child/);
  });

  test('so is an idle client of a pool, which the event loop does not wait for', async () => {
    const result = await refusal(`
      import pg from 'pg';
      const pool = new pg.Pool(${config(', allowExitOnIdle: true, idleTimeoutMillis: 0')});
      await pool.query('SELECT 1');
      export default socket => socket.end();
    `);
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/has left open: a socket that nothing waits for \(descriptor \d+\)/);
  });

  test('a pool that is made before, and first used after the fork, serves 1000 connections and leaves none', async () => {
    const server = await serve(
      `
      import pg from 'pg';
      const pool = new pg.Pool(${config(', max: 1')});
      export async function beforeServe() {
        const client = new pg.Client(${config()});
        await client.connect();
        await client.query('CREATE TABLE hits (pid int)');
        await client.end();
      }
      export default async socket => {
        const { rows } = await pool.query('INSERT INTO hits VALUES ($1) RETURNING pg_backend_pid() AS backend', [process.pid]);
        socket.end(String(rows[0].backend));
        await pool.end();
      };
    `,
      ['--max-children', '40'],
      patient,
    );
    const backends = new Set<string>();
    await manyConnections(server, 1000, answer => {
      expect(answer).toMatch(/^\d+$/);
      backends.add(answer);
    });
    expect(backends.size).toBe(1000); // each child had a connection of its own
    await eventually('all children to be reaped', () => server.exits.length === 1000);
    expect(server.exits.filter(({ code }) => code !== 0)).toEqual([]);
    await eventually('the database to have no client left', async () => (await connections()) === 0);
    await server.stop();
  }, 600_000);

  test('a child that is killed leaves no connection on the server either', async () => {
    const server = await serve(`
      import pg from 'pg';
      export default async socket => {
        const client = new pg.Client(${config()});
        await client.connect();
        await client.query('BEGIN');
        socket.write('in a transaction');
      };
    `);
    const { client, info } = await server.connectAndFind();
    await client.receive(16);
    await eventually('the database to have this client alone', async () => (await connections()) === 1);
    process.kill(info.pid, 'SIGKILL');
    await client.closed;
    await eventually('the database to have no client left', async () => (await connections()) === 0);
    await server.stop();
  });
});

describe.skipIf(!hasRedis)('Redis', () => {
  let database: Database;
  beforeAll(async () => {
    database = await startRedis();
  });
  afterAll(() => database?.stop());
  const client = () => `new Redis({ path: ${JSON.stringify(database.socket)} })`;

  test('a client that is connected before the fork is refused', async () => {
    const result = await refusal(`
      import { Redis } from 'ioredis';
      const redis = ${client()};
      await redis.ping();
      export default socket => socket.end();
    `);
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/has left open: a pipe or Unix socket \(PipeWrap\)/);
  });

  test('opened in afterFork, 1000 connections count to 1000, and leave no client', async () => {
    const server = await serve(
      `
      import { Redis } from 'ioredis';
      let redis;
      export function afterFork() { redis = ${client()}; }
      export default async socket => {
        socket.end(String(await redis.incr('hits')));
        redis.disconnect();
      };
    `,
      [],
      patient,
    );
    const answers = new Set<string>();
    await manyConnections(server, 1000, answer => answers.add(answer));
    expect(answers.size).toBe(1000);
    expect(answers.has('1000')).toBe(true);
    await eventually('all children to be reaped', () => server.exits.length === 1000);
    const list = async () => (await run('redis-cli', ['-s', database.socket, 'client', 'list'])).stdout;
    await eventually('redis to have no client but the one that asks', async () => {
      return (await list()).trim().split('\n').length === 1;
    });
    await server.stop();
  }, 600_000);
});
