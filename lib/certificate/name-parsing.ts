// Parses the DNS names that people write, and finds registered domains (public suffix list).
import { domainToASCII, domainToUnicode } from 'node:url';
import { parse } from 'tldts';
import { challengeName, withoutWildcard } from './names.ts';

/** A name in lower case and punycode, without trailing dot; or what is wrong with the text and how to correct
 *  it. */
export type ParsedName = { readonly name: string } | { readonly problem: string };

const maxLabelLength = 63;
/** RFC 1035 §2.3.4: 255 octets on the wire, 253 as text. */
const maxNameLength = 253;

/** Parses a DNS name that a public CA would sign: at least two labels, `*` only as the whole first label, no
 *  IP address, no underscore, not a public suffix itself. Unicode becomes punycode (UTS #46). */
export function parseName(text: string): ParsedName {
  const quoted = JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
  const refuse = (problem: string): ParsedName => ({ problem: `${quoted} ${problem}` });
  if (text.trim() === '') return { problem: 'is empty; write a DNS name such as shop.example.com' };

  const isWildcard = text.startsWith('*.');
  const plain = toAscii(text.slice(isWildcard ? 2 : 0));
  if (plain === undefined) return refuse('is not a DNS name; write one such as shop.example.com');
  if (plain.includes('*')) return refuse('has * where none may stand; it may only be the whole first label');
  if (plain.includes('_')) return refuse('has an underscore, which no CA signs; use letters, digits and -');

  const labels = plain.split('.');
  const last = labels.at(-1) ?? '';
  if (/^(\d+|0x[0-9a-f]*)$/.test(last)) return refuse('is an IP address; write a DNS name');
  for (const label of labels) {
    const problem = problemOfLabel(label);
    if (problem !== undefined) return refuse(problem);
  }
  if (labels.length < 2) return refuse('has one label only; write the full name, such as shop.example.com');
  if (challengeName(plain).length > maxNameLength) {
    const most = maxNameLength - challengeName('').length;
    return refuse(`is too long; ${most} characters are the most that leave room for its challenge name`);
  }

  // Only the ICANN section counts here: owners of private suffixes may have certificates for them.
  if (parse(plain, { extractHostname: false }).publicSuffix === plain) {
    return refuse('is a public suffix, which no CA signs; write a name below a domain of yours');
  }
  return { name: isWildcard ? `*.${plain}` : plain };
}

/** The registered domain by which a CA counts limits: public suffix (private section included) plus one
 *  label. For a public suffix itself: that suffix. */
export function registeredDomain(name: string): string {
  const plain = withoutWildcard(name);
  return parse(plain, { allowPrivateDomains: true, extractHostname: false }).domain ?? plain;
}

/** Whether name and `host` have the same registered domain. False for an IP address or a name of one
 *  label. */
export function isInDomainOf(name: string, host: string): boolean {
  const options = { allowPrivateDomains: true, extractHostname: false };
  const { domain, isIp } = parse(host, options);
  return domain !== null && isIp !== true && parse(name, options).domain === domain;
}

/** Characters are checked before IDNA, because the URL parser behind it decodes percent signs and cuts at
 *  slashes. */
function toAscii(text: string): string | undefined {
  const withoutDot = text.endsWith('.') ? text.slice(0, -1) : text;
  if (/\p{ASCII}/u.test(withoutDot.replace(/[A-Za-z0-9._*-]/g, ''))) return undefined;
  // IDNA refuses numeric last labels that are no IPv4 address. `parseName` refuses them with a better
  // message.
  if (/^[\w.*-]*$/.test(withoutDot)) return withoutDot.toLowerCase() || undefined;
  return domainToASCII(withoutDot) || undefined;
}

function problemOfLabel(label: string): string | undefined {
  if (label === '') return 'has an empty label; write single dots between labels';
  if (label.length > maxLabelLength) {
    return `has a label of ${label.length} characters; ${maxLabelLength} are the most`;
  }
  if (!/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(label)) {
    return 'has a label that is not letters, digits and inner hyphens';
  }
  if (label.slice(2, 4) !== '--') return undefined;
  const isPunycode = label.startsWith('xn--') && domainToUnicode(label) !== label;
  return isPunycode ? undefined : `has the label ${JSON.stringify(label)}, which is not valid punycode`;
}
