/** A client of the schedule example that writes, loses its connection, and knows what must then be in the database. */
import { expect } from 'vitest';
import { type Reply, type Row, Student } from './schedule.ts';
import type { Served } from './served.ts';

interface Place {
  day: number;
  from: number;
  room: string;
}

const days = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri'];

/** A student who books, moves and removes two hours at a time, and remembers what the server said. */
export class Writer {
  readonly name: string;
  readonly #password: string;
  acknowledged = 0;
  /** What is in the database by all that the server said. */
  readonly #known = new Map<number, Place>();
  /** What was asked for, and never answered: it was done, or it was not. */
  #unanswered: { id?: number; to?: Place } | undefined;

  constructor(n: number) {
    this.name = `s${n}`;
    this.#password = `secret${n}`;
  }

  async writeUntil(isOver: () => boolean, server: Served): Promise<void> {
    while (!isOver()) {
      try {
        const student = await Student.login(server, this.name, this.#password);
        this.#catchUp((await student.ask('list')).lines.map(parsePlace));
        while (!isOver()) await this.#write(student);
        student.client.socket.end();
        return;
      } catch (error) {
        if (!isLostConnection(error as NodeJS.ErrnoException)) throw error;
      }
    }
  }

  async #write(student: Student): Promise<void> {
    const to = { day: pick(5), from: 8 + pick(11), room: `R${pick(4)}` };
    const when = `${days[to.day]} ${to.from}-${to.from + 2} ${to.room}`;
    const ids = [...this.#known.keys()];
    const id = ids[pick(ids.length)];
    const action = id === undefined ? 'add' : ['add', 'move', 'move', 'move', 'remove'][pick(5)];
    let reply: Reply;
    if (action === 'add') {
      this.#unanswered = { to };
      reply = await student.ask(`add ${when} OS`);
    } else if (action === 'move') {
      this.#unanswered = { id: id!, to };
      reply = await student.ask(`move ${id} ${when}`);
    } else {
      this.#unanswered = { id: id! };
      reply = await student.ask(`remove ${id}`);
    }
    this.#unanswered = undefined;
    if (reply.status === 'CONFLICT') return;
    expect(reply.status).toBe('OK');
    this.acknowledged++;
    if (action === 'remove') this.#known.delete(id!);
    else this.#known.set(Number(reply.text.split(' ')[1]), to);
  }

  /** Compares what is there with what was said, and learns what became of the request that had no answer. */
  #catchUp(found: { id: number; place: Place }[]): void {
    const places = new Map(found.map(({ id, place }) => [id, place]));
    const { id: asked, to } = this.#unanswered ?? {};
    if (asked !== undefined) {
      const place = places.get(asked);
      expect([this.#known.get(asked), to]).toContainEqual(place);
      if (place === undefined) this.#known.delete(asked);
      else this.#known.set(asked, place);
    } else if (to !== undefined) {
      const added = found.filter(({ id }) => !this.#known.has(id));
      expect([[], [to]]).toContainEqual(added.map(({ place }) => place));
      for (const { id, place } of added) this.#known.set(id, place);
    }
    this.#unanswered = undefined;
    expect(places).toEqual(this.#known);
  }

  expectToFind(rows: Row[]): void {
    const own = rows.filter(({ student }) => student === this.name);
    for (const { hours } of own) expect(hours).toEqual([hours[0], hours[0]! + 1]);
    this.#catchUp(own.map(({ id, room, day, hours }) => ({ id, place: { day, from: hours[0]!, room } })));
  }
}

function isLostConnection({ code, message }: NodeJS.ErrnoException): boolean {
  return code === 'ECONNRESET' || code === 'EPIPE' || /^closed \((cleanly|ECONNRESET|EPIPE)\)/.test(message);
}

function pick(choices: number): number {
  return Math.floor(Math.random() * choices);
}

function parsePlace(line: string): { id: number; place: Place } {
  const [id, day, hours, room] = line.split(' ');
  return {
    id: Number(id),
    place: { day: days.indexOf(day!), from: Number(hours!.slice(0, 2)), room: room! },
  };
}
