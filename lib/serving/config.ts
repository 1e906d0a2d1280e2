/** The serving process's end of its first message. */
import { native } from '../binding/native.js';
import { channel, type ZygoteConfig } from '../wire/config.js';

/** With the listeners, which come along with the message. */
export interface ReceivedConfig extends ZygoteConfig {
  listeners: number[];
}

/** Waits until the owner has said what to serve. Where the owner has ended instead, this process ends too. */
export function receiveConfig(): ReceivedConfig {
  native.dieWithPeer(channel);
  const received = native.receiveConfig(channel) ?? native.exitNow(0);
  return { ...JSON.parse(received.body), listeners: received.listeners };
}

/** What the loops of all servers take. */
export function loopOptions({ listeners, backlogs }: ReceivedConfig) {
  return { listeners: listeners.map((fd, n): [number, number] => [fd, backlogs[n]!]), channel };
}

/** What the loop of a forking server takes. */
export function forkingOptions(config: ReceivedConfig) {
  const { connectionsPerChild, rollback, spare, privileges, settings } = config;
  return {
    ...loopOptions(config),
    settings,
    privileges,
    spareMin: spare.min,
    spareMax: spare.max,
    connectionsPerChild,
    rollback,
    verifiesRollback: process.env.TRUEFORK_ROLLBACK === 'verify',
  };
}
