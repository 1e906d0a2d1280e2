/** `examples/schedule`: the lecture's exercise 2, used as students would, and killed as the kernel would. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { children } from './harness/proc.ts';
import { example, inspect, newDatabase, newTerm, Student, serveSchedule } from './harness/schedule.ts';
import { Writer } from './harness/schedule-writer.ts';
import { flagsOf } from './harness/served.ts';
import { node, run, runScript } from './harness/subject.ts';
import { eventually } from './harness/wait.ts';

/** SQLite's binding is built for one line of Node; the subject may be another. */
const sqlite = spawnSync(node, ['-e', "new (require('better-sqlite3'))(':memory:')"], { cwd: example });
const reason = sqlite.status === 0 ? '' : ` (skipped: better-sqlite3 is not built for ${node})`;

describe.skipIf(reason !== '')(`the schedule server${reason}`, () => {
  test('knows students by their passwords, and nobody else', async () => {
    const server = await serveSchedule();
    const ana = await Student.meet(server);
    expect(await ana.ask('list')).toMatchObject({ status: 'DENIED', text: 'login first' });
    expect(await ana.ask('login ana birch')).toMatchObject({
      status: 'DENIED',
      text: expect.stringMatching(/left: 2$/),
    });
    expect(await ana.ask('login ana maple')).toMatchObject({
      status: 'OK',
      text: 'welcome, ana: 4 bookings',
    });
    expect(await ana.ask('login ben birch')).toMatchObject({ status: 'BAD' });
    expect((await ana.ask('week')).text).toBe('the week of ana');
    await ana.quit();
    expect(await server.exitOf(1)).toMatchObject({ code: 0, signal: null });
    await server.stop();
  });

  test('begins with the example term where there is no database', async () => {
    const file = newDatabase();
    const server = await serveSchedule(file);
    expect(server.stderr).toMatch(/it has the example term now/);
    expect(fs.statSync(file).mode & 0o777).toBe(0o600); // there are password hashes in it
    await server.stop();
    expect((await inspect(file)).rows.length).toBe(14);
  });

  test('ends the connection after three wrong logins, and takes nothing more from it', async () => {
    const server = await serveSchedule();
    const stranger = await Student.meet(server);
    stranger.client.send('login nobody x\nlogin ana x\nlogin ben x\nlogin ana maple\nlist\n');
    const statuses = [];
    for (let n = 0; n < 3; n++) statuses.push((await stranger.reply()).status);
    expect(statuses).toEqual(['DENIED', 'DENIED', 'BYE']);
    expect(await stranger.client.closed).toBe('');
    expect(stranger.client.received).toBe('');
    expect(await server.exitOf(1)).toMatchObject({ code: 0, signal: null });
    await server.stop();
  });

  test('does all that is in its help', async () => {
    const server = await serveSchedule();
    const ana = await Student.login(server, 'ana', 'maple');
    const { lines: help } = await ana.ask('help');
    expect(help.map(line => line.split(' ')[0])).toEqual(
      ['help', 'login', 'list', 'week', 'courses', 'rooms', 'add', 'move', 'remove', 'quit'], // as in PROTOCOL.md
    );
    expect(await ana.ask('courses')).toMatchObject({
      lines: expect.arrayContaining(['OS Operating systems']),
    });
    expect(await ana.ask('rooms')).toMatchObject({ lines: ['A1', 'A2', 'B101', 'LAB1', 'LAB2'] });
    expect(await ana.ask('rooms Mon 8-11')).toMatchObject({ lines: ['A2', 'LAB2'] });

    const added = await ana.ask('ADD tue 10-12 a2 os');
    expect(added).toMatchObject({ status: 'OK', text: 'added 15 Tue 10-12 A2 OS Operating systems' });
    expect(await ana.ask('move 15 Tue 11-13')).toMatchObject({
      text: 'moved 15 Tue 11-13 A2 OS Operating systems',
    });
    expect(await ana.ask('move 15 Thu 9 B101')).toMatchObject({
      text: 'moved 15 Thu 09-10 B101 OS Operating systems',
    });
    expect(await ana.ask('list')).toEqual({
      status: 'LIST',
      text: '5 bookings',
      lines: [
        '1 Mon 08-10 B101 OS Operating systems',
        '2 Mon 13-14 A1 ENG English for engineers',
        '3 Wed 10-12 LAB1 NET Network programming',
        '15 Thu 09-10 B101 OS Operating systems',
        '4 Fri 09-11 A2 DB Databases',
      ],
    });
    expect((await ana.ask('week')).lines).toEqual([
      'Mon  08-10 OS in B101 (1), 13-14 ENG in A1 (2)',
      'Tue  -',
      'Wed  10-12 NET in LAB1 (3)',
      'Thu  09-10 OS in B101 (15)',
      'Fri  09-11 DB in A2 (4)',
    ]);
    expect(await ana.ask('remove 15')).toMatchObject({
      text: 'removed 15 Thu 09-10 B101 OS Operating systems',
    });
    expect(await ana.ask('remove 15')).toMatchObject({ status: 'MISSING' });
    expect((await ana.ask('add Thu 9 B101 OS')).text).toMatch(/^added 16 /); // no number comes twice
    await ana.quit();

    const again = await Student.login(server, 'ana', 'maple');
    expect((await again.ask('list')).lines.length).toBe(5);
    await again.quit();
    await server.stop();
  });

  test('refuses what conflicts, and leaves all as it was', async () => {
    const server = await serveSchedule();
    const ana = await Student.login(server, 'ana', 'maple');
    const before = await ana.ask('list');
    const refusals = {
      'add Mon 9-11 A2 OS': 'CONFLICT you are in room B101 on Mon at 09, for OS, booking 1',
      'add Thu 9-11 B101 OS': 'CONFLICT room B101 is taken on Thu at 10',
      'move 1 Thu 9-11': 'CONFLICT room B101 is taken on Thu at 10',
      'move 2 Mon 9': 'CONFLICT you are in room B101 on Mon at 09, for OS, booking 1',
      'move 5 Tue 8': 'MISSING you have no booking 5', // it is ben's
      'remove 5': 'MISSING you have no booking 5',
      'add Tue 10 A9 OS': 'MISSING there is no room A9',
      'add Tue 10 A2 YOGA': 'MISSING there is no course YOGA',
      'move 1 Tue 10 A9': 'MISSING there is no room A9',
    };
    for (const [request, refusal] of Object.entries(refusals)) {
      const { status, text } = await ana.ask(request);
      expect(`${status} ${text}`, request).toBe(refusal);
    }
    expect(await ana.ask('list')).toEqual(before);
    await ana.quit();
    await server.stop();
  });

  test('takes lines however they come, and says what is wrong with one', async () => {
    const file = await newTerm({ students: 1, rooms: 2 });
    const server = await serveSchedule(file);
    const student = await Student.login(server, 's0', 'secret0');
    student.client.socket.setNoDelay(true);

    for (const piece of ['ad', 'd Mon', ' 8 R0 O', 'S\r', '\nli', 'st\r\nremove 1\n', 'list\n']) {
      // Given to the kernel by itself: the server may read it together with the next, and has to do the same.
      await new Promise(resolve => student.client.socket.write(piece, resolve));
    }
    const replies = [
      await student.reply(),
      await student.reply(),
      await student.reply(),
      await student.reply(),
    ];
    expect(replies.map(({ text }) => text.split(' ').slice(0, 2).join(' '))).toEqual([
      'added 1',
      '1 booking',
      'removed 1',
      '0 bookings',
    ]);

    const bad: [request: string | Buffer, says: RegExp][] = [
      ['', /no such command/],
      ['constructor', /no such command/],
      ['add Mon', /^it is: add DAY HOURS ROOM COURSE$/],
      ['add Mon 8 R0 OS now', /^it is: add/],
      ['list all', /^it is: list$/],
      ['add Sun 8 R0 OS', /a day is one of Mon/],
      ['add Mon 8-8 R0 OS', /hours lie between/],
      ['add Mon 7-9 R0 OS', /hours lie between/],
      ['add Mon 19-21 R0 OS', /hours lie between/],
      ['add Mon 12-10 R0 OS', /hours lie between/],
      ['add Mon 8.5 R0 OS', /hours are like/],
      ['rooms Mon', /hours are like/],
      ['remove -1', /by its number/],
      ['remove 1e3', /by its number/],
      ['remove 99999999999999999999', /by its number/],
      ['x'.repeat(257), /at most 256 bytes/],
      ['x'.repeat(1_000_000), /at most 256 bytes/],
      [Buffer.from([0xff, 0xfd, 0x01]), /UTF-8/],
    ];
    for (const [request, says] of bad) {
      student.client.send(Buffer.concat([Buffer.from(request), Buffer.from('\n')]));
      const { status, text } = await student.reply();
      expect(`${status} ${text}`).toMatch(/^BAD /);
      expect(text).toMatch(says);
    }
    expect(await student.ask("add Mon 8 ';DROP OS")).toMatchObject({ status: 'MISSING' });
    expect(await student.ask('list')).toMatchObject({ status: 'LIST', lines: [] });

    // What is not a whole line is not done: it could be the beginning of another.
    expect(await student.ask('add Mon 8 R0 OS')).toMatchObject({ status: 'OK' });
    student.client.socket.end('remove 2');
    expect(await student.client.closed).toBe('');
    expect(await server.exitOf(1)).toMatchObject({ code: 0, signal: null });
    expect((await inspect(file)).rows.length).toBe(1);
    await server.stop();
  });

  test('serves a hundred students at once, each in a process of its own', async () => {
    const students = 100;
    const file = await newTerm({ students, rooms: students });
    const server = await serveSchedule(file);
    const all = await Promise.all(
      Array.from({ length: students }, (_, n) => Student.login(server, `s${n}`, `secret${n}`)),
    );
    expect(children(server.zygotePid).length).toBe(students);
    await Promise.all(
      all.map(async (student, n) => {
        for (let hour = 8; hour < 12; hour++)
          expect(await student.ask(`add Mon ${hour} R${n} OS`)).toMatchObject({ status: 'OK' });
        expect(await student.ask('move 1 Tue 8')).toMatchObject({
          status: expect.stringMatching(/OK|MISSING/),
        });
        expect((await student.ask('list')).lines.length).toBe(4);
        await student.quit();
      }),
    );
    const { integrity, rows } = await inspect(file);
    expect(integrity).toBe('ok');
    expect(rows.length).toBe(4 * students);
    await eventually('all exits', () => server.exits.length === students);
    expect(server.exits.filter(({ code }) => code !== 0)).toEqual([]);
    await server.stop();
  });

  test.each(['iterative', 'select', 'poll'])('serves in mode %s too, where nothing forks', async mode => {
    const server = await serveSchedule(await newTerm({ students: 2, rooms: 1 }), flagsOf(mode));
    const first = await Student.login(server, 's0', 'secret0');
    if (mode === 'iterative') await first.quit();
    const second = await Student.login(server, 's1', 'secret1');
    expect(await second.ask('add Mon 8 R0 OS')).toMatchObject({ status: 'OK' });
    if (mode !== 'iterative') {
      expect(await first.ask('add Mon 8 R0 OS')).toMatchObject({ status: 'CONFLICT' });
      await first.quit();
    }
    expect((await second.ask('list')).lines.length).toBe(1);
    await second.quit();
    await server.stop();
  });

  test('gives a room to one of two students who ask for it at once', async () => {
    const pairs = 20;
    const file = await newTerm({ students: 2 * pairs, rooms: 1 });
    const server = await serveSchedule(file);
    const all = await Promise.all(
      Array.from({ length: 2 * pairs }, (_, n) => Student.login(server, `s${n}`, `secret${n}`)),
    );
    const time = (pair: number) =>
      `${['Mon', 'Tue', 'Wed', 'Thu', 'Fri'][pair % 5]} ${8 + 2 * Math.floor(pair / 5)}`;
    const replies = await Promise.all(all.map((student, n) => student.ask(`add ${time(n >> 1)} R0 OS`)));
    for (let pair = 0; pair < pairs; pair++) {
      const statuses = [replies[2 * pair]!.status, replies[2 * pair + 1]!.status];
      expect(statuses.sort(), `pair ${pair}`).toEqual(['CONFLICT', 'OK']);
    }
    const { integrity, rows } = await inspect(file);
    expect(integrity).toBe('ok');
    const winners = replies.flatMap(({ status }, n) => (status === 'OK' ? [`s${n}`] : []));
    expect(rows.map(({ student }) => student).sort()).toEqual(winners.sort());
    await Promise.all(all.map(student => student.quit()));
    await server.stop();
  });

  test('lets no student be in two places who asks from two terminals at once', async () => {
    const students = 20;
    const file = await newTerm({ students, rooms: 2 * students });
    const server = await serveSchedule(file);
    const terminals = await Promise.all(
      Array.from({ length: 2 * students }, (_, n) => Student.login(server, `s${n >> 1}`, `secret${n >> 1}`)),
    );
    const replies = await Promise.all(terminals.map((terminal, n) => terminal.ask(`add Wed 9-11 R${n} OS`)));
    for (let n = 0; n < students; n++)
      expect([replies[2 * n]!.status, replies[2 * n + 1]!.status].sort()).toEqual(['CONFLICT', 'OK']);
    expect((await inspect(file)).rows.map(({ student }) => student).sort()).toEqual(
      Array.from({ length: students }, (_, n) => `s${n}`).sort(),
    );
    await Promise.all(terminals.map(terminal => terminal.quit()));
    await server.stop();
  });

  test('keeps all that it acknowledged, and no half of anything, under kill -9 of its children', async () => {
    const writers = Array.from({ length: 8 }, (_, n) => new Writer(n));
    const file = await newTerm({ students: writers.length, rooms: 4 });
    const server = await serveSchedule(file);
    let kills = 0;
    const acknowledged = () => writers.reduce((sum, writer) => sum + writer.acknowledged, 0);
    const isOver = () => kills >= 60 && acknowledged() >= 200;
    const killing = (async () => {
      while (!isOver()) {
        await sleep(Math.random() * 60); // the moment of the kill is to be any
        const alive = children(server.zygotePid).filter(({ state }) => state !== 'Z');
        const victim = alive[Math.floor(Math.random() * alive.length)];
        try {
          process.kill(victim!.pid, 'SIGKILL');
          kills++;
        } catch {
          // there was none, or it ended by itself while we looked
        }
      }
    })();
    await Promise.all([killing, ...writers.map(writer => writer.writeUntil(isOver, server))]);

    await eventually('the exits', () => server.exits.length === server.connections.length);
    expect(server.exits.filter(({ signal }) => signal === 'SIGKILL').length).toBeGreaterThan(10);
    expect(server.exits.filter(({ code, signal }) => code !== 0 && signal !== 'SIGKILL')).toEqual([]);

    const { integrity, strays, rows } = await inspect(file);
    expect({ integrity, strays }).toEqual({ integrity: 'ok', strays: 0 });
    for (const writer of writers) writer.expectToFind(rows);
    await server.stop();
  });
});

