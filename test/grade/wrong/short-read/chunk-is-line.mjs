// Each chunk is taken for a line.
import net from 'node:net';

const server = net.createServer(socket => {
  socket.on('error', () => socket.destroy());
  socket.on('data', chunk => socket.write(`${chunk.toString().trim()}\n`));
});
server.listen(Number(process.argv[2]));
