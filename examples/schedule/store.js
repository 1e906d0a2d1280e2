/** What is kept of the term: students, courses, rooms, and who has booked which room for which course, and when. */
import Database from 'better-sqlite3';
import { hashPassword } from './passwords.js';
import { Refusal } from './refusal.js';
import { sql } from './sql.js';
import { days, formatHour } from './time.js';

/** @typedef {import('./time.js').Time} Time */
/** @typedef {Time & { id: number, course: string, title: string, room: string }} Booking */

/** How long a writer waits for the others, in milliseconds, before the client is told to try again. */
const patienceMs = 5000;

/**
 * A handle on the database. Each process opens its own, after the fork: SQLite's locks and caches belong to the process
 * that opened it, and two processes with one handle would corrupt the file (sqlite.org/howtocorrupt.html, 2.6).
 */
export class Store {
  #db;
  #statements;
  #transaction;

  /** @param {string} file One that `migrate` has prepared. */
  constructor(file) {
    const db = new Database(file, { fileMustExist: true, timeout: patienceMs });
    db.pragma('foreign_keys = ON');
    // What was acknowledged is on the disk: it outlives not only kill -9 but also a power cut.
    db.pragma('synchronous = FULL');
    this.#db = db;
    this.#statements = prepareAll(db, sql);
    this.#transaction = db.transaction((/** @type {() => any} */ work) => work());
  }

  close() {
    this.#db.close();
  }

  /**
   * All or nothing: if `work` throws, or the process is killed, none of it has happened.
   *
   * @template Result
   * @param {() => Result} work
   * @returns {Result}
   */
  atomically(work) {
    // IMMEDIATE takes the write lock at the start. A transaction that began with reading could find that another has
    // written since, and would have to be undone and tried again.
    return this.#transaction.immediate(work);
  }

  /** @param {{ name: string, password: string, cost?: import('./passwords.js').Cost }} student */
  addStudent({ name, password, cost }) {
    this.#statements.addStudent.run(name, hashPassword(password, cost));
  }

  /** @param {{ code: string, title: string }} course */
  addCourse({ code, title }) {
    this.#statements.addCourse.run(code, title);
  }

  /** @param {string} name */
  addRoom(name) {
    this.#statements.addRoom.run(name);
  }

  /** @returns {boolean} Whether there is no student yet. */
  get isEmpty() {
    return this.#statements.anyStudent.get() === undefined;
  }

  /**
   * @param {string} name
   * @returns {string | undefined} The hash of the student's password.
   */
  passwordOf(name) {
    return this.#statements.passwordOf.pluck().get(name);
  }

  /** @returns {{ code: string, title: string }[]} */
  courses() {
    return this.#statements.courses.all();
  }

  /** @returns {string[]} */
  rooms() {
    return this.#statements.rooms.pluck().all();
  }

  /**
   * @param {Time} time
   * @returns {string[]}
   */
  freeRooms(time) {
    return this.#statements.freeRooms.pluck().all(time);
  }

  /**
   * In the order of the week.
   *
   * @param {string} student
   * @returns {Booking[]}
   */
  bookings(student) {
    return this.#statements.bookings.all({ student, id: null });
  }

  /**
   * @param {string} student
   * @param {Time & { course: string, room: string }} wish
   * @returns {Booking}
   */
  add(student, { course, room, ...time }) {
    return this.atomically(() => {
      if (this.#statements.course.get(course) === undefined)
        throw new Refusal('MISSING', `there is no course ${course}`);
      const id = Number(this.#statements.addBooking.run(student, course).lastInsertRowid);
      this.#occupy({ id, student, room, time });
      return this.#booking(student, id);
    });
  }

  /**
   * @param {string} student
   * @param {number} id
   * @param {Time & { room?: string | undefined }} wish Without a room, it stays in the one it is in.
   * @returns {Booking}
   */
  move(student, id, { room, ...time }) {
    return this.atomically(() => {
      const before = this.#booking(student, id);
      // Its old hours first: from 10-12 to 11-13 a booking must not be in its own way.
      this.#statements.vacate.run(id);
      this.#occupy({ id, student, room: room ?? before.room, time });
      return this.#booking(student, id);
    });
  }

  /**
   * @param {string} student
   * @param {number} id
   * @returns {Booking} What it was.
   */
  remove(student, id) {
    return this.atomically(() => {
      const before = this.#booking(student, id);
      this.#statements.removeBooking.run(id);
      return before;
    });
  }

  /**
   * Another student's booking is as missing as one that never was.
   *
   * @param {string} student
   * @param {number} id
   */
  #booking(student, id) {
    const booking = this.#statements.bookings.get({ student, id });
    if (booking === undefined) throw new Refusal('MISSING', `you have no booking ${id}`);
    return booking;
  }

  /** @param {{ id: number, student: string, room: string, time: Time }} wish */
  #occupy({ id, student, room, time: { day, from, to } }) {
    if (this.#statements.room.get(room) === undefined)
      throw new Refusal('MISSING', `there is no room ${room}`);
    for (let hour = from; hour < to; hour++) {
      try {
        this.#statements.occupy.run({ id, student, room, day, hour });
      } catch (error) {
        // The constraint decides, always; we only look up what to tell the client.
        if (codeOf(error) !== 'SQLITE_CONSTRAINT_UNIQUE') throw error;
        throw new Refusal('CONFLICT', this.#explainConflict({ student, room, day, hour }));
      }
    }
  }

  /** @param {{ student: string, room: string, day: number, hour: number }} wish */
  #explainConflict({ student, room, day, hour }) {
    const when = `on ${days[day]} at ${formatHour(hour)}`;
    const own = this.#statements.ownAt.get({ student, day, hour });
    // Who has booked the room is nobody else's business.
    return own === undefined
      ? `room ${room} is taken ${when}`
      : `you are in room ${own.room} ${when}, for ${own.course}, booking ${own.id}`;
  }
}

/**
 * @template {string} Name
 * @param {Database.Database} db
 * @param {Record<Name, string>} sources
 */
function prepareAll(db, sources) {
  const prepared = Object.entries(sources).map(([name, source]) => [name, db.prepare(String(source))]);
  return /** @type {Record<Name, Database.Statement<any[], any>>} */ (Object.fromEntries(prepared));
}

/**
 * What a client is told when a method of the store has thrown; undefined if it is a fault of the program.
 *
 * @param {unknown} error
 */
export function asRefusal(error) {
  if (error instanceof Refusal) return error;
  if (!codeOf(error).startsWith('SQLITE_BUSY')) return undefined;
  return new Refusal('BUSY', 'too many are writing: nothing was changed, try again');
}

/** @param {unknown} error */
function codeOf(error) {
  return error instanceof Database.SqliteError ? error.code : '';
}
