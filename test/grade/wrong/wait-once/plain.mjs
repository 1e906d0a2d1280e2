import * as posix from 'truefork/posix';
import * as server from '../../server.mjs';

const listenfd = server.listenOn();
server.onEnd(() => posix.waitpid(-1, posix.WNOHANG));
for (;;) {
  const connfd = server.nextClient(listenfd);
  if (server.tryFork() === 0) server.child(listenfd, connfd);
  posix.close(connfd);
}
