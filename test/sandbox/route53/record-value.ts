// The text of one record's value: what Route 53 accepts (Developer Guide, "Supported DNS record types") and what DNS answers.
import { isIPv4, isIPv6 } from 'node:net';
import type { ResourceData } from '../dns/answer.ts';

/** A value that passes, with its DNS form for the types this sandbox answers; or Route 53's words against it. */
export type ReadValue =
  | { readonly problem?: undefined; readonly data?: ResourceData }
  | { readonly problem: string };

/** Types Route 53 takes. */
export const recordTypes: readonly string[] = [
  'A',
  'AAAA',
  'CAA',
  'CNAME',
  'DS',
  'HTTPS',
  'MX',
  'NAPTR',
  'NS',
  'PTR',
  'SOA',
  'SPF',
  'SRV',
  'SSHFP',
  'SVCB',
  'TLSA',
  'TXT',
];

export function readValue(type: string, value: string): ReadValue {
  switch (type) {
    case 'A':
      return isIPv4(value)
        ? { data: { type, data: value } }
        : refuse('ARRDATAIllegalIPv4Address', 'Value is not a valid IPv4 address', value);
    case 'AAAA':
      return isIPv6(value)
        ? { data: { type, data: value } }
        : refuse('AAAARRDATAIllegalIPv6Address', 'Value is not a valid IPv6 address', value);
    case 'CNAME':
    case 'NS':
      return isDomainName(value)
        ? { data: { type, data: value.toLowerCase().replace(/\.$/, '') } }
        : refuse('DomainNameInvalid', 'Value is not a valid domain name', value);
    case 'TXT':
    case 'SPF':
      return readText(value);
    case 'SOA':
      return readStartOfAuthority(value);
    default:
      return {};
  }
}

function refuse(kind: string, explanation: string, value: string): ReadValue {
  return {
    problem: `Invalid Resource Record: 'FATAL problem: ${kind} (${explanation}) encountered with '${value}''`,
  };
}

function isDomainName(value: string): boolean {
  return value.length <= 255 && /^(?:[^\s.]{1,63}\.)*[^\s.]{1,63}\.?$/.test(value);
}

/** One or more quoted strings of at most 255 bytes with spaces between; `\"`, `\\` and `\ooo` inside; 4000 characters in all. */
function readText(value: string): ReadValue {
  if (value.length > 4000) return refuse('ValueTooLong', 'Value exceeds 4000 characters', value.slice(0, 40));
  if (!/^"(?:[^"\\]|\\[\s\S])*"(?: +"(?:[^"\\]|\\[\s\S])*")*$/.test(value)) {
    return refuse('InvalidCharacterString', 'Value should be enclosed in quotation marks', value);
  }
  const strings: Buffer[] = [];
  for (const [, content = ''] of value.matchAll(/"((?:[^"\\]|\\[\s\S])*)"/g)) {
    if (/[^ -~]|\\[^0-7"\\]|\\[0-7](?![0-7]{2})|\\[4-7]/.test(content.replaceAll('\\\\', ''))) {
      return refuse('InvalidCharacterString', 'Unexpected escape or character', value);
    }
    const bytes = Buffer.from(unescapeContent(content), 'latin1');
    if (bytes.length > 255) return refuse('CharacterStringTooLong', 'Value is too long', value);
    strings.push(bytes);
  }
  return { data: { type: 'TXT', data: strings } };
}

function unescapeContent(content: string): string {
  return content.replaceAll(
    /\\(?:([0-7]{3})|([\s\S]))/g,
    (_whole, octal: string | undefined, plain: string) =>
      octal === undefined ? plain : String.fromCharCode(Number.parseInt(octal, 8)),
  );
}

function readStartOfAuthority(value: string): ReadValue {
  const [mname, rname, ...numbers] = value.split(/ +/);
  const [serial, refresh, retry, expire, minimum] = numbers.map(Number);
  if (
    mname === undefined ||
    rname === undefined ||
    numbers.length !== 5 ||
    serial === undefined ||
    refresh === undefined ||
    retry === undefined ||
    expire === undefined ||
    minimum === undefined ||
    numbers.some((number) => !/^\d{1,10}$/.test(number))
  ) {
    return refuse('SOARRDATAInvalid', 'Value is not a valid SOA record', value);
  }
  const data = {
    mname: mname.replace(/\.$/, ''),
    rname: rname.replace(/\.$/, ''),
    serial,
    refresh,
    retry,
    expire,
    minimum,
  };
  return { data: { type: 'SOA', data } };
}
