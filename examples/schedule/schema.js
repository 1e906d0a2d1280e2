/** The tables, and how a database file of today or of an earlier version comes to have them. */
import fs from 'node:fs';
import Database from 'better-sqlite3';

/** Each step leads to the next version. A step that has been released is never edited: add another. */
const steps = [
  `CREATE TABLE student (
     name TEXT PRIMARY KEY,
     password TEXT NOT NULL
   ) STRICT;

   CREATE TABLE course (
     code TEXT PRIMARY KEY,
     title TEXT NOT NULL
   ) STRICT;

   CREATE TABLE room (
     name TEXT PRIMARY KEY
   ) STRICT;

   -- AUTOINCREMENT: a number is never given again. Else "remove 7", sent twice, could remove a newer booking.
   CREATE TABLE booking (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     student TEXT NOT NULL REFERENCES student,
     course TEXT NOT NULL REFERENCES course,
     UNIQUE (id, student)
   ) STRICT;

   -- One row for each hour of a booking: so "nothing overlaps" is "no row twice", which the database enforces by
   -- itself, whatever program writes to it. The student stands here again for that; the foreign key keeps them equal.
   CREATE TABLE booked_hour (
     booking INTEGER NOT NULL,
     student TEXT NOT NULL,
     room TEXT NOT NULL REFERENCES room,
     day INTEGER NOT NULL CHECK (day BETWEEN 0 AND 4),
     hour INTEGER NOT NULL CHECK (hour BETWEEN 0 AND 23),
     UNIQUE (room, day, hour),
     UNIQUE (student, day, hour),
     FOREIGN KEY (booking, student) REFERENCES booking (id, student) ON DELETE CASCADE
   ) STRICT;

   CREATE INDEX booked_hour_of_booking ON booked_hour (booking);`,
];

/**
 * Brings a database file to the current version, making it if need be, and closes it.
 *
 * @param {string} file
 */
export function migrate(file) {
  // It holds password hashes: if we make it, it is its owner's alone.
  fs.closeSync(fs.openSync(file, 'a', 0o600));
  const db = new Database(file);
  try {
    // Readers and the writer do not wait for each other. Kept in the file: who opens it later need not ask for it.
    db.pragma('journal_mode = WAL');
    // IMMEDIATE, with the version read inside: of two programs that start at once, one migrates.
    const bringUp = db.transaction(() => {
      const version = Number(db.pragma('user_version', { simple: true }));
      if (version > steps.length) throw new Error(`${file} is of a newer version of this program`);
      for (const step of steps.slice(version)) db.exec(step);
      db.pragma(`user_version = ${steps.length}`);
    });
    bringUp.immediate();
  } finally {
    db.close();
  }
}
