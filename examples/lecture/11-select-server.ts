// A concurrent single server: select() waits on all sockets at once, and wakes the process only when data arrives.
import {
  AF_INET,
  accept,
  bind,
  close,
  FD_CLR,
  FD_ISSET,
  FD_SET,
  FD_SETSIZE,
  fd_set,
  getsockname,
  INADDR_ANY,
  listen,
  read,
  SO_REUSEADDR,
  SOCK_STREAM,
  SOL_SOCKET,
  select,
  setsockopt,
  socket,
  write,
} from 'truefork/posix';

const listenfd = socket(AF_INET, SOCK_STREAM, 0);
setsockopt(listenfd, SOL_SOCKET, SO_REUSEADDR, 1);
bind(listenfd, { family: AF_INET, address: INADDR_ANY, port: Number(process.argv[2] ?? 7777) });
listen(listenfd, 5);
console.log(getsockname(listenfd));

const allset = new fd_set();
FD_SET(listenfd, allset);
let maxfd = listenfd;
const buf = Buffer.alloc(4096);

for (;;) {
  const rset = new fd_set(allset); /* select() leaves only the ready ones in the set */
  select(maxfd + 1, rset, null, null, null);

  if (FD_ISSET(listenfd, rset)) {
    const connfd = accept(listenfd);
    if (connfd >= FD_SETSIZE) close(connfd); /* no room for it in a set */
    else {
      FD_SET(connfd, allset);
      maxfd = Math.max(maxfd, connfd);
    }
  }
  for (let fd = listenfd + 1; fd <= maxfd; fd++) if (FD_ISSET(fd, rset)) serve(fd);
}

function serve(fd: number): void {
  try {
    const n = read(fd, buf);
    if (n > 0) {
      write(fd, buf, n);
      return;
    }
  } catch {
    /* the connection was reset */
  }
  FD_CLR(fd, allset);
  close(fd);
}
