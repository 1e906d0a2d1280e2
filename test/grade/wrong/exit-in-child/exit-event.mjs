import * as posix from 'truefork/posix';
import * as server from '../../server.mjs';

process.on('exit', () => console.log('the server has stopped'));
const listenfd = server.listenOn();
server.onEnd(server.reap);
posix.signal(posix.SIGTERM, () => process.exit(0));
for (;;) {
  const connfd = server.nextClient(listenfd);
  if (server.tryFork() === 0) {
    posix.close(listenfd);
    server.echo(connfd);
    process.exit(0);
  }
  posix.close(connfd);
}
