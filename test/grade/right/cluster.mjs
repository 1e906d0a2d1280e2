import cluster from 'node:cluster';
import net from 'node:net';

if (cluster.isPrimary) {
  for (let i = 0; i < 2; i++) cluster.fork();
} else {
  const server = net.createServer(socket => {
    socket.on('error', () => socket.destroy());
    socket.pipe(socket);
  });
  server.listen(Number(process.argv[2]));
}
