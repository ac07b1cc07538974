// Finds the addresses of certificates in the inventory and in DNS, and shakes hands with each.

import { Slots } from '../async/map-concurrently.ts';
import { formatEndpoint } from '../certificate/endpoint.ts';
import { withoutWildcard } from '../certificate/names.ts';
import type { ProbeEndpoint } from '../certificate/spec.ts';
import type { ExpectedCertificate, HandshakeOutcome } from '../policy/serving/handshake.ts';
import type { Observation } from '../policy/serving/served.ts';
import type { CertificateProbeSpec } from '../policy/serving/served-targets.ts';
import { countOf } from '../policy/words.ts';
import { describeError } from '../ports/errors.ts';
import { showCertificate } from './handshakes.ts';
import type { ProbePorts } from './invocation.ts';

/** How many names are looked up in DNS at once: in all, and of one certificate. */
const namesAtOnce = 50;
const ownNamesAtOnce = 10;
/** How many handshakes run at once: in all, and of one certificate. A dead address keeps its slot until it
 *  times out. Of a thousand addresses fewer than 128 are usually dead, so the others still get slots. */
const handshakesAtOnce = 128;
const ownHandshakesAtOnce = 32;
/** How many addresses from DNS are probed, of one name and of one certificate. The owner of a zone can
 *  list any number. */
const mostOfName = 20;
const mostOfCertificate = 200;
const defaultPort = 443;
/** Label of the name that is sent for a wildcard, if addresses are listed. */
const wildcardLabel = 'certrelay-probe';

type Ports = Pick<ProbePorts, 'findAddresses' | 'isPublicAddress' | 'shakeHands'>;

/** A certificate to probe: what should be presented, under which names, and which addresses to use. */
export interface ProbeSubject extends ExpectedCertificate {
  readonly domains: readonly string[];
  readonly probe: CertificateProbeSpec;
}

/** A probe that is still to be made, or one whose outcome is known without a handshake. */
interface PlannedProbe extends Pick<Observation, 'name'> {
  readonly endpoint?: Required<ProbeEndpoint>;
  readonly outcome?: HandshakeOutcome;
  /** Set for an address from DNS: its position among the addresses of its name, from 0. */
  readonly rank?: number;
}

/** Slots that all certificates of an invocation share; they take turns. */
interface SharedSlots {
  readonly names: Slots;
  readonly handshakes: Slots;
}

/** Probes all addresses of all certificates, and returns the observations of each. A certificate is absent
 *  from the result if `signal` aborted before all its addresses were probed. Certificates take turns, so
 *  one with many or dead addresses leaves time for the others. */
export async function observe<Subject extends ProbeSubject>(
  subjects: readonly Subject[],
  ports: Ports,
  signal: AbortSignal,
): Promise<ReadonlyMap<Subject, readonly Observation[]>> {
  const shared = {
    names: new Slots(namesAtOnce, ownNamesAtOnce),
    // With few certificates, each may use more: otherwise slots would stay idle.
    handshakes: new Slots(
      handshakesAtOnce,
      Math.max(ownHandshakesAtOnce, Math.floor(handshakesAtOnce / subjects.length)),
    ),
  };
  const observed = await Promise.all(
    subjects.map(async (subject) => {
      try {
        return [[subject, await observeSubject(subject, shared, ports, signal)] as const];
      } catch (error) {
        if (!signal.aborted) throw error;
        return [];
      }
    }),
  );
  return new Map(observed.flat());
}

async function observeSubject(
  subject: ProbeSubject,
  { names, handshakes }: SharedSlots,
  ports: Ports,
  signal: AbortSignal,
): Promise<readonly Observation[]> {
  const located = await Promise.all(
    planProbes(subject).map(async (planned) =>
      planned.endpoint || planned.outcome
        ? [planned]
        : names.use(() => locate(planned.name, subject.probe, ports, signal), { owner: subject }),
    ),
  );
  return Promise.all(
    limitNumber(withoutRepeats(located.flat())).map(async ({ name, endpoint, outcome }) => {
      if (outcome) return { name, endpoint, outcome };
      if (!endpoint) return { name, outcome: noAddress };
      const show = () => showCertificate({ ...endpoint, name }, subject, ports.shakeHands, signal);
      return { name, endpoint, outcome: await handshakes.use(show, { owner: subject }) };
    }),
  );
}

const noAddress: HandshakeOutcome = { kind: 'unprobed', problem: 'there is no address to probe' };

