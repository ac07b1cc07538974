// Which addresses are of the internet, and which lead into the network or machine that asks (RFC 6890).
import { BlockList, isIPv4, isIPv6 } from 'node:net';

const inside = new BlockList();
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const) {
  inside.addSubnet(network, bits, 'ipv4');
}

/** All that is handed out of IPv6, without what leads to an IPv4 address inside it: Teredo (RFC 4380), 6to4 (RFC 3056). */
const global = new BlockList();
global.addSubnet('2000::', 3, 'ipv6');
const tunnels = new BlockList();
tunnels.addSubnet('2001::', 32, 'ipv6');
tunnels.addSubnet('2002::', 16, 'ipv6');

/** Whether anybody on the internet can have the address; `false` for what is no address. */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !inside.check(address);
  return isIPv6(address) && global.check(address, 'ipv6') && !tunnels.check(address, 'ipv6');
}
