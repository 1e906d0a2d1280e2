/** The schedule example: served, spoken to by its protocol, and its database looked into. */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { Client } from './client.ts';
import { script, scriptFolder } from './scripts.ts';
import { type Served, serve } from './served.ts';
import { runScript } from './subject.ts';

export const example = fileURLToPath(new URL('../../examples/schedule/', import.meta.url));
const handler = path.join(example, 'server.js');

let count = 0;
export function newDatabase(): string {
  return path.join(scriptFolder, `schedule-${process.pid}-${++count}.db`);
}

/** Runs a script beside the example's own modules. What it prints is JSON. */
async function inExample<Result>(source: string): Promise<Result> {
  const result = await runScript(script(source.replaceAll("from './", `from '${example}`)));
  expect(result).toMatchObject({ code: 0, signal: null, stderr: '' });
  return JSON.parse(result.stdout);
}

/** A database of students s0, s1, …, whose passwords cost next to nothing, and of rooms R0, R1, …; no bookings. */
export async function newTerm({ students, rooms }: { students: number; rooms: number }): Promise<string> {
  const file = newDatabase();
  await inExample(`
    import { migrate } from './schema.js';
    import { Store } from './store.js';
    migrate(${JSON.stringify(file)});
    const store = new Store(${JSON.stringify(file)});
    store.atomically(() => {
      const cost = { N: 2, r: 1, p: 1 };
      for (let n = 0; n < ${students}; n++) store.addStudent({ name: 's' + n, password: 'secret' + n, cost });
      for (let n = 0; n < ${rooms}; n++) store.addRoom('R' + n);
      store.addCourse({ code: 'OS', title: 'Operating systems' });
    });
    store.close();
    console.log(true);
  `);
  return file;
}

export interface Row {
  id: number;
  student: string;
  room: string;
  day: number;
  hours: number[];
}

/** What another program finds in the file: whether it is sound, and its bookings. */
export function inspect(file: string): Promise<{ integrity: string; strays: number; rows: Row[] }> {
  return inExample(`
    import { createRequire } from 'node:module';
    const Database = createRequire('${handler}')('better-sqlite3');
    const db = new Database(${JSON.stringify(file)});
    const hours = db.prepare('SELECT room, day, hour FROM booked_hour WHERE booking = ? ORDER BY day, hour');
    const rows = db.prepare('SELECT id, student FROM booking ORDER BY id').all().map(({ id, student }) => {
      const at = hours.all(id);
      const places = [...new Set(at.map(({ room, day }) => room + ' ' + day))];
      if (places.length !== 1) throw new Error('booking ' + id + ' is in ' + places.length + ' places');
      return { id, student, room: at[0].room, day: at[0].day, hours: at.map(({ hour }) => hour) };
    });
    console.log(JSON.stringify({
      integrity: db.pragma('integrity_check', { simple: true }),
      strays: db.pragma('foreign_key_check').length,
      rows,
    }));
  `);
}

export interface Reply {
  status: string;
  text: string;
  lines: string[];
}

/** A client that reads the protocol by PROTOCOL.md. */
export class Student {
  readonly client: Client;

  private constructor(client: Client) {
    this.client = client;
  }

  static async meet(server: Served): Promise<Student> {
    const student = new Student(await server.connect());
    expect((await student.reply()).status).toBe('OK');
    return student;
  }

  static async login(server: Served, name: string, password: string): Promise<Student> {
    const student = await Student.meet(server);
    expect(await student.ask(`login ${name} ${password}`)).toMatchObject({ status: 'OK' });
    return student;
  }

  async line(): Promise<string> {
    const bytes: number[] = [];
    for (let byte: number; (byte = (await this.client.receive(1))[0]!) !== 10; ) bytes.push(byte);
    return Buffer.from(bytes).toString();
  }

  async reply(): Promise<Reply> {
    const [status, ...words] = (await this.line()).split(' ');
    const lines: string[] = [];
    if (status === 'LIST') for (let line: string; (line = await this.line()) !== '.'; ) lines.push(line);
    return { status: status!, text: words.join(' '), lines };
  }

  /** Asks again for as long as others have been writing for too long, as the protocol says. */
  async ask(request: string): Promise<Reply> {
    for (;;) {
      this.client.send(`${request}\n`);
      const reply = await this.reply();
      if (reply.status !== 'BUSY') return reply;
    }
  }

  async quit(): Promise<void> {
    expect(await this.ask('quit')).toMatchObject({ status: 'BYE' });
    expect(await this.client.closed).toBe('');
  }
}

let seeded: Promise<string> | undefined;

/** A copy of the example term's database. It is made once: real passwords take their time. */
export async function exampleTerm(): Promise<string> {
  const original = await (seeded ??= (async () => {
    const file = newDatabase();
    await inExample(`import { seed } from './term.js'; console.log(seed(${JSON.stringify(file)}));`);
    return file;
  })());
  const copy = newDatabase();
  fs.copyFileSync(original, copy);
  return copy;
}

export async function serveSchedule(file?: string, args: string[] = []): Promise<Served> {
  return serve(handler, args, { env: { SCHEDULE_DB: file ?? (await exampleTerm()) } });
}
