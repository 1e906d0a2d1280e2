/**
 * How an http server in a child drains, when its server stops or is reloaded: it answers the request under way with
 * `Connection: close`, and closes an idle connection. The zygote sends SIGURG, which is ignored by default
 * (`native/child/drain_flag.h`).
 */
import type http from 'node:http';
import type { Http2Session } from 'node:http2';
import type net from 'node:net';
import { native } from '../binding/native.js';

export const drainSignal = 'SIGURG';

/** Called once for a server: in the zygote before the forks, or in a server of one process. */
export function drainOnSignal(server: net.Server): void {
  if ('closeIdleConnections' in server) drainHttp(server as http.Server);
  else if ('updateSettings' in server) drainHttp2(server);
}

function drainHttp(server: http.Server): void {
  let latest: http.ServerResponse | undefined;
  server.prependListener('connection', () => {
    latest = undefined;
  });
  server.prependListener('request', (_request, response) => {
    latest = response;
    if (native.toldToFinish()) makeLast(response);
  });
  onDrainSignal(() => {
    // A connection without any request yet is about to send one; only Node 26 takes it for idle.
    if (latest?.writableFinished) server.closeIdleConnections();
    else if (latest !== undefined) makeLast(latest);
  });
}

/** Where the header is sent already, it says keep-alive: then the connection is closed after the answer. */
function makeLast(response: http.ServerResponse): void {
  const { socket } = response;
  if (response.headersSent) response.once('finish', () => socket?.end());
  else response.shouldKeepAlive = false;
}

/** GOAWAY (RFC 9113, 6.8): open streams are finished. */
function drainHttp2(server: net.Server): void {
  let session: Http2Session | undefined;
  server.on('session', (opened: Http2Session) => {
    session = opened;
    if (native.toldToFinish()) opened.close();
  });
  onDrainSignal(() => session?.close());
}

function onDrainSignal(drain: () => void): void {
  // After the reads of this turn, so that a connection whose request has arrived is not taken for an idle one.
  process.once(drainSignal, () => setImmediate(drain));
}
