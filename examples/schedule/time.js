/** When something takes place in the week of the term: a day, and hours from one full hour to another. */
import { Refusal } from './refusal.js';

export const days = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri'];
export const opens = 8;
export const closes = 20;

/** @typedef {{ day: number, from: number, to: number }} Time A day counts from 0, Monday; `to` is not within. */

/**
 * Reads a time as it is typed: `Tue 10-12`, or `Tue 10` for one hour.
 *
 * @param {string} dayWord
 * @param {string} hoursWord
 * @returns {Time}
 */
export function parseTime(dayWord, hoursWord) {
  const day = days.findIndex(name => name.toLowerCase() === dayWord.toLowerCase());
  if (day < 0) throw new Refusal('BAD', `a day is one of ${days.join(', ')}`);
  const words = /^(\d{1,2})(?:-(\d{1,2}))?$/.exec(hoursWord);
  if (words === null) throw new Refusal('BAD', 'hours are like 10 or 10-12');
  const from = Number(words[1]);
  const to = words[2] === undefined ? from + 1 : Number(words[2]);
  if (from < opens || to > closes || from >= to) {
    throw new Refusal('BAD', `hours lie between ${opens} and ${closes}, the earlier one first`);
  }
  return { day, from, to };
}

/** @param {Time} time */
export function formatTime({ day, from, to }) {
  return `${days[day]} ${formatHour(from)}-${formatHour(to)}`;
}

/** @param {number} hour */
export function formatHour(hour) {
  return String(hour).padStart(2, '0');
}
