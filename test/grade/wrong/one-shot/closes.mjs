import net from 'node:net';

const server = net.createServer(socket => {
  server.close();
  socket.on('error', () => socket.destroy());
  socket.pipe(socket);
});
server.listen(Number(process.argv[2]));
