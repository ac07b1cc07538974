// What is served by each target of a certificate, where targets tell their addresses.
import { hash } from 'node:crypto';
import { formatEndpoint } from '../../certificate/endpoint.ts';
import type { CertificateSpec, ProbeEndpoint, ProbeSpec, TargetSpec } from '../../certificate/spec.ts';
import { type ProbeResult, type ServedWord, servedWords, worstOf } from './served.ts';

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

const letters: Readonly<Record<ServedWord, string>> = {
  served: 's',
  unprobed: 'p',
  unreachable: 'u',
  stale: 'o',
  mismatch: 'm',
};
const noAddresses = '-';

/** `<hash of the addresses>/<one letter per target>`, in their order; `undefined` where none tells its addresses.
 *  @param port What an address without one stands for. */
export function formatServedTargets(
  results: readonly ProbeResult[],
  targets: readonly TargetSpec[],
  { port: usual }: ProbeSpec,
): string | undefined {
  if (targets.every(({ addresses }) => addresses === undefined)) return undefined;
  const row = targets.map(({ addresses }) => {
    const own = addresses?.map(({ address, port = usual ?? 443 }) => formatEndpoint({ address, port }, 443));
    const seen = results.filter(({ address }) => address !== undefined && own?.includes(address));
    return own ? letters[worstOf(seen)] : noAddresses;
  });
  return `${addressesKey(targets)}/${row.join('')}`;
}

/** What each of the targets was last seen to serve; `undefined` for those that do not tell their addresses, and for all where
 *  the text is of other addresses. */
export function parseServedTargets(
  text: string | undefined,
  targets: readonly TargetSpec[],
): readonly (ServedWord | undefined)[] {
  const [key, row = ''] = text?.split('/') ?? [];
  const known = key === addressesKey(targets) ? row : '';
  return targets.map((_, index) => servedWords.find((word) => letters[word] === known.charAt(index)));
}

function addressesKey(targets: readonly TargetSpec[]): string {
  const addresses = targets.map((target) => target.addresses ?? null);
  return hash('sha256', JSON.stringify(addresses)).slice(0, 8);
}
