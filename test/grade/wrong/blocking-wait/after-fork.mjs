import * as posix from 'truefork/posix';
import * as server from '../../server.mjs';

const listenfd = server.listenOn();
for (;;) {
  const connfd = server.nextClient(listenfd);
  const pid = server.tryFork();
  if (pid === 0) server.child(listenfd, connfd);
  posix.close(connfd);
  if (pid > 0) posix.waitpid(pid, 0);
}
