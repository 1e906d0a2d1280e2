/**
 * The servers of one process: the iterative one, which serves one connection at a time while the others wait in the
 * backlog, and the concurrent one, which serves all by select(2) or poll(2).
 */
import type net from 'node:net';
import { type Accepted, native } from '../binding/native.js';
import { Connection } from '../child/connection.js';
import { drainOnSignal } from '../child/drain-http.js';
import type { CallbacksHandler, StreamHandler } from '../child/handler.js';
import { NetServer, StreamServer, socketError } from '../child/sockets.js';
import { Turns } from '../child/turns.js';
import { loopOptions, type ReceivedConfig } from '../serving/config.js';
import type { LoadedHandler } from '../serving/load.js';

export function serveInOneProcess({ form, handler }: LoadedHandler, config: ReceivedConfig): void {
  const serve = form === 'callbacks' ? servePeers(handler as CallbacksHandler) : serveSockets(form, handler);
  native.multiplex(
    { ...loopOptions(config), usePoll: config.multiplexer === 'poll' },
    { ...serve, ended: () => native.exitNow(0) },
  );
}

interface Peer {
  conn: Connection;
  turns: Turns;
  closed: boolean;
}

function servePeers(handler: CallbacksHandler) {
  const peers = new Map<number, Peer>();

  const close = (id: number, peer: Peer) => {
    if (peer.closed) return;
    peer.closed = true;
    peer.turns.call(() => handler.close?.(peer.conn));
    peer.turns.call(() => {
      peers.delete(id);
      native.peerEnd(id);
    });
  };

  return {
    open(accepted: Accepted) {
      const { id } = accepted;
      const conn = new Connection(accepted, {
        write: data => native.peerWrite(id, data),
        end() {
          native.peerEnd(id);
          close(id, peer);
        },
        destroy() {
          native.peerDestroy(id);
          close(id, peer);
        },
      });
      const turns = new Turns({
        pause: () => native.peerRead(id, false),
        resume: () => native.peerRead(id, true),
      });
      const peer: Peer = { conn, turns, closed: false };
      peers.set(id, peer);
      turns.call(() => handler.open?.(conn));
    },
    data(id: number, chunk: Buffer) {
      const peer = peers.get(id);
      if (peer !== undefined && !peer.closed) peer.turns.call(() => handler.data?.(peer.conn, chunk));
    },
    end(id: number, errno: number) {
      const peer = peers.get(id);
      if (peer === undefined) return;
      if (errno !== 0) peer.turns.call(() => handler.error?.(peer.conn, socketError(errno)));
      close(id, peer);
    },
  };
}

function serveSockets(form: 'stream' | 'server', handler: LoadedHandler['handler']) {
  if (form === 'server') drainOnSignal(handler as net.Server);
  const server =
    form === 'stream' ? new StreamServer(handler as StreamHandler) : new NetServer(handler as net.Server);
  return {
    open({ fd, id }: Accepted) {
      native.peerRelease(id);
      server.serve(fd).once('close', () => native.peerDestroy(id));
    },
    data() {},
    end() {},
  };
}
