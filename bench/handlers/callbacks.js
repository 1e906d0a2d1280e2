// Served by blocking reads and writes in C++.
export default {
  data(conn, chunk) {
    conn.write(chunk);
  },
};
