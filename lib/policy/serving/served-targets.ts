// Which addresses to probe for a certificate and its targets, and what each target serves.
import { hash } from 'node:crypto';
import { formatEndpoint } from '../../certificate/endpoint.ts';
import type { CertificateSpec, ProbeEndpoint, ProbeSpec, TargetSpec } from '../../certificate/spec.ts';
import type { ServedTargets, ServedWord } from '../../state/delivery.ts';
import { type ProbeResult, worstServed } from './served.ts';

/** What to probe for one certificate: its own `probe` setting, and the addresses of its targets. */
export interface CertificateProbeSpec extends ProbeSpec {
  /** `addresses` of its targets. Probed under every name, in addition to everything else. */
  readonly targetAddresses?: readonly ProbeEndpoint[] | undefined;
}

/** What to probe for a certificate and all its targets; `false` if the inventory says `probe: false`. */
export function probeSpecOf({
  probe = {},
  targets,
}: Pick<CertificateSpec, 'probe' | 'targets'>): CertificateProbeSpec | false {
  const targetAddresses = targets.flatMap(({ addresses = [] }) => addresses);
  return probe === false || targetAddresses.length === 0 ? probe : { ...probe, targetAddresses };
}

/** What to probe for one target: its own `addresses`, or everything in `spec` if it lists none. */
export function probeSpecOfTarget(
  spec: CertificateProbeSpec,
  { addresses }: TargetSpec,
): CertificateProbeSpec {
  return addresses ? { ...spec, addresses, targetAddresses: undefined } : spec;
}

/** The worst result at each target's addresses; `undefined` if no target lists addresses.
 *  @param port Port of addresses that name none; absent: 443. */
export function judgeTargets(
  results: readonly ProbeResult[],
  targets: readonly TargetSpec[],
  { port: usual }: ProbeSpec,
): ServedTargets | undefined {
  if (targets.every(({ addresses }) => addresses === undefined)) return undefined;
  const words = targets.map(({ addresses }) => {
    const own = addresses?.map(({ address, port = usual ?? 443 }) => formatEndpoint({ address, port }, 443));
    const ownResults = results.filter(({ address }) => address !== undefined && own?.includes(address));
    return own && worstServed(ownResults);
  });
  return { addresses: addressesKey(targets), words };
}

/** One entry per target: its recorded result, or `undefined` if it lists no addresses. All are `undefined` if
 *  nothing is recorded, or was recorded for other addresses. */
export function servedByTargets(
  recorded: ServedTargets | undefined,
  targets: readonly TargetSpec[],
): readonly (ServedWord | undefined)[] {
  const words = recorded?.addresses === addressesKey(targets) ? recorded.words : [];
  return targets.map((_, index) => words[index]);
}

/** 8 hex digits that are the same for the same addresses at the same targets. */
function addressesKey(targets: readonly TargetSpec[]): string {
  const addresses = targets.map((target) => target.addresses ?? null);
  return hash('sha256', JSON.stringify(addresses)).slice(0, 8);
}
