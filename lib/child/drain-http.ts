/**
 * What an http server in a child does when its server stops or has newer code: it answers what it has been asked, says
 * that this was the last, and closes a connection on which nobody asks. The signal is that of `native/child/drain_flag.h`.
 */
import type http from 'node:http';
import type { Http2Session } from 'node:http2';
import type net from 'node:net';
import { native } from '../binding/native.js';

export const drainSignal = 'SIGURG';

/** Once for a server: before the forks, if there are any. */
export function drainOnSignal(server: net.Server): void {
  if ('closeIdleConnections' in server) finishHttp(server as http.Server);
  else if ('updateSettings' in server) finishHttp2(server);
}

function finishHttp(server: http.Server): void {
  let latest: http.ServerResponse | undefined;
  server.prependListener('connection', () => {
    latest = undefined;
  });
  server.prependListener('request', (_request, response) => {
    latest = response;
    if (native.toldToFinish()) makeLast(response);
  });
  whenTold(() => {
    // One that has not asked yet is about to: to Node 26 alone it is idle.
    if (latest?.writableFinished) server.closeIdleConnections();
    else if (latest !== undefined) makeLast(latest);
  });
}

/** Where the header is out, what it said of the connection no longer holds: then the end of the answer is the end. */
function makeLast(response: http.ServerResponse): void {
  const { socket } = response;
  if (response.headersSent) response.once('finish', () => socket?.end());
  else response.shouldKeepAlive = false;
}

/** GOAWAY (RFC 9113, 6.8): streams that are open are served to their end. */
function finishHttp2(server: net.Server): void {
  let session: Http2Session | undefined;
  server.on('session', (opened: Http2Session) => {
    session = opened;
    if (native.toldToFinish()) opened.close();
  });
  whenTold(() => session?.close());
}

function whenTold(finish: () => void): void {
  // A request that has arrived is read before its connection could be taken for an idle one.
  process.once(drainSignal, () => setImmediate(finish));
}
