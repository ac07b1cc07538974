// Refuses addresses at which clouds give their machines credentials, whoever's DNS names them.
import { type LookupAddress, type LookupAllOptions, lookup as systemLookup } from 'node:dns';
import { BlockList, isIP, isIPv6, type LookupFunction } from 'node:net';

const forbidden = new BlockList();
for (const [network, bits, family] of [
  ['0.0.0.0', 8, 'ipv4'],
  // Link-local; 169.254.169.254 and 169.254.170.2 tell a machine its credentials.
  ['169.254.0.0', 16, 'ipv4'],
  ['fe80::', 10, 'ipv6'],
  // AWS's metadata over IPv6.
  ['fd00:ec2::', 32, 'ipv6'],
  // 169.254.0.0/16 by NAT64 (RFC 6052).
  ['64:ff9b::a9fe:0', 112, 'ipv6'],
  ['::', 128, 'ipv6'],
] as const) {
  forbidden.addSubnet(network, bits, family);
}

/** Code of the error for a name that leads to a forbidden address. */
export const forbiddenCode = 'FORBIDDEN_ADDRESS';

/** Whether nothing is ever sent to an address. IPv4 written as IPv6 counts too. */
export function isForbidden(address: string): boolean {
  return isIP(address) !== 0 && forbidden.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

/** Whether a URL's host is written as an address that is forbidden; for such no name is looked up. */
export function hasForbiddenHost({ hostname }: URL): boolean {
  return isForbidden(hostname.replace(/^\[(.*)\]$/, '$1'));
}

/** Looks a name up for a connection, and fails with `forbiddenCode` if one of its addresses is forbidden. */
export const lookupAllowed: LookupFunction = refuseForbidden(systemLookup);

/** A lookup that fails with `forbiddenCode` if one of the addresses that `lookup` finds is forbidden. */
export function refuseForbidden(lookup: LookupAll): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      const [first] = addresses ?? [];
      if (error) callback(error, '', 0);
      else if (!first || addresses.some(({ address }) => isForbidden(address)))
        callback(Object.assign(new Error('forbidden address'), { code: forbiddenCode }), '', 0);
      else if (options.all) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

/** Finds all addresses of a name, as `lookup` of `node:dns` does. */
type LookupAll = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;
