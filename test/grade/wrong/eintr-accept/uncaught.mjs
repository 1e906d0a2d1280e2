import * as posix from 'truefork/posix';
import * as server from '../../server.mjs';

const listenfd = server.listenOn();
posix.sigaction(posix.SIGCHLD, { sa_handler: server.reap, sa_flags: 0 });
for (;;) {
  const connfd = posix.accept(listenfd);
  if (server.tryFork() === 0) server.child(listenfd, connfd);
  posix.close(connfd);
}
