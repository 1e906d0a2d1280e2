/**
 * The rehearsal: the zygote serves connections to itself before the first client, so that its children find functions
 * compiled, call sites warm and symbols resolved. The script's own handler takes no part in it.
 */
import net from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { native } from '../binding/native.js';
import { CallbacksServer } from '../child/callbacks.js';
import type { Connection } from '../child/connection.js';
import { isHttpServer, NetServer, StreamServer } from '../child/sockets.js';
import type { LoadedHandler } from '../serving/load.js';

/**
 * The first run compiles functions, the second allocates their feedback. Node's sockets have so many that a few more runs
 * let V8 compile them better, which it would otherwise do in every child.
 */
const rehearsals: Record<LoadedHandler['form'], number> = { callbacks: 2, stream: 5, server: 5 };

const say: Record<LoadedHandler['form'], string> = {
  callbacks: 'rehearsal',
  stream: 'rehearsal',
  server: 'GET / HTTP/1.1\r\nHost: rehearsal\r\n\r\n',
};

export async function rehearse(
  { form, handler }: LoadedHandler,
  turns: number = rehearsals[form],
): Promise<void> {
  await setTimeout(1); // Node's sockets and servers have timers, whose code is warmed up too
  for (let turn = 0; turn < turns; turn++) {
    // All that the client sends, and its end, are there before the server reads.
    const [fd, client] = native.socketPairWithInput(Buffer.from(say[form]));
    await new Promise<void>(ended => {
      if (form === 'callbacks') playCallbacks(fd, ended);
      else if (form === 'stream') playStream(fd, ended);
      else playServer(fd, isHttpServer(handler), ended);
    });
    native.close(client);
  }
}

function playCallbacks(fd: number, ended: () => void): void {
  const handler = {
    open() {},
    data: (conn: Connection, chunk: Buffer) => void conn.write(chunk),
    close: ended,
  };
  new CallbacksServer(handler, { servesSeveral: false }).serve(fd);
}

function playStream(fd: number, ended: () => void): void {
  new StreamServer(socket => void socket.pipe(socket)).serve(fd).once('close', ended);
}

function playServer(fd: number, isHttp: boolean, ended: () => void): void {
  const server = isHttp
    ? process.getBuiltinModule('node:http').createServer((_request, response) => response.end('rehearsal'))
    : net.createServer(socket => socket.pipe(socket));
  const socket = new NetServer(server).serve(fd);
  socket.once('close', () => {
    server.close(() => {}); // ends the timer of its request timeouts; it never listened
    ended();
  });
}
