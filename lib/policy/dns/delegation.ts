// Where a challenge's TXT value goes when a CNAME delegates it, and what somebody else must create so that it can.
import { hash } from 'node:crypto';
import { registeredDomain } from '../../certificate/name-parsing.ts';

/** RFC 1035 §2.3.4. */
const maxLabelLength = 63;

/** The name that takes the value of a challenge whose CNAMEs end at `end`. Only names that begin as challenge names do, with
 *  `_acme-challenge.` or `_validation-persist.`, are ever written. A chain that ends elsewhere is passed over: most often it comes from a wildcard CNAME such as
 *  `*.example.com`, which no longer answers for the name once the value is there (RFC 4592 §2.2.1). */
export function placeOfChallenge(name: string, end: string): string {
  return end.startsWith(prefixOf(name)) ? end : name;
}

/** Why nothing can be written for a challenge whose CNAMEs end at `end`, and what lets us: the exact CNAME to create where the
 *  inventory names a zone for it. `name` is the full `_acme-challenge.…` name. */
export function describeNoZone(name: string, end: string, delegationZone: string | undefined): string {
  const prefix = prefixOf(name);
  const domain = registeredDomain(name.slice(prefix.length));
  const remedy =
    delegationZone === undefined
      ? `create one for ${domain} in Route 53 and delegate to it, or name a zone of yours as dns.delegationZone in the inventory, to be told here which CNAME to create`
      : `create the record "${delegatingRecord(name, delegationZone)}"`;
  if (end === name)
    return `no public hosted zone of this AWS account, or of one in dns.zones, holds ${name}: ${remedy}`;
  const alias = `${name} is an alias for ${end}`;
  return end.startsWith(prefix)
    ? `${alias}, which no public hosted zone of this AWS account, or of one in dns.zones, holds: ${remedy}`
    : `${alias}, which does not begin with ${prefix} as all names that Certrelay writes do, and no public hosted zone holds ${name} itself: ${remedy}`;
}

/** The CNAME that hands the challenges of a name to a zone of ours, as in a zone file. The target of a long name ends in a
 *  hash of it. */
export function delegatingRecord(name: string, delegationZone: string): string {
  const prefix = prefixOf(name);
  const label = name.slice(prefix.length).replaceAll('.', '-');
  const short = `${label.slice(0, maxLabelLength - 17)}-${hash('sha256', name).slice(0, 16)}`;
  return `${name}. CNAME ${prefix}${label.length > maxLabelLength ? short : label}.${delegationZone}.`;
}

/** The first label, with its dot. */
function prefixOf(name: string): string {
  return name.slice(0, name.indexOf('.') + 1);
}
