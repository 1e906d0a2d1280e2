/** A week as a table: a column for each day, a row for each hour, and bookings as tall as they are long. */
import Table from 'cli-table3';
import { days, formatHour } from './time.js';

/** @typedef {{ id: number, day: number, from: number, to: number, room: string, course: string }} Entry */

const columnWidth = 14;

/**
 * Reads a line of the server's `list`.
 *
 * @param {string} line
 * @returns {Entry}
 */
export function parseEntry(line) {
  const words = /^(\d+) (\w{3}) (\d{2})-(\d{2}) (\S+) (\S+)/.exec(line);
  if (words === null) throw new Error(`that is no booking: ${line}`);
  const [, id, day, from, to, room, course] = words;
  return { id: Number(id), day: days.indexOf(day), from: Number(from), to: Number(to), room, course };
}

/**
 * @param {Entry[]} entries
 * @param {(course: string) => string} [highlight] How the names of courses are shown.
 */
export function formatWeekTable(entries, highlight = course => course) {
  const table = new Table({
    head: ['', ...days],
    colWidths: [7, ...days.map(() => columnWidth)],
    style: { head: [], border: [] },
  });
  // Of the day only what there is something in, with a row for each hour between.
  const first = Math.min(...entries.map(({ from }) => from));
  const last = Math.max(...entries.map(({ to }) => to));
  for (let hour = first; hour < last; hour++) {
    /** @type {Table.Cell[]} */
    const row = [`${formatHour(hour)}-${formatHour(hour + 1)}`];
    days.forEach((_name, day) => {
      const entry = entries.find(entry => entry.day === day && entry.from <= hour && hour < entry.to);
      if (entry === undefined) row.push('');
      else if (entry.from === hour) row.push(cell(entry, highlight));
      // else the cell above reaches down to here
    });
    table.push(row);
  }
  return table.toString();
}

/**
 * @param {Entry} entry
 * @param {(course: string) => string} highlight
 * @returns {Table.Cell}
 */
function cell({ id, from, to, room, course }, highlight) {
  return { content: `${highlight(course)} #${id}\n${room}`, rowSpan: to - from };
}
