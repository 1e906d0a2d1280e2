/** The serving process's end of its first message. */
import { native } from '../binding/native.js';
import { channel as firstChannel, type ZygoteConfig } from '../wire/config.js';

/** With the listeners, which come along with the message. */
export interface ReceivedConfig extends ZygoteConfig {
  listeners: number[];
  /** The socket to the owner. */
  channel: number;
}

/** Waits until the owner has said what to serve. Where the owner has ended instead, this process ends too. */
export function receiveConfig(): ReceivedConfig {
  // Away from the numbers that programs take for granted: a script that writes to descriptor 3 writes to the owner else.
  const channel = native.moveDescriptorUp(firstChannel);
  native.dieWithPeer(channel);
  const received = native.receiveConfig(channel) ?? native.exitNow(0);
  return { ...JSON.parse(received.body), listeners: received.listeners, channel };
}

/** What the loops of all servers take. */
export function loopOptions({ listeners, backlogs, channel }: ReceivedConfig) {
  return { listeners: listeners.map((fd, n): [number, number] => [fd, backlogs[n]!]), channel };
}

/** What the loop of a forking server takes. */
export function forkingOptions(config: ReceivedConfig) {
  const { connectionsPerChild, rollback, spare, privileges, settings, isolation } = config;
  return {
    ...loopOptions(config),
    settings,
    privileges,
    isolation,
    spareMin: spare.min,
    spareMax: spare.max,
    connectionsPerChild,
    rollback,
    verifiesRollback: process.env.TRUEFORK_ROLLBACK === 'verify',
  };
}
