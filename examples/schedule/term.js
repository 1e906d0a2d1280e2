/** An example term, to try things out with: its passwords are public. */
import { migrate } from './schema.js';
import { Store } from './store.js';
import { parseTime } from './time.js';

export const students = [
  { name: 'ana', password: 'maple' },
  { name: 'ben', password: 'birch' },
  { name: 'cho', password: 'cedar' },
  { name: 'dan', password: 'hazel' },
  { name: 'eva', password: 'willow' },
];

const courses = [
  { code: 'ALG', title: 'Algorithms' },
  { code: 'DB', title: 'Databases' },
  { code: 'ENG', title: 'English for engineers' },
  { code: 'NET', title: 'Network programming' },
  { code: 'OS', title: 'Operating systems' },
];

const rooms = ['A1', 'A2', 'B101', 'LAB1', 'LAB2'];

const bookings = `
  ana  Mon 08-10  B101  OS
  ana  Mon 13-14  A1    ENG
  ana  Wed 10-12  LAB1  NET
  ana  Fri 09-11  A2    DB
  ben  Mon 08-10  LAB1  NET
  ben  Tue 14-16  A1    ALG
  ben  Thu 10-12  B101  OS
  cho  Tue 08-09  A2    ENG
  cho  Wed 10-12  LAB2  DB
  cho  Fri 13-15  LAB1  NET
  dan  Mon 10-12  A1    ALG
  dan  Thu 10-12  LAB2  OS
  eva  Tue 10-12  LAB1  NET
  eva  Thu 16-18  A2    DB
`;

/**
 * Prepares the database, and fills it with the term if it has no student yet.
 *
 * @param {string} file
 * @returns {boolean} Whether it was filled.
 */
export function seed(file) {
  migrate(file);
  const store = new Store(file);
  try {
    // In one transaction: of two programs that seed at once one does, and no one ever sees half a term.
    return store.atomically(() => {
      if (!store.isEmpty) return false;
      for (const student of students) store.addStudent(student);
      for (const course of courses) store.addCourse(course);
      for (const room of rooms) store.addRoom(room);
      for (const line of bookings.trim().split('\n')) {
        const [student = '', day = '', hours = '', room = '', course = ''] = line.trim().split(/\s+/);
        store.add(student, { ...parseTime(day, hours), room, course });
      }
      return true;
    });
  } finally {
    store.close();
  }
}
