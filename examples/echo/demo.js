/**
 * The echo server with three clients beside it, each at its own pace: watch three processes serve at once. The server
 * stays until Ctrl-C, for clients of your own.
 */
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ForkingServer } from 'truefork';

const clients = [
  { name: 'ana', pause: 300 },
  { name: 'ben', pause: 500 },
  { name: 'cho', pause: 800 },
];
const words = ['one', 'two', 'three', 'four'];
const width = 30;

const server = new ForkingServer({ handler: fileURLToPath(new URL('handler.js', import.meta.url)) });
const pids = new Map();
const whoConnects = new Map();
server.on('connection', ({ pid, remotePort }) => {
  pids.set(remotePort, pid);
  whoConnects.get(remotePort)?.(pid);
});
server.on('exit', ({ remotePort, pid, code }) => {
  const column = columns.get(remotePort);
  if (column === undefined)
    console.log(`a client of yours was served by process ${pid}, which exited with ${code}`);
  else show(column, `process ${pid} exited with ${code}`);
});

try {
  await server.listen(Number(process.env.PORT ?? 7777), '127.0.0.1');
} catch (error) {
  console.error(error.message, '- choose another port: PORT=7778 npm start');
  process.exit(1);
}
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await server.close();
    process.exit(0);
  });
}

const { address, port } = server.address();
console.log(`listening on ${address}:${port}, forking from process ${server.zygotePid}\n`);
console.log(`          ${clients.map(({ name }) => name.padEnd(width)).join('')}`);

const columns = new Map();
const began = performance.now();

function show(column, text) {
  const seconds = ((performance.now() - began) / 1000).toFixed(2);
  console.log(`${seconds.padStart(6)} s  ${' '.repeat(column * width)}${text}`);
}

async function talk({ pause }, column) {
  const socket = net.connect(port, address);
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  const { localPort } = socket;
  columns.set(localPort, column);
  const pid = pids.get(localPort) ?? (await new Promise(found => whoConnects.set(localPort, found)));
  show(column, `served by process ${pid}`);
  for (const word of words) {
    await sleep(pause);
    const echoed = new Promise(resolve => socket.once('data', resolve));
    socket.write(word);
    show(column, `${word} -> ${await echoed}`);
  }
  const exited = new Promise(resolve => {
    server.on('exit', ({ remotePort }) => remotePort === localPort && resolve());
  });
  socket.end();
  await exited;
}

await Promise.all(clients.map(talk));
console.log(
  `\nThree clients, three processes, all at once. Try it yourself: nc ${address} ${port}\nCtrl-C ends the server.`,
);
