// A server for JavaScript from strangers. Each client has a process of its own, which reaches its connection and nothing
// else. Run it as root: sudo node server.js [PORT]
import { ForkingServer } from 'truefork';

const server = new ForkingServer({
  handler: new URL('./playground.js', import.meta.url),
  sandbox: {
    read: [],
    write: [],
    network: 'none',
    maxFileSize: '1M',
    maxProcesses: 8,
    uids: process.env.PLAYGROUND_UIDS ?? '3000000-3000256',
  },
  maxMemory: '128M',
  maxCpuTime: '2s',
  maxOpenFiles: 64,
  connectionTimeout: '10s',
  killDelay: 0,
  maxChildren: 64,
  maxPerSource: 16,
});

server.on('exit', ({ id, code, signal, limit }) => {
  if (limit !== null || signal !== null) console.log(`connection ${id} was ended: ${limit ?? signal}`);
  else if (code !== 0) console.log(`connection ${id} exited with code ${code}`);
});
await server.listen(Number(process.argv[2] ?? 7777), '127.0.0.1');
console.log(`listening on port ${server.address().port}`);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.close({ gracePeriod: 0 }));
