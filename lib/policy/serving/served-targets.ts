// What is served by each target of a certificate, where targets tell their addresses.
import { hash } from 'node:crypto';
import { formatEndpoint } from '../../certificate/endpoint.ts';
import type { CertificateSpec, ProbeEndpoint, ProbeSpec, TargetSpec } from '../../certificate/spec.ts';
import type { ServedTargets, ServedWord } from '../../state/delivery.ts';
import { type ProbeResult, worstOf } from './served.ts';

/** Where to look for one certificate. */
export interface CertificateProbeSpec extends ProbeSpec {
  /** What its targets tell: looked at under every name, beside all else. */
  readonly also?: readonly ProbeEndpoint[] | undefined;
}

/** Where to look at all that is served of a certificate; `false`: nowhere. */
export function probeSpecOf({
  probe = {},
  targets,
}: Pick<CertificateSpec, 'probe' | 'targets'>): CertificateProbeSpec | false {
  const also = targets.flatMap(({ addresses = [] }) => addresses);
  return probe === false || also.length === 0 ? probe : { ...probe, also };
}

/** Where to look at what one target serves; all there is where it does not tell. */
export function probeSpecOfTarget(
  spec: CertificateProbeSpec,
  { addresses }: TargetSpec,
): CertificateProbeSpec {
  return addresses ? { ...spec, addresses, also: undefined } : spec;
}

/** What each target serves; `undefined` where none tells its addresses.
 *  @param port What an address without one stands for. */
export function judgeTargets(
  results: readonly ProbeResult[],
  targets: readonly TargetSpec[],
  { port: usual }: ProbeSpec,
): ServedTargets | undefined {
  if (targets.every(({ addresses }) => addresses === undefined)) return undefined;
  const words = targets.map(({ addresses }) => {
    const own = addresses?.map(({ address, port = usual ?? 443 }) => formatEndpoint({ address, port }, 443));
    const seen = results.filter(({ address }) => address !== undefined && own?.includes(address));
    return own && worstOf(seen);
  });
  return { addresses: addressesKey(targets), words };
}

/** What each of the targets was last seen to serve; `undefined` for those that do not tell their addresses, and for all where
 *  other addresses were looked at. */
export function servedByTargets(
  seen: ServedTargets | undefined,
  targets: readonly TargetSpec[],
): readonly (ServedWord | undefined)[] {
  const known = seen?.addresses === addressesKey(targets) ? seen.words : [];
  return targets.map((_, index) => known[index]);
}

/** 8 hex digits that are the same for the same addresses at the same targets. */
function addressesKey(targets: readonly TargetSpec[]): string {
  const addresses = targets.map((target) => target.addresses ?? null);
  return hash('sha256', JSON.stringify(addresses)).slice(0, 8);
}
