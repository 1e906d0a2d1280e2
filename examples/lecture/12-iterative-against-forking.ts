// Two requests that take a second each, at once: an iterative server needs two seconds, a forking one needs one.
import {
  AF_INET,
  accept,
  bind,
  close,
  connect,
  exit,
  fork,
  getsockname,
  INADDR_LOOPBACK,
  kill,
  listen,
  read,
  SIG_IGN,
  SIGCHLD,
  SIGKILL,
  SOCK_STREAM,
  type SockAddr,
  signal,
  sleep,
  socket,
  waitpid,
  write,
} from 'truefork/posix';

for (const [name, serve] of [
  ['iterative', iterative],
  ['forking', forking],
] as const) {
  const listenfd = socket(AF_INET, SOCK_STREAM, 0);
  bind(listenfd, { family: AF_INET, address: INADDR_LOOPBACK, port: 0 });
  listen(listenfd, 5);
  const server = fork();
  if (server === 0) serve(listenfd);

  const start = performance.now();
  const clients = [client(getsockname(listenfd)), client(getsockname(listenfd))];
  for (const pid of clients) waitpid(pid);
  console.log(`${name}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
  kill(server, SIGKILL);
  waitpid(server);
  close(listenfd);
}

function iterative(listenfd: number): never {
  for (;;) {
    const connfd = accept(listenfd);
    doit(connfd);
    close(connfd);
  }
}

function forking(listenfd: number): never {
  signal(SIGCHLD, SIG_IGN); /* no zombies: nobody asks how the children ended */
  for (;;) {
    const connfd = accept(listenfd);
    if (fork() === 0) {
      close(listenfd);
      doit(connfd);
      exit(0);
    }
    close(connfd);
  }
}

function doit(connfd: number): void {
  sleep(1); /* a request that takes its time */
  write(connfd, Buffer.from('done\n'));
}

function client(server: SockAddr): number {
  const pid = fork();
  if (pid !== 0) return pid;
  const sockfd = socket(AF_INET, SOCK_STREAM, 0);
  connect(sockfd, server);
  read(sockfd, Buffer.alloc(16));
  exit(0);
}
