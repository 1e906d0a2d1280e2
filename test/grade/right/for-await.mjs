// One function for each client, which waits until a slow one has taken what it was sent.
import { once } from 'node:events';
import net from 'node:net';

const server = net.createServer({ allowHalfOpen: true }, async socket => {
  try {
    for await (const chunk of socket) if (!socket.write(chunk)) await once(socket, 'drain');
    socket.end();
  } catch {
    socket.destroy();
  }
});
server.listen(Number(process.argv[2]), '127.0.0.1');
