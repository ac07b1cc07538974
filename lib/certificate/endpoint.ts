// Addresses with ports, as a user writes them: `203.0.113.7`, `203.0.113.7:8443`, `2001:db8::7`, `[2001:db8::7]:8443`.
import * as z from 'zod';
import type { Endpoint } from './spec.ts';

const ipv4 = z.ipv4();
const ipv6 = z.ipv6();

/** The endpoint that a text names; `undefined` where it names none. A host name is none: whoever is asked for its address
 *  decides what is connected to. */
export function parseEndpoint(text: string): Endpoint | undefined {
  if (isAddress(text)) return { address: text.toLowerCase() };
  const { six, four, digits } =
    /^(?:\[(?<six>[^\]]+)\]|(?<four>[^:[\]]+)):(?<digits>\d{1,5})$/.exec(text)?.groups ?? {};
  const address = six ?? four ?? '';
  const port = Number(digits);
  const isFitting = six === undefined ? ipv4.safeParse(address).success : isVersion6(address);
  return isFitting && port > 0 && port < 65_536 ? { address: address.toLowerCase(), port } : undefined;
}

/** Text that `parseEndpoint` reads as the same endpoint; a port stands in it only where it is not `usual`. */
export function formatEndpoint({ address, port }: Endpoint, usual?: number): string {
  if (port === undefined || port === usual) return address;
  return isVersion6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Whether an address is of IPv6. */
export function isVersion6(address: string): boolean {
  return ipv6.safeParse(address).success;
}

function isAddress(text: string): boolean {
  return ipv4.safeParse(text).success || isVersion6(text);
}
