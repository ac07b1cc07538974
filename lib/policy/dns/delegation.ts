// Which name gets a challenge's TXT value if CNAMEs delegate it, and which CNAME to create for that.
import { hash } from 'node:crypto';
import { registeredDomain } from '../../certificate/name-parsing.ts';
import type { OwnAlias } from './preflight-facts.ts';

/** RFC 1035 §2.3.4. */
const maxLabelLength = 63;

/** The name that gets the TXT value of the challenge `name`: the end of its CNAMEs, or `name` itself.
 *  Certrelay only writes names that begin with `_acme-challenge.` or `_validation-persist.`, so any other end
 *  is ignored. Such an end usually comes from a wildcard CNAME like `*.example.com`, which no longer answers
 *  for `name` once a value is there (RFC 4592 §2.2.1).
 *  @param end The name at the end of the CNAMEs; `name` if it has none. */
export function challengeRecordName(name: string, end: string): string {
  return end.startsWith(prefixOf(name)) ? end : name;
}

/** Message for a challenge that no hosted zone can take: what is wrong and what to do. With a
 *  `delegationZone` it contains the exact CNAME to create.
 *  @param name The full `_acme-challenge.…` name.
 *  @param end The name at the end of its CNAMEs; `name` if it has none.
 *  @param delegationZone `dns.delegationZone` of the inventory. */
export function describeNoZone(name: string, end: string, delegationZone: string | undefined): string {
  const prefix = prefixOf(name);
  const domain = registeredDomain(name.slice(prefix.length));
  const remedy =
    delegationZone === undefined
      ? `create one for ${domain} in Route 53 and delegate to it; or set dns.delegationZone in the inventory to a zone of yours, and this message will name the CNAME to create`
      : `create the record "${delegatingRecord(name, delegationZone)}"`;
  if (end === name)
    return `no public hosted zone of this AWS account, or of one in dns.zones, holds ${name}: ${remedy}`;
  const alias = `${name} is an alias for ${end}`;
  return end.startsWith(prefix)
    ? `${alias}, which no public hosted zone of this AWS account, or of one in dns.zones, holds: ${remedy}`
    : `${alias}, which does not begin with ${prefix}, so Certrelay does not write it, and no public hosted zone holds ${name} itself: ${remedy}`;
}

/** Message for a CNAME record of ours at a challenge name that leads where Certrelay does not write: no TXT
 *  value can stand beside it (RFC 1034 §3.6.2). */
export function describeOwnAlias(
  name: string,
  { zone, target }: OwnAlias,
  delegationZone: string | undefined,
): string {
  const record = `${name}. CNAME ${target}.`;
  const other =
    delegationZone === undefined ? '' : `, or make it "${delegatingRecord(name, delegationZone)}"`;
  return `${name} is an alias for ${target} in hosted zone ${zone.name} (${zone.id}), where Certrelay writes no TXT value, and none can stand beside a CNAME; remove the record "${record}" from hosted zone ${zone.name}${other}`;
}

/** The CNAME record that delegates a challenge name to our zone, as a zone file writes it. The label of
 *  its target is the domain with `-` for `.`; one over 63 characters is cut and ends in a hash of the
 *  name. */
export function delegatingRecord(name: string, delegationZone: string): string {
  const prefix = prefixOf(name);
  const label = name.slice(prefix.length).replaceAll('.', '-');
  const short = `${label.slice(0, maxLabelLength - 17)}-${hash('sha256', name).slice(0, 16)}`;
  return `${name}. CNAME ${prefix}${label.length > maxLabelLength ? short : label}.${delegationZone}.`;
}

/** The first label with its dot: `_acme-challenge.`. */
function prefixOf(name: string): string {
  return name.slice(0, name.indexOf('.') + 1);
}