/** Plans one probe per listed address and name. If the certificate lists none, also one per name for DNS
 *  to locate; a wildcard cannot be looked up, so it is `unprobed` unless targets list addresses. */
function planProbes({ domains, probe }: ProbeSubject): readonly PlannedProbe[] {
  const { addresses, targetAddresses = [], names = domains, port = defaultPort } = probe;
  const listed = names.flatMap((name) =>
    [...(addresses ?? []), ...targetAddresses].map((endpoint) => ({
      name: name.startsWith('*.') ? `${wildcardLabel}.${withoutWildcard(name)}` : name,
      endpoint: { address: endpoint.address, port: endpoint.port ?? port },
    })),
  );
  if (addresses) return listed;
  const unlocated = names.map((name) =>
    name.startsWith('*.') ? { name, outcome: unlistedWildcard } : { name },
  );
  const hasTargetAddresses = targetAddresses.length > 0;
  return [...listed, ...unlocated.filter((planned) => !('outcome' in planned && hasTargetAddresses))];
}

/** Keeps the first of equal probes, so a listed address wins over the same address from DNS. */
function withoutRepeats(planned: readonly PlannedProbe[]): readonly PlannedProbe[] {
  const seen = new Set<string>();
  return planned.filter(({ name, endpoint }) => {
    const key = `${name} ${endpoint && formatEndpoint(endpoint)}`;
    return seen.size < seen.add(key).size;
  });
}

/** Leaves out addresses from DNS beyond the limits, lowest ranks kept first so that every name keeps some,
 *  and adds one `unlooked` entry per name with the number left out. Listed addresses are never left out. */
function limitNumber(planned: readonly PlannedProbe[]): readonly PlannedProbe[] {
  const ranked = planned.filter(({ rank }) => rank !== undefined);
  const kept = new Set(
    ranked
      .filter(({ rank = 0 }) => rank < mostOfName)
      .toSorted((one, other) => (one.rank ?? 0) - (other.rank ?? 0))
      .slice(0, mostOfCertificate),
  );
  const omitted = Map.groupBy(
    ranked.filter((planned) => !kept.has(planned)),
    ({ name }) => name,
  );
  const notes = Array.from(omitted, ([name, { length: count }]): PlannedProbe => {
    const problem = `DNS has ${countOf(count, 'more address', 'more addresses')}, which probe leaves out: the limits are ${mostOfName} for a name and ${mostOfCertificate} for a certificate; list the ones that matter as "addresses" under "probe" of the certificate`;
    return { name, outcome: { kind: 'unlooked', count, problem } };
  });
  return [...planned.filter((planned) => planned.rank === undefined || kept.has(planned)), ...notes];
}

const unlistedWildcard: HandshakeOutcome = {
  kind: 'unprobed',
  problem:
    'a wildcard has no address in DNS; list "names" that it covers, or "addresses", under "probe" of the certificate',
};

/** One planned probe per address that DNS gives for the name. Private addresses are `unprobed`: the owner
 *  of a zone must not make this machine connect to what only this machine can reach. */
async function locate(
  name: string,
  { targetAddresses, port = defaultPort }: CertificateProbeSpec,
  { findAddresses, isPublicAddress }: Ports,
  signal: AbortSignal,
): Promise<readonly PlannedProbe[]> {
  let addresses: readonly string[];
  try {
    addresses = await findAddresses(name, signal);
  } catch (error) {
    signal.throwIfAborted();
    return [{ name, outcome: { kind: 'silent', problem: describeError(error) } }];
  }
  if (addresses.length === 0) {
    return targetAddresses
      ? []
      : [{ name, outcome: { kind: 'unprobed', problem: 'DNS has no address for it' } }];
  }
  // Sorted, because DNS rotates its answers and each run must probe the same ones. Private ones come last.
  const sorted = addresses.toSorted();
  const isPrivate = (address: string) => !isPublicAddress(address);
  const ranked = [...sorted.filter(isPublicAddress), ...sorted.filter(isPrivate)];
  const ranks = new Map(ranked.map((address, rank) => [address, rank]));
  return addresses.map((address): PlannedProbe => {
    const planned = { name, endpoint: { address, port }, rank: ranks.get(address) ?? 0 };
    if (isPublicAddress(address)) return planned;
    const problem =
      'the address in DNS is not public; to probe it, list it as "addresses" under "probe" of the certificate';
    return { ...planned, outcome: { kind: 'unprobed', problem } };
  });
}
