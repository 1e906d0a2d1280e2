/** What a client can ask for. What stands here as arguments is what `help` shows and what a request is checked by. */
import { verifyPassword } from './passwords.js';
import { Refusal } from './refusal.js';
import { count, listing, reply } from './reply.js';
import { days, formatHour, formatTime, parseTime } from './time.js';

/** @typedef {import('./session.js').Session} Session */
/** @typedef {import('./store.js').Store} Store */
/** @typedef {import('./store.js').Booking} Booking */

/**
 * @typedef {object} Form
 * @property {string} arguments One word for each; those that may be left out in brackets, last.
 * @property {string} about
 */
/** @typedef {{ forAnyone: (session: Session, ...words: string[]) => string }} ForAnyone Gives the reply. */
/** @typedef {{ forStudent: (store: Store, student: string, ...words: string[]) => string }} ForStudent Needs a login. */
/** @typedef {Form & (ForAnyone | ForStudent)} Command */

/** @type {Map<string, Command>} A map, not an object: "constructor" is no command. */
export const commands = new Map(
  Object.entries({
    help: {
      arguments: '',
      about: 'this list',
      forAnyone: () => listing('commands', help()),
    },
    login: {
      arguments: 'NAME PASSWORD',
      about: 'say who you are',
      forAnyone(session, name, password) {
        if (session.student !== undefined) throw new Refusal('BAD', `you are ${session.student} already`);
        if (!verifyPassword(password, session.store.passwordOf(name))) return session.failLogin();
        session.student = name;
        return reply('OK', `welcome, ${name}: ${count(session.store.bookings(name))}`);
      },
    },
    list: {
      arguments: '',
      about: 'your bookings, in the order of the week',
      forStudent(store, student) {
        const bookings = store.bookings(student);
        return listing(count(bookings), bookings.map(formatBooking));
      },
    },
    week: {
      arguments: '',
      about: 'your week, a line for each day',
      forStudent: (store, student) => listing(`the week of ${student}`, formatWeek(store.bookings(student))),
    },
    courses: {
      arguments: '',
      about: 'all courses',
      forStudent(store) {
        const lines = store.courses().map(({ code, title }) => `${code} ${title}`);
        return listing('courses', lines);
      },
    },
    rooms: {
      arguments: '[DAY] [HOURS]',
      about: 'all rooms, or those that are free then',
      forStudent(store, _student, day, hours) {
        if (day === undefined) return listing('rooms', store.rooms());
        const time = parseTime(day, hours ?? '');
        return listing(`rooms free on ${formatTime(time)}`, store.freeRooms(time));
      },
    },
    add: {
      arguments: 'DAY HOURS ROOM COURSE',
      about: 'book a room, as in: add Tue 10-12 LAB1 NET',
      forStudent(store, student, day, hours, room, course) {
        const wish = { ...parseTime(day, hours), room: room.toUpperCase(), course: course.toUpperCase() };
        return reply('OK', `added ${formatBooking(store.add(student, wish))}`);
      },
    },
    move: {
      arguments: 'ID DAY HOURS [ROOM]',
      about: 'move a booking, as in: move 7 Wed 14-16',
      forStudent(store, student, id, day, hours, room) {
        const wish = { ...parseTime(day, hours), room: room?.toUpperCase() };
        return reply('OK', `moved ${formatBooking(store.move(student, parseId(id), wish))}`);
      },
    },
    remove: {
      arguments: 'ID',
      about: 'remove a booking',
      forStudent: (store, student, id) =>
        reply('OK', `removed ${formatBooking(store.remove(student, parseId(id)))}`),
    },
    quit: {
      arguments: '',
      about: 'end the connection',
      forAnyone: session => session.end('good bye'),
    },
  }),
);

/**
 * @param {Session} session
 * @param {string} line
 * @returns {string} The reply.
 */
export function perform(session, line) {
  const [word = '', ...words] = line.trim().split(/\s+/);
  const name = word.toLowerCase();
  const command = commands.get(name);
  if (command === undefined) throw new Refusal('BAD', 'there is no such command: see help');
  const wanted = command.arguments.split(' ').filter(Boolean);
  const least = wanted.filter(argument => !argument.startsWith('[')).length;
  if (words.length < least || words.length > wanted.length) {
    throw new Refusal('BAD', `it is: ${[name, ...wanted].join(' ')}`);
  }
  if ('forAnyone' in command) return command.forAnyone(session, ...words);
  if (session.student === undefined) throw new Refusal('DENIED', 'login first');
  return command.forStudent(session.store, session.student, ...words);
}

function help() {
  const forms = [...commands].map(([name, command]) => `${name} ${command.arguments}`.trim());
  const width = Math.max(...forms.map(form => form.length));
  return [...commands.values()].map(({ about }, at) => `${forms[at].padEnd(width)}  ${about}`);
}

/** @param {Booking} booking */
function formatBooking({ id, room, course, title, ...time }) {
  return `${id} ${formatTime(time)} ${room} ${course} ${title}`;
}

/** @param {Booking[]} bookings */
function formatWeek(bookings) {
  return days.map((name, day) => {
    const ofDay = bookings
      .filter(booking => booking.day === day)
      .map(
        ({ id, from, to, course, room }) =>
          `${formatHour(from)}-${formatHour(to)} ${course} in ${room} (${id})`,
      );
    return `${name}  ${ofDay.join(', ') || '-'}`;
  });
}

/** @param {string} word */
function parseId(word) {
  if (!/^\d{1,9}$/.test(word)) throw new Refusal('BAD', 'a booking is named by its number: see list');
  return Number(word);
}
