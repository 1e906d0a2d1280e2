/** Networks of clients. */
import net from 'node:net';
import { badArgument } from '../../errors.js';
import { type Kind, show } from '../kind.js';

/** A list of addresses and networks. */
export function addresses(): Kind<readonly string[]> {
  return {
    placeholder: 'cidr',
    repeats: true,
    parse: text => text,
    check(name, value) {
      if (!Array.isArray(value))
        throw badArgument(
          `${name} has to be a list of addresses, as in ["10.0.0.0/8", "::1"], not ${show(value)}`,
        );
      for (const cidr of value) checkCidr(name, cidr);
      return value;
    },
    show: value => value.join(', '),
  };
}

function checkCidr(name: string, cidr: unknown): void {
  const [address = '', bits, rest] = String(cidr).split('/');
  try {
    if (rest !== undefined || address.includes('%')) throw new Error('not a CIDR');
    const family = net.isIPv6(address) ? 'ipv6' : 'ipv4';
    const list = new net.BlockList();
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, /^\d+$/.test(bits) ? Number(bits) : Number.NaN, family);
    // ::ffff:10.0.0.0/104 is an IPv4 network; a shorter prefix would span both families.
    if (family === 'ipv6' && isMapped(address) && Number(bits ?? 128) < 96)
      throw new Error('not of one family');
  } catch {
    throw badArgument(
      `${name}: ${show(cidr)} is no address, or network as in "10.0.0.0/8" or "2001:db8::/32"`,
    );
  }
}

function isMapped(address: string): boolean {
  const mapped = new net.BlockList();
  mapped.addSubnet('::ffff:0:0', 96, 'ipv6');
  return mapped.check(address, 'ipv6');
}
