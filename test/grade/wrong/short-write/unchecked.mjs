import * as posix from 'truefork/posix';
import * as server from '../../server.mjs';

const listenfd = server.listenOn();
server.onEnd(server.reap);
for (;;) {
  const connfd = server.nextClient(listenfd);
  if (server.tryFork() === 0) {
    posix.close(listenfd);
    const buffer = Buffer.alloc(4096);
    for (let n; (n = posix.read(connfd, buffer)) > 0; ) posix.write(connfd, buffer, n);
    posix._exit(0);
  }
  posix.close(connfd);
}
