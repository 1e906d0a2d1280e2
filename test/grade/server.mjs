// What the servers of this folder that use truefork/posix have in common, done right. Each sample does its own part wrong.
import * as posix from 'truefork/posix';

const { _exit, accept, bind, close, fork, listen, read, setsockopt, signal, socket, waitpid, write } = posix;

export function bindTo(reuse) {
  const listenfd = socket(posix.AF_INET, posix.SOCK_STREAM, 0);
  if (reuse) setsockopt(listenfd, posix.SOL_SOCKET, posix.SO_REUSEADDR, 1);
  bind(listenfd, { family: posix.AF_INET, address: posix.INADDR_ANY, port: Number(process.argv[2]) });
  listen(listenfd, 16);
  return listenfd;
}

export const listenOn = () => bindTo(true);

export function writeAll(fd, data) {
  for (let sent = 0; sent < data.length; ) sent += write(fd, data.subarray(sent));
}

export function echo(fd) {
  const buffer = Buffer.alloc(4096);
  try {
    for (let n; (n = read(fd, buffer)) > 0; ) writeAll(fd, buffer.subarray(0, n));
  } catch {
    // the client has gone
  }
}

export function reap() {
  while (waitpid(-1, posix.WNOHANG).pid > 0);
}

/** accept() until there is a client. */
export function nextClient(listenfd) {
  for (;;) {
    try {
      return accept(listenfd);
    } catch (error) {
      if (error.code !== 'EINTR' && error.code !== 'ECONNABORTED') throw error;
    }
  }
}

/** -1 where there can be no child. */
export function tryFork() {
  try {
    return fork();
  } catch {
    return -1;
  }
}

export function child(listenfd, connfd) {
  close(listenfd);
  echo(connfd);
  _exit(0);
}

export function onEnd(handler) {
  signal(posix.SIGCHLD, handler);
}
