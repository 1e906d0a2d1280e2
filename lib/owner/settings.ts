/** The limits of a forking server as the commands that carry them to its zygote. */
import type { CheckedLimits } from '../options/interfaces.js';
import type { Policy } from '../options/kinds/policies.js';
import type { SentField } from '../options/option.js';
import { encodeCommand } from '../wire/commands.js';
import { policies, refusalReasons, sentBy } from '../wire/messages.js';

export function settingCommands(limits: CheckedLimits, killDelay: number): Buffer[] {
  return [
    encodeCommand('Admission', numbers('Admission', limits)),
    encodeCommand('AddressRules', {}, addressRules(limits)),
    ...refusalReasons.map(({ reason }, number) => refusal(number, limits[`${reason}Policy`])),
    encodeCommand('Times', { ...numbers('Times', limits), killMs: killDelay }),
    encodeCommand('Resources', { ...numbers('Resources', limits), set: givenResources(limits) }),
  ];
}

/** The limits that this message carries, as the numbers that it carries them by. */
function numbers(message: SentField['message'], limits: CheckedLimits): Record<string, number> {
  const fields = sentBy(message).map(({ option, field }) => {
    const value = limits[option];
    return [field.name, field.number?.(value, { ...limits }) ?? Number(value ?? 0)];
  });
  return Object.fromEntries(fields);
}

/** Of the resources of a child, those that have a limit: a bit for each, in the order of the fields. */
function givenResources(limits: CheckedLimits): number {
  return sentBy('Resources').reduce(
    (set, { option }, place) => (limits[option] === undefined ? set : set | (1 << place)),
    0,
  );
}

function addressRules({ allow, deny }: CheckedLimits): string {
  const rules = [...allow.map(cidr => `allow ${cidr}`), ...deny.map(cidr => `deny ${cidr}`)];
  return rules.join('\n');
}

function refusal(reason: number, policy: Policy | 'queue'): Buffer {
  const numberOf = (name: string) => policies.findIndex(known => known.policy === name);
  if (typeof policy !== 'string')
    return encodeCommand('Refusal', { reason, policy: numberOf('refuse') }, policy);
  const [, name, text] = /^(queue|refuse|reset):?(.*)$/s.exec(policy)!;
  return encodeCommand('Refusal', { reason, policy: numberOf(name!) }, text);
}
