// Finds the CNAME record that a hosted zone of ours has at a challenge's name.
import { challengeRecordName } from '../../policy/dns/delegation.ts';
import type { OwnAlias } from '../../policy/dns/preflight-facts.ts';
import { DnsError, type FindHostedZone } from '../../ports/dns.ts';

/** The CNAME record that a hosted zone of ours has at exactly this name. `undefined` also if AWS does not
 *  say: the order finds out.
 *  @param mayBeOurs Whether to leave out a record that leads to a name that Certrelay writes. */
export async function findOwnAlias(
  name: string,
  mayBeOurs: boolean,
  findZone: FindHostedZone,
  signal: AbortSignal,
): Promise<OwnAlias | undefined> {
  try {
    const zone = await findZone(name, signal);
    if (!zone || zone === 'no zones') return undefined;
    const target = await zone.aliasAt(name, signal);
    if (target === undefined) return undefined;
    const isWritten = mayBeOurs && challengeRecordName(name, target) === target;
    const home = isWritten ? await findZone(target, signal) : undefined;
    return home ? undefined : { zone: { id: zone.id, name: zone.name }, target };
  } catch (error) {
    if (error instanceof DnsError) return undefined;
    throw error;
  }
}
