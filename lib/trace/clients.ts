/** Echo clients of the trace's own: they connect one after the other, talk, and note when. */
import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SocketAddress } from './events.js';
import type { ObservedClient } from './model.js';

export interface ClientPlan {
  readonly count: number;
  /** Milliseconds from one client's connect to the next one's. Default 60. */
  readonly apart?: number;
  /** Lines that each sends, and milliseconds between an answer and the next line. Default 3 and 80. */
  readonly lines?: number;
  readonly pause?: number;
  /** Milliseconds after which an answer is waited for no longer. Default 5000. */
  readonly patience?: number;
  /** Where given, a client that has had its answers stays connected until this resolves. */
  readonly stay?: Promise<unknown>;
  /** Called when a client has had all its answers. */
  readonly onServed?: () => void;
}

/** Milliseconds of process.hrtime(), the clock of the tracer. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** What is not waited for any more keeps no process alive. */
const unref = { ref: false };

/** Runs them all; resolves when the last has ended. Times count from `origin`, a time of now(). */
export function runClients(
  server: SocketAddress,
  origin: number,
  plan: ClientPlan,
): Promise<ObservedClient[]> {
  return Promise.all(
    Array.from({ length: plan.count }, async (_, i) => {
      await sleep(i * (plan.apart ?? 60));
      return runClient(server, origin, plan, i + 1);
    }),
  );
}

/** A server that listens on all addresses is found on this machine's own. */
function place({ family, address, port }: SocketAddress): net.NetConnectOpts {
  if (family === 'Unix') return { path: address };
  const host = address === '0.0.0.0' ? '127.0.0.1' : address === '::' ? '::1' : address;
  return { host, port };
}

async function runClient(server: SocketAddress, origin: number, plan: ClientPlan, number: number) {
  const { lines = 3, pause = 80, patience = 5000 } = plan;
  const socket = net.connect(place(server));
  const answers: number[] = [];
  const closed = new Promise<void>(resolve => socket.once('close', () => resolve()));
  // A server that refuses or resets is part of what is traced.
  socket.on('error', () => undefined);
  const connectedAt = now() - origin;
  let port = 0;
  const isConnected = await Promise.race([
    once(socket, 'connect').then(() => true),
    closed.then(() => false),
  ]).catch(() => false);
  if (isConnected) {
    port = socket.localPort ?? 0;
    for (let line = 1; line <= lines; line++) {
      if (line > 1) await sleep(pause);
      const answer = Promise.race([once(socket, 'data'), closed, sleep(patience, undefined, unref)]).catch(
        () => undefined,
      );
      socket.write(`client ${number}, line ${line}\n`);
      if (!Array.isArray(await answer)) break;
      answers.push(now() - origin);
    }
    plan.onServed?.();
    await plan.stay;
  }
  socket.end();
  const endedAt = now() - origin;
  // One that never hears the server's end must not keep anybody waiting.
  await Promise.race([closed, sleep(Math.min(patience, 500), undefined, unref)]);
  socket.destroy();
  return { port, connectedAt, answers, endedAt: endedAt as number | undefined };
}
