// The assignment: an echo server that greets each client and tells which process serves it.
export default {
  open(conn) {
    conn.write(`hello from process ${process.pid}\n`);
  },
  data(conn, chunk) {
    conn.write(chunk);
  },
};
