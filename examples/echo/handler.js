/** The lecture's echo, as a handler script: this much is run anew, in a process of its own, for every client. */

/** @type {import('truefork').Handler} */
export default {
  data(conn, chunk) {
    conn.write(chunk);
  },
};
