// An iterative server: one client at a time. The next one waits in the queue until this one has closed its session.
import {
  AF_INET,
  accept,
  bind,
  close,
  getsockname,
  INADDR_ANY,
  listen,
  read,
  SO_REUSEADDR,
  SOCK_STREAM,
  SOL_SOCKET,
  setsockopt,
  socket,
  write,
} from 'truefork/posix';

const listenfd = socket(AF_INET, SOCK_STREAM, 0);
setsockopt(listenfd, SOL_SOCKET, SO_REUSEADDR, 1);
bind(listenfd, { family: AF_INET, address: INADDR_ANY, port: Number(process.argv[2] ?? 7777) });
listen(listenfd, 5);
console.log(getsockname(listenfd));

for (;;) {
  const connfd = accept(listenfd); /* probably blocks */
  doit(connfd);
  close(connfd);
}

function doit(connfd: number): void {
  const buf = Buffer.alloc(4096);
  let n: number;
  while ((n = read(connfd, buf)) > 0) write(connfd, buf, n);
}
