// The text of one record's value: what Route 53 accepts (Developer Guide, "Supported DNS record types") and
// what DNS answers.
import { isIPv4, isIPv6 } from 'node:net';
import type { ResourceData } from '../dns/answer.ts';

/** A value that passes, with its DNS form for the types this sandbox answers; or Route 53's words against
 *  it. */
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
    case 'CAA':
      return readAuthorization(value);
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

/** One or more quoted strings of at most 255 bytes with spaces between; `\"`, `\\` and `\ooo` inside; 4000
 *  characters in all. */
function readText(value: string): ReadValue {
  if (value.length > 4000) return refuse('ValueTooLong', 'Value exceeds 4000 characters', value.slice(0, 40));
  const strings = charactersOf(value);
  if (!strings) {
    const words = 'Value should be quoted strings without unexpected escapes or characters';
    return refuse('InvalidCharacterString', words, value);
  }
  return strings.some((bytes) => bytes.length > 255)
    ? refuse('CharacterStringTooLong', 'Value is too long', value)
    : { data: { type: 'TXT', data: strings } };
}

/** The bytes of each quoted string; `undefined` where the value is not in that form. */
function charactersOf(value: string): readonly Buffer[] | undefined {
  if (!/^"(?:[^"\\]|\\[\s\S])*"(?: +"(?:[^"\\]|\\[\s\S])*")*$/.test(value)) return undefined;
  const contents = Array.from(value.matchAll(/"((?:[^"\\]|\\[\s\S])*)"/g), ([, content = '']) => content);
  const isStrange = (content: string) =>
    /[^ -~]|\\[^0-7"\\]|\\[0-7](?![0-7]{2})|\\[4-7]/.test(content.replaceAll('\\\\', ''));
  if (contents.some(isStrange)) return undefined;
  return contents.map((content) => Buffer.from(unescapeContent(content), 'latin1'));
}

function unescapeContent(content: string): string {
  return content.replaceAll(
    /\\(?:([0-7]{3})|([\s\S]))/g,
    (_whole, octal: string | undefined, plain: string) =>
      octal === undefined ? plain : String.fromCharCode(Number.parseInt(octal, 8)),
  );
}

/** Flags from 0 to 255, a tag of letters and digits, a quoted value. */
function readAuthorization(value: string): ReadValue {
  const [, flags, tag = '', quoted = ''] = /^(\d{1,3}) ([A-Za-z0-9]{1,15}) (".*")$/.exec(value) ?? [];
  const [text, ...others] = charactersOf(quoted) ?? [];
  if (flags === undefined || Number(flags) > 255 || !text || others.length > 0) {
    return refuse('CAARRDATAInvalid', 'Value is not a valid CAA record', value);
  }
  return { data: { type: 'CAA', data: { flags: Number(flags), tag, value: text.toString('latin1') } } };
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
