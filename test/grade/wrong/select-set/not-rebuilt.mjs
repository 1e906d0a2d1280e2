import * as posix from 'truefork/posix';
import * as server from '../../server.mjs';

posix.signal(posix.SIGPIPE, posix.SIG_IGN);
const listenfd = server.listenOn();
const reading = new posix.fd_set();
posix.FD_SET(listenfd, reading);
let highest = listenfd;
const buffer = Buffer.alloc(4096);
for (;;) {
  posix.select(highest + 1, reading, null, null, null);
  for (let fd = 0; fd <= highest; fd++) {
    if (!posix.FD_ISSET(fd, reading)) continue;
    if (fd === listenfd) {
      const connfd = posix.accept(listenfd);
      posix.FD_SET(connfd, reading);
      highest = Math.max(highest, connfd);
      break;
    }
    if (serve(fd)) continue;
    posix.FD_CLR(fd, reading);
    posix.FD_SET(listenfd, reading);
    posix.close(fd);
  }
}

function serve(fd) {
  try {
    const n = posix.read(fd, buffer);
    server.writeAll(fd, buffer.subarray(0, n));
    return n > 0;
  } catch {
    return false;
  }
}
