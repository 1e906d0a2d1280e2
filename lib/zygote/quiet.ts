/** A zygote must hold nothing that its children would share without knowing: sockets, watchers, timers. */
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { misuse } from '../errors.js';

const words: Record<string, string> = {
  TCPServerWrap: 'a listening TCP server',
  TCPSocketWrap: 'a TCP connection',
  PipeWrap: 'a pipe or Unix socket',
  PipeServerWrap: 'a listening Unix socket',
  TLSWrap: 'a TLS connection',
  UDPWrap: 'a UDP socket',
  Timeout: 'a timer (setTimeout, setInterval)',
  Immediate: 'a setImmediate() that keeps coming back',
  FSEventWrap: 'a file watcher',
  StatWatcher: 'a file watcher (fs.watchFile)',
  ProcessWrap: 'a child process',
  MessagePort: 'a Worker or MessagePort',
  TTYWrap: 'a terminal',
  GetAddrInfoReqWrap: 'a DNS lookup under way',
};

/** How long something that is ending may take to end, in milliseconds. */
const patienceMs = 500;

/** What Node holds for itself: a terminal that is standard output. Those streams are made here, if they were not yet. */
export function ownResources(): string[] {
  void [process.stdout, process.stderr];
  return process.getActiveResourcesInfo();
}

/** @throws `ERR_TRUEFORK_HANDLER`, naming what still keeps this process's event loop alive, beside Node's own. */
export async function assertQuiet(own: readonly string[]): Promise<void> {
  const deadline = Date.now() + patienceMs;
  let left = await heldResources(own);
  while (left.length > 0 && Date.now() < deadline) {
    await sleep(10);
    left = await heldResources(own);
  }
  if (left.length === 0) return;
  const named = [...new Set(left)].map(name => (words[name] ? `${words[name]} (${name})` : name));
  throw misuse(
    'ERR_TRUEFORK_HANDLER',
    `the handler script has left open: ${named.join(', ')}. Every child would share it with all others: ` +
      'close it in beforeServe, or open it in afterFork or in the handler',
  );
}

async function heldResources(own: readonly string[]): Promise<string[]> {
  await turn();
  const expected = [...own];
  return process.getActiveResourcesInfo().filter(name => {
    const at = expected.indexOf(name);
    if (at >= 0) expected.splice(at, 1);
    return at < 0;
  });
}
