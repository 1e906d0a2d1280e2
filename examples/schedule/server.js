/**
 * The student schedule server, exercise 2 of the lecture:
 *
 *   npx truefork serve examples/schedule/server.js --port 7778
 *
 * Each client is served by a process of its own. So nothing here is shared but the database, and what must not happen
 * twice at once is the database's to prevent.
 */
import { databaseFile } from './database.js';
import { Session } from './session.js';
import { Store } from './store.js';
import { seed } from './term.js';

/** @type {Store} */
let store;
/** In a forked process, one. Under `--mode select` the same script serves many in one process. */
const sessions = new Map();

/** Before any fork: the database is made ready, and closed again. No child may inherit an open one. */
export function beforeServe() {
  if (seed(databaseFile)) console.log('the database was empty: it has the example term now, see term.js');
}

/** In each process that serves, a child for the most part: a handle of its own. */
export function afterFork() {
  store = new Store(databaseFile);
  // The last one to close moves the log into the database file. Who is killed does not, and nothing is lost by it.
  process.once('exit', () => store.close());
}

/** @type {import('truefork').Handler} */
export default {
  open(conn) {
    const session = new Session(store);
    sessions.set(conn, session);
    conn.write(session.greeting());
  },

  data(conn, chunk) {
    const session = sessions.get(conn);
    for (const reply of session.receive(chunk)) conn.write(reply);
    if (session.hasEnded) conn.end();
  },

  close(conn) {
    sessions.delete(conn);
  },
};
