// Exercise 1: the TCP echo server, with fork() for each client and SIGCHLD handled. It survives what the network and
// its clients do: a client that resets the connection costs its own child only. Ctrl-C says how many it has served.
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
  SA_RESTART,
  SIG_DFL,
  SIGCHLD,
  SIGINT,
  SO_REUSEADDR,
  SOCK_STREAM,
  SOL_SOCKET,
  type SockAddrStorage,
  setsockopt,
  sigaction,
  signal,
  socket,
  type WaitResult,
  WEXITSTATUS,
  WIFEXITED,
  WNOHANG,
  WTERMSIG,
  waitpid,
  write,
} from 'truefork/posix';

const listenfd = socket(AF_INET, SOCK_STREAM, 0);
setsockopt(listenfd, SOL_SOCKET, SO_REUSEADDR, 1);
bind(listenfd, { family: AF_INET, address: INADDR_ANY, port: Number(process.argv[2] ?? 7777) });
listen(listenfd, 128);
console.log(getsockname(listenfd));

let served = 0;
sigaction(SIGCHLD, { sa_handler: sig_chld, sa_flags: SA_RESTART });
signal(SIGINT, () => {
  console.log(`served ${served} clients`);
  exit(0);
});

for (;;) {
  const cliaddr: SockAddrStorage = {};
  const connfd = accept(listenfd, cliaddr);
  const pid = fork();
  if (pid === 0) {
    close(listenfd);
    signal(SIGINT, SIG_DFL);
    echo(connfd);
    exit(0);
  }
  close(connfd);
  served++;
  console.log(`${cliaddr.address}:${cliaddr.port} is served by process ${pid}`);
}

function echo(connfd: number): void {
  const buf = Buffer.alloc(65536);
  let n: number;
  while ((n = read(connfd, buf)) > 0) writen(connfd, buf.subarray(0, n));
}

/** write() may write less than it was given. */
function writen(fd: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += write(fd, bytes, bytes.length - at, at);
}

function sig_chld(): void {
  let child: WaitResult;
  while ((child = waitpid(-1, WNOHANG)).pid > 0) {
    const { pid, status } = child;
    console.log(
      `process ${pid} ${WIFEXITED(status) ? `exited with ${WEXITSTATUS(status)}` : `was ended by signal ${WTERMSIG(status)}`}`,
    );
  }
}
