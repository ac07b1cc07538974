// Finds the addresses at which certificates should be served, and looks at each.

import { Slots } from '../async/map-concurrently.ts';
import { formatEndpoint } from '../certificate/endpoint.ts';
import { withoutWildcard } from '../certificate/names.ts';
import type { ProbeEndpoint } from '../certificate/spec.ts';
import type { HandshakeOutcome, Observation } from '../policy/serving/served.ts';
import type { CertificateProbeSpec } from '../policy/serving/served-targets.ts';
import { describeError } from '../ports/errors.ts';
import type { ProbePorts } from './invocation.ts';

/** Names asked for in DNS at once, and those of one certificate. */
const namesAtOnce = 50;
const ownNamesAtOnce = 10;
/** More than there are dead ones among a thousand addresses, as a rule: those wait side by side, while the others go on. */
const handshakesAtOnce = 128;
const ownHandshakesAtOnce = 32;
/** Addresses from DNS that are looked at of a name, and of a certificate: whoever keeps a zone writes as many as he likes. */
const mostOfName = 20;
const mostOfCertificate = 200;
const usualPort = 443;
/** Stands for the names that a wildcard covers, where an address is given and no name. */
const anyLabel = 'certrelay-probe';

type Ports = Pick<ProbePorts, 'findAddresses' | 'isPublicAddress' | 'shakeHands'>;

/** A certificate that should be served: under which names, and where to look. */
export interface ProbeSubject {
  readonly domains: readonly string[];
  readonly probe: CertificateProbeSpec;
}

/** Somewhere to look, or what is known of it without looking. */
interface PlannedProbe extends Pick<Observation, 'name'> {
  readonly endpoint?: Required<ProbeEndpoint>;
  readonly outcome?: HandshakeOutcome;
  /** Of an address from DNS: how many of its name are looked at before. */
  readonly rank?: number;
}

/** What all certificates of a run share; they take turns. */
interface Shared {
  readonly names: Slots;
  readonly handshakes: Slots;
}

/** What was seen of each certificate; one that the run's end kept from being looked at everywhere is absent. They take turns,
 *  so that one with many addresses, or with dead ones, leaves time for the others. */
export async function observe<Of extends ProbeSubject>(
  selected: readonly Of[],
  ports: Ports,
  signal: AbortSignal,
): Promise<ReadonlyMap<Of, readonly Observation[]>> {
  const shared = {
    names: new Slots(namesAtOnce, ownNamesAtOnce),
    // Where few certificates are looked at, there is nobody to leave the others to.
    handshakes: new Slots(
      handshakesAtOnce,
      Math.max(ownHandshakesAtOnce, Math.floor(handshakesAtOnce / selected.length)),
    ),
  };
  const seen = await Promise.all(
    selected.map(async (of) => {
      try {
        return [[of, await observeOne(of, shared, ports, signal)] as const];
      } catch (error) {
        if (!signal.aborted) throw error;
        return [];
      }
    }),
  );
  return new Map(seen.flat());
}

async function observeOne(
  of: ProbeSubject,
  { names, handshakes }: Shared,
  ports: Ports,
  signal: AbortSignal,
): Promise<readonly Observation[]> {
  const located = await Promise.all(
    planProbes(of).map(async (planned) =>
      planned.endpoint || planned.outcome
        ? [planned]
        : names.use(() => locate(planned.name, of.probe, ports, signal), { owner: of }),
    ),
  );
  return Promise.all(
    limitNumber(withoutRepeats(located.flat())).map(async ({ name, endpoint, outcome }) => {
      if (outcome) return { name, endpoint, outcome };
      if (!endpoint) return { name, outcome: nowhere };
      const look = () => ports.shakeHands({ ...endpoint, name }, signal);
      return { name, endpoint, outcome: await handshakes.use(look, { owner: of }) };
    }),
  );
}

const nowhere: HandshakeOutcome = { kind: 'unprobed', problem: 'there is no address to look at' };

/** Listed addresses are looked at under every name. Without them DNS is asked, which knows no address for a wildcard. */
function planProbes({ domains, probe }: ProbeSubject): readonly PlannedProbe[] {
  const { addresses, also = [], names = domains, port = usualPort } = probe;
  const listed = names.flatMap((name) =>
    [...(addresses ?? []), ...also].map((endpoint) => ({
      name: name.startsWith('*.') ? `${anyLabel}.${withoutWildcard(name)}` : name,
      endpoint: { address: endpoint.address, port: endpoint.port ?? port },
    })),
  );
  if (addresses) return listed;
  const asked = names.map((name) => (name.startsWith('*.') ? { name, outcome: unlistedWildcard } : { name }));
  return [...listed, ...asked.filter((planned) => !('outcome' in planned) || also.length === 0)];
}

/** What is listed comes before what DNS says of the same. */
function withoutRepeats(planned: readonly PlannedProbe[]): readonly PlannedProbe[] {
  const seen = new Set<string>();
  return planned.filter(({ name, endpoint }) => {
    const key = `${name} ${endpoint && formatEndpoint(endpoint)}`;
    return seen.size < seen.add(key).size;
  });
}

/** Leaves out what is too much of what DNS says, and says how much that is; each name keeps some. What a person has listed
 *  is looked at however much it is. */
function limitNumber(planned: readonly PlannedProbe[]): readonly PlannedProbe[] {
  const ranked = planned.filter(({ rank }) => rank !== undefined);
  const kept = new Set(
    ranked
      .filter(({ rank = 0 }) => rank < mostOfName)
      .toSorted((one, other) => (one.rank ?? 0) - (other.rank ?? 0))
      .slice(0, mostOfCertificate),
  );
  const left = Map.groupBy(
    ranked.filter((planned) => !kept.has(planned)),
    ({ name }) => name,
  );
  const told = Array.from(left, ([name, { length: count }]): PlannedProbe => {
    const problem = `${count} more addresses in DNS were not looked at: at most ${mostOfName} of a name and ${mostOfCertificate} of a certificate are; list those that matter under "probe" of the certificate`;
    return { name, outcome: { kind: 'unlooked', count, problem } };
  });
  return [...planned.filter((planned) => planned.rank === undefined || kept.has(planned)), ...told];
}

const unlistedWildcard: HandshakeOutcome = {
  kind: 'unprobed',
  problem:
    'a wildcard has no address; list names that it covers, or addresses, under "probe" of the certificate',
};

/** The addresses that DNS gives for a name whose addresses are not listed. Whoever keeps the zone writes those, and must not
 *  lead this machine to what only this machine can reach. */
async function locate(
  name: string,
  { also, port = usualPort }: CertificateProbeSpec,
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
    return also ? [] : [{ name, outcome: { kind: 'unprobed', problem: 'DNS has no address for it' } }];
  }
  // The same ones at each look, however DNS turns them round; those where nobody can look last.
  const sorted = addresses.toSorted();
  const inTurn = [...sorted.filter(isPublicAddress), ...sorted.filter((one) => !isPublicAddress(one))];
  const ranks = new Map(inTurn.map((address, rank) => [address, rank]));
  return addresses.map((address): PlannedProbe => {
    const planned = { name, endpoint: { address, port }, rank: ranks.get(address) ?? 0 };
    if (isPublicAddress(address)) return planned;
    const problem = 'DNS gives an address that is not public; list it under "probe" of the certificate';
    return { ...planned, outcome: { kind: 'unprobed', problem } };
  });
}
