/** The conversation with one client: bytes in, replies out. It knows nothing of sockets or processes. */
import { perform } from './commands.js';
import { LineReader } from './lines.js';
import { Refusal } from './refusal.js';
import { reply } from './reply.js';
import { asRefusal } from './store.js';

/** In bytes: a command of the longest kind has less than half of it. */
const longestLine = 256;
const loginTries = 3;

export class Session {
  store;
  /** @type {string | undefined} Who has logged in. */
  student;
  hasEnded = false;
  #lines = new LineReader(longestLine);
  #triesLeft = loginTries;

  /** @param {import('./store.js').Store} store */
  constructor(store) {
    this.store = store;
  }

  greeting() {
    return reply('OK', 'student schedule: login NAME PASSWORD, or help');
  }

  /**
   * Does what the client has sent, as far as it has sent whole lines, and gives the reply to each as soon as it is done.
   * A line that the client never completes is never done: half of "remove 12" must not remove booking 1.
   *
   * @param {Buffer} chunk
   */
  *receive(chunk) {
    for (const line of this.#lines.read(chunk)) {
      yield this.#answer(line);
      if (this.hasEnded) return;
    }
  }

  /**
   * The last reply.
   *
   * @param {string} farewell
   */
  end(farewell) {
    this.hasEnded = true;
    return reply('BYE', farewell);
  }

  /** Few tries, then a new connection: with the slow hash, it makes guessing passwords tedious. */
  failLogin() {
    this.#triesLeft--;
    if (this.#triesLeft === 0) return this.end('too many wrong logins');
    throw new Refusal('DENIED', `wrong name or password, tries left: ${this.#triesLeft}`);
  }

  /** @param {import('./lines.js').Line} line */
  #answer(line) {
    try {
      if (line.problem !== undefined) throw new Refusal('BAD', line.problem);
      return perform(this, line.text);
    } catch (error) {
      const refusal = asRefusal(error);
      // A fault of ours: let it end this process, which serves this client alone.
      if (refusal === undefined) throw error;
      return reply(refusal.status, refusal.message);
    }
  }
}
