// How an address with its port is written: `203.0.113.7`, `203.0.113.7:8443`, `2001:db8::7`, `[2001:db8::7]:8443`.
import type { ProbeEndpoint } from './spec.ts';

/** Text that the inventory reads as the same endpoint; a port stands in it only where it is not `usual`. */
export function formatEndpoint({ address, port }: ProbeEndpoint, usual?: number): string {
  if (port === undefined || port === usual) return address;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
