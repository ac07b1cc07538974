// Decides whether an IP address is public, or leads into a private network or this machine (RFC 6890).
import { BlockList, isIPv4, isIPv6 } from 'node:net';

const privateIpv4 = new BlockList();
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
  privateIpv4.addSubnet(network, bits, 'ipv4');
}

/** IPv6 addresses that are assigned to networks on the internet. */
const globalIpv6 = new BlockList();
globalIpv6.addSubnet('2000::', 3, 'ipv6');
/** IPv6 addresses that contain an IPv4 address, which may be private: Teredo (RFC 4380), 6to4 (RFC 3056). */
const tunnels = new BlockList();
tunnels.addSubnet('2001::', 32, 'ipv6');
tunnels.addSubnet('2002::', 16, 'ipv6');

/** Whether an IP address is public. False for text that is not an IP address. */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !privateIpv4.check(address);
  return isIPv6(address) && globalIpv6.check(address, 'ipv6') && !tunnels.check(address, 'ipv6');
}
