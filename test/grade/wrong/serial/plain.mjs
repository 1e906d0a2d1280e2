import * as posix from 'truefork/posix';
import * as server from '../../server.mjs';

const listenfd = server.listenOn();
posix.signal(posix.SIGPIPE, posix.SIG_IGN);
for (;;) {
  const connfd = server.nextClient(listenfd);
  server.echo(connfd);
  posix.close(connfd);
}
