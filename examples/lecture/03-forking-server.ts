// A forking server: after each accept() a child is forked off to handle the connection.
import {
  AF_INET,
  accept,
  bind,
  close,
  exit,
  fork,
  getsockname,
  INADDR_ANY,
  listen,
  read,
  SIGCHLD,
  SO_REUSEADDR,
  SOCK_STREAM,
  SOL_SOCKET,
  setsockopt,
  signal,
  socket,
  WNOHANG,
  waitpid,
  write,
} from 'truefork/posix';

const listenfd = socket(AF_INET, SOCK_STREAM, 0);
setsockopt(listenfd, SOL_SOCKET, SO_REUSEADDR, 1);
bind(listenfd, { family: AF_INET, address: INADDR_ANY, port: Number(process.argv[2] ?? 7777) });
listen(listenfd, 5);
signal(SIGCHLD, sig_chld);
console.log(getsockname(listenfd));

for (;;) {
  const connfd = accept(listenfd); /* probably blocks */
  if (fork() === 0) {
    close(listenfd); /* child closes listening socket */
    doit(connfd); /* process the request */
    close(connfd); /* done with this client */
    exit(0); /* child terminates */
  }
  close(connfd); /* parent closes connected socket */
}

function doit(connfd: number): void {
  const buf = Buffer.alloc(4096);
  let n: number;
  while ((n = read(connfd, buf)) > 0) write(connfd, buf, n);
}

function sig_chld(): void {
  let pid: number;
  while ((pid = waitpid(-1, WNOHANG).pid) > 0) console.log(`child ${pid} terminated`);
}
