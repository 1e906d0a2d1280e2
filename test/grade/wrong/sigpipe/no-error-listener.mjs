// The connection's error has no listener: it ends the server.
import net from 'node:net';

net.createServer(socket => socket.pipe(socket)).listen(Number(process.argv[2]));
