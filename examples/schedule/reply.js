/** The replies of PROTOCOL.md: one line that begins with a status word; after LIST, more lines up to a lone dot. */

/**
 * @param {string} status
 * @param {string} text
 */
export function reply(status, text) {
  return `${status} ${text}\n`;
}

/**
 * @param {string} text What it is a list of.
 * @param {string[]} lines
 */
export function listing(text, lines) {
  // A line that begins with a dot gets another one, as in mail (RFC 5321, 4.5.2): else it could pass for the end.
  const stuffed = lines.map(line => (line.startsWith('.') ? `.${line}` : line));
  return ['LIST ', text, '\n', ...stuffed.map(line => `${line}\n`), '.\n'].join('');
}

/** @param {import('./store.js').Booking[]} bookings */
export function count(bookings) {
  return bookings.length === 1 ? '1 booking' : `${bookings.length} bookings`;
}
