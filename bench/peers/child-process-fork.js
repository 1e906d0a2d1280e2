// What Node offers by itself: child_process.fork() starts node again for every connection, and the connection
// is passed to it over the IPC channel.
import { fork } from 'node:child_process';
import { createServer } from 'node:net';

if (process.send) {
  process.once('message', (_message, socket) => {
    socket.pipe(socket).once('close', () => process.disconnect());
  });
} else {
  createServer({ pauseOnConnect: true, allowHalfOpen: true }, socket => {
    fork(import.meta.filename).send('connection', socket);
  }).listen(Number(process.argv[2]), '127.0.0.1', 511);
}
