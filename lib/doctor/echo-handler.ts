/** Served by `truefork doctor` to see a server answer. */
import type { CallbacksHandler } from '../child/handler.js';

export default {
  data(conn, chunk) {
    conn.write(chunk);
  },
} satisfies CallbacksHandler;
