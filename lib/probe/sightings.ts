// Finds the addresses at which certificates should be served, and looks at each.
import { formatEndpoint } from '../certificate/endpoint.ts';
import { withoutWildcard } from '../certificate/names.ts';
import type { Endpoint } from '../certificate/spec.ts';
import { mapConcurrently } from '../concurrency.ts';
import { describeError } from '../log.ts';
import type { Observation, Sighting } from '../policy/served.ts';
import type { LookSpec } from '../policy/served-targets.ts';
import type { ProbePorts } from './run.ts';

/** Names asked for in DNS at once. */
const namesAtOnce = 50;
/** More than there are dead ones among a thousand addresses, as a rule: those wait side by side, while the others go on. */
const handshakesAtOnce = 128;
const usualPort = 443;
/** Stands for the names that a wildcard covers, where an address is given and no name. */
const anyLabel = 'certrelay-probe';

type Ports = Pick<ProbePorts, 'findAddresses' | 'isPublicAddress' | 'shakeHands'>;

/** A certificate that should be served: under which names, and where to look. */
export interface Sought {
  readonly domains: readonly string[];
  readonly probe: LookSpec;
}

/** Somewhere to look, or what is known of it without looking. */
interface Place<Of extends Sought> extends Pick<Observation, 'name'> {
  readonly of: Of;
  readonly endpoint?: Required<Endpoint>;
  readonly sighting?: Sighting;
}

/** What was seen of each certificate; one that the run's end kept from being looked at everywhere is absent. */
export async function observe<Of extends Sought>(
  selected: readonly Of[],
  ports: Ports,
  signal: AbortSignal,
): Promise<ReadonlyMap<Of, readonly Observation[]>> {
  const unfinished = new Set<Of>();
  const isolate = async <T>(of: Of, work: () => Promise<readonly T[]>): Promise<readonly T[]> => {
    try {
      return await work();
    } catch (error) {
      if (!signal.aborted) throw error;
      unfinished.add(of);
      return [];
    }
  };
  const asked = selected.flatMap((of) => planPlaces(of));
  const places = await mapConcurrently(asked, namesAtOnce, (place) =>
    isolate(place.of, () => locate(place, ports, signal)),
  );
  const looks = await mapConcurrently(withoutRepeats(places.flat()), handshakesAtOnce, (place) =>
    isolate(place.of, async () => [{ ...place, sighting: await look(place, ports, signal) }]),
  );
  const seen = Map.groupBy(looks.flat(), ({ of }) => of);
  return new Map(
    selected.filter((of) => !unfinished.has(of)).map((of) => [of, (seen.get(of) ?? []).map(withoutOwner)]),
  );
}

/** Listed addresses are looked at under every name. Without them DNS is asked, which knows no address for a wildcard. */
function planPlaces<Of extends Sought>(of: Of): readonly Place<Of>[] {
  const { addresses, also = [], names = of.domains, port = usualPort } = of.probe;
  const listed = names.flatMap((name) =>
    [...(addresses ?? []), ...also].map((endpoint) => ({
      of,
      name: name.startsWith('*.') ? `${anyLabel}.${withoutWildcard(name)}` : name,
      endpoint: { address: endpoint.address, port: endpoint.port ?? port },
    })),
  );
  if (addresses) return listed;
  const asked = names.map((name) =>
    name.startsWith('*.') ? { of, name, sighting: unlistedWildcard } : { of, name },
  );
  return [...listed, ...asked.filter(({ sighting }) => !sighting || also.length === 0)];
}

/** What is listed comes before what DNS says of the same. */
function withoutRepeats<Of extends Sought>(places: readonly Place<Of>[]): readonly Place<Of>[] {
  const known = new Map<Of, Set<string>>();
  return places.filter(({ of, name, endpoint }) => {
    const seen = known.get(of) ?? new Set();
    known.set(of, seen);
    const key = `${name} ${endpoint && formatEndpoint(endpoint)}`;
    return seen.size < seen.add(key).size;
  });
}

const unlistedWildcard: Sighting = {
  kind: 'unprobed',
  problem:
    'a wildcard has no address; list names that it covers, or addresses, under "probe" of the certificate',
};

/** The addresses that DNS gives for a name whose addresses are not listed. Whoever keeps the zone writes those, and must not
 *  lead this machine to what only this machine can reach. */
async function locate<Of extends Sought>(
  place: Place<Of>,
  { findAddresses, isPublicAddress }: Ports,
  signal: AbortSignal,
): Promise<readonly Place<Of>[]> {
  if (place.endpoint || place.sighting) return [place];
  const { of, name } = place;
  let addresses: readonly string[];
  try {
    addresses = await findAddresses(name, signal);
  } catch (error) {
    signal.throwIfAborted();
    return [{ of, name, sighting: { kind: 'silent', problem: describeError(error) } }];
  }
  if (addresses.length === 0) {
    if (of.probe.also) return [];
    return [{ of, name, sighting: { kind: 'unprobed', problem: 'DNS has no address for it' } }];
  }
  return addresses.map((address): Place<Of> => {
    const endpoint = { address, port: of.probe.port ?? usualPort };
    if (isPublicAddress(address)) return { of, name, endpoint };
    const problem = 'DNS gives an address that is not public; list it under "probe" of the certificate';
    return { of, name, endpoint, sighting: { kind: 'unprobed', problem } };
  });
}

async function look(
  { name, endpoint, sighting }: Place<Sought>,
  { shakeHands }: Ports,
  signal: AbortSignal,
): Promise<Sighting> {
  if (sighting) return sighting;
  if (!endpoint) return { kind: 'unprobed', problem: 'there is no address to look at' };
  return shakeHands({ ...endpoint, name }, signal);
}

function withoutOwner({
  name,
  endpoint,
  sighting,
}: Place<Sought> & { readonly sighting: Sighting }): Observation {
  return { name, endpoint, sighting };
}