describe.skipIf(reason !== '')(`the schedule's programs${reason}`, () => {
  const client = path.join(example, 'client.js');

  test('client.js draws the week as a table', async () => {
    const server = await serveSchedule();
    const result = await run(node, [client, '--user', 'ben', '--port', String(server.port), 'week'], {
      env: { SCHEDULE_PASSWORD: 'birch' },
    });
    expect(result).toMatchObject({ code: 0, signal: null, stderr: '' });
    const rows = result.stdout.split('\n').map(line => line.split(/[│├┤]/).map(cell => cell.trim()));
    expect(rows.find(([, hour]) => hour === '')).toEqual(['', '', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', '']);
    const row = (hour: string) => rows.find(cells => cells[1] === hour)!.slice(2, 7);
    expect(row('08-09')).toEqual(['NET #5', '', '', '', '']);
    expect(row('10-11')).toEqual(['', '', '', 'OS #7', '']);
    expect(row('14-15')).toEqual(['', 'ALG #6', '', '', '']);
    expect(result.stdout).toMatch(/├─+┤ LAB1 +├/); // a booking of two hours is one cell
    expect(
      new Set(
        result.stdout
          .trim()
          .split('\n')
          .map(line => line.length),
      ).size,
    ).toBe(1);
    await server.stop();
  });

  test('client.js does one command, and its exit code tells whether it was done', async () => {
    const server = await serveSchedule();
    const perform = (password: string, ...command: string[]) =>
      run(node, [client, '--user', 'ana', '--port', String(server.port), ...command], {
        env: { SCHEDULE_PASSWORD: password },
      });
    expect(await perform('maple', 'add', 'tue', '10', 'a2', 'os')).toMatchObject({
      code: 0,
      stdout: 'added 15 Tue 10-11 A2 OS Operating systems\n',
    });
    expect(await perform('maple', 'add', 'Mon', '8', 'A2', 'OS')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^CONFLICT: you are in room B101/),
    });
    expect(await perform('wrong', 'list')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^DENIED: /),
    });
    await server.stop();
    expect(await perform('maple', 'list')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/ECONNREFUSED/),
    });
  });

  test('client.js takes commands one after another', async () => {
    const server = await serveSchedule();
    const result = spawnSync(node, [client, '--user', 'ana', '--port', String(server.port)], {
      env: { ...process.env, SCHEDULE_PASSWORD: 'maple' },
      input: 'remove 3\nremove 3\nlist\nquit\n',
      encoding: 'utf8',
    });
    expect(result).toMatchObject({ status: 0, stderr: 'MISSING: you have no booking 3\n' });
    expect(result.stdout).toMatch(/^welcome, ana: 4 bookings\nremoved 3 .*\n3 bookings:\n1 /);
    await server.stop();
  });

  test('seed.js makes the example term once', async () => {
    const env = { SCHEDULE_DB: newDatabase() };
    const first = await runScript(path.join(example, 'seed.js'), [], { env });
    expect(first).toMatchObject({ code: 0, stdout: expect.stringMatching(/ana {2}maple/), stderr: '' });
    const second = await runScript(path.join(example, 'seed.js'), [], { env });
    expect(second).toMatchObject({ code: 0, stdout: expect.stringMatching(/is as it was/), stderr: '' });
    expect((await inspect(env.SCHEDULE_DB)).rows.length).toBe(14);
  });
});
