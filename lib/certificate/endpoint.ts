// How an address with its port is written: `203.0.113.7:8443`, `2001:db8::7`, `[2001:db8::7]:8443`.
import type { ProbeEndpoint } from './spec.ts';

/** The endpoint that a text names, its address in lower case; `undefined` if it names none. A host name is
 *  none: whoever is asked for its address decides what is connected to. */
export function parseEndpoint(text: string): ProbeEndpoint | undefined {
  if (isIpv4(text) || isIpv6(text)) return { address: text.toLowerCase() };
  const { six, four, digits } =
    /^(?:\[(?<six>[^\]]+)\]|(?<four>[^:[\]]+)):(?<digits>\d{1,5})$/.exec(text)?.groups ?? {};
  const isAddress = six === undefined ? isIpv4(four ?? '') : isIpv6(six);
  const port = Number(digits);
  if (!isAddress || port < 1 || port > 65_535) return undefined;
  return { address: (six ?? four ?? '').toLowerCase(), port };
}

/** Text that `parseEndpoint` reads as the same endpoint; a port stands in it only where it is not `usual`. */
export function formatEndpoint({ address, port }: ProbeEndpoint, usual?: number): string {
  if (port === undefined || port === usual) return address;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function isIpv4(text: string): boolean {
  const octets = text.split('.');
  return (
    octets.length === 4 && octets.every((octet) => /^(?:0|[1-9]\d{0,2})$/.test(octet) && Number(octet) < 256)
  );
}

function isIpv6(text: string): boolean {
  return /^[\da-f:.]{2,45}$/i.test(text) && URL.canParse(`http://[${text}]`);
}
