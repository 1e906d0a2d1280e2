/** The limits of a forking server as the commands that its zygote is told them by. */

import type { Policy } from '../options/kinds.js';
import type { CheckedLimits } from '../options/limits.js';
import { encodeCommand, policies, refusalReasons, resources } from '../wire/protocol.js';

export function settingCommands(limits: CheckedLimits, killDelay: number): Buffer[] {
  return [
    admission(limits),
    encodeCommand('AddressRules', {}, addressRules(limits)),
    ...refusalReasons.map((reason, number) => refusal(number, limits[`${reason}Policy`])),
    encodeCommand('Times', {
      firstByteMs: limits.firstByteTimeout,
      idleMs: limits.idleTimeout,
      connectionMs: limits.connectionTimeout,
      killMs: killDelay,
    }),
    resourcesOfAChild(limits),
  ];
}

function admission(limits: CheckedLimits): Buffer {
  const { acceptRate, acceptBurst, acceptRatePerSource, acceptBurstPerSource } = limits;
  return encodeCommand('Admission', {
    maxChildren: limits.maxChildren,
    maxPerSource: limits.maxPerSource ?? 0,
    acceptIntervalUs: interval(acceptRate),
    acceptBurst: acceptBurst ?? burst(acceptRate),
    sourceIntervalUs: interval(acceptRatePerSource),
    sourceBurst: acceptBurstPerSource ?? burst(acceptRatePerSource),
  });
}

/** Microseconds between two connections. */
function interval(rate: number | undefined): number {
  return rate === undefined ? 0 : Math.round(1_000_000 / rate);
}

function burst(rate: number | undefined): number {
  return Math.max(1, Math.floor(rate ?? 1));
}

function addressRules({ allow, deny }: CheckedLimits): string {
  const rules = [...allow.map(cidr => `allow ${cidr}`), ...deny.map(cidr => `deny ${cidr}`)];
  return rules.join('\n');
}

function refusal(reason: number, policy: Policy | 'queue'): Buffer {
  if (typeof policy !== 'string')
    return encodeCommand('Refusal', { reason, policy: policies.refuse }, policy);
  const [, name, text] = /^(queue|refuse|reset):?(.*)$/s.exec(policy)!;
  return encodeCommand('Refusal', { reason, policy: policies[name as keyof typeof policies] }, text);
}

function resourcesOfAChild(limits: CheckedLimits): Buffer {
  const { maxMemory, maxCpuTime, maxOpenFiles, maxCoreSize, nice, oomScoreAdj } = limits;
  const given = Object.entries(resources).filter(
    ([name]) => limits[name as keyof typeof resources] !== undefined,
  );
  return encodeCommand('Resources', {
    memory: maxMemory ?? 0,
    core: maxCoreSize ?? 0,
    cpuSeconds: Math.ceil((maxCpuTime ?? 0) / 1000),
    openFiles: maxOpenFiles ?? 0,
    nice: nice ?? 0,
    oomScoreAdj: oomScoreAdj ?? 0,
    set: given.reduce((set, [, bit]) => set | bit, 0),
  });
}
