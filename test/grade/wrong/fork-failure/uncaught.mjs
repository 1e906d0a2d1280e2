import * as posix from 'truefork/posix';
import * as server from '../../server.mjs';

const listenfd = server.listenOn();
server.onEnd(server.reap);
for (;;) {
  const connfd = server.nextClient(listenfd);
  if (posix.fork() === 0) server.child(listenfd, connfd);
  posix.close(connfd);
}
