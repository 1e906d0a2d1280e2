import * as posix from 'truefork/posix';
import * as server from '../../server.mjs';

// Reads to the end of the line that has begun.
posix.signal(posix.SIGPIPE, posix.SIG_IGN);
const listenfd = server.listenOn();
const clients = new Set();

function readLine(fd) {
  const line = [];
  const byte = Buffer.alloc(1);
  while (line.at(-1) !== 10) {
    if (posix.read(fd, byte) <= 0) return Buffer.alloc(0);
    line.push(byte[0]);
  }
  return Buffer.from(line);
}

function serve(fd) {
  try {
    const line = readLine(fd);
    server.writeAll(fd, line);
    if (line.length > 0) return;
  } catch {
    // the client has gone
  }
  clients.delete(fd);
  posix.close(fd);
}

for (;;) {
  const fds = [listenfd, ...clients].map(fd => ({ fd, events: posix.POLLIN, revents: 0 }));
  posix.poll(fds, -1);
  for (const { fd, revents } of fds) {
    if (revents === 0) continue;
    if (fd === listenfd) clients.add(posix.accept(listenfd));
    else serve(fd);
  }
}
