// Finds the objects of clusters that ask for certificates, and has what they ask for registered.

import { mapConcurrently } from '../async/map-concurrently.ts';
import { maxNames } from '../certificate/names.ts';
import type { DiscoverySpec, Inventory } from '../certificate/spec.ts';
import type { StoredSpec } from '../certificate/stored.ts';
import { nameOfSecret, parseRequestedSecret, type RequestedSecret } from '../inventory/discovery.ts';
import { cutText, listSome } from '../policy/bounds.ts';
import {
  type DiscoveredObject,
  judgeObject,
  mergeRequests,
  type SecretRequest,
} from '../policy/kubernetes/discovery.ts';
import { type TlsObject, tlsObjectKinds } from '../policy/kubernetes/tls-objects.ts';
import type { ClusterDirectory, ConnectDirectory } from '../ports/cluster.ts';
import { ConfigError, toError } from '../ports/errors.ts';
import type { Log } from '../ports/log.ts';
import type { RegisterSpec, Registration } from '../ports/registration.ts';
import type { CertificateStore, StoreEntry } from '../ports/store.ts';
import { Names } from './names.ts';

type TlsDirectory = Pick<ClusterDirectory, 'listTlsObjects' | 'close'>;

/** What discovering stands on. */
export interface DiscoverPorts {
  readonly connect: (...cluster: Parameters<ConnectDirectory>) => Promise<TlsDirectory>;
  readonly register: RegisterSpec;
  readonly store: Pick<CertificateStore, 'list'>;
  readonly log: Log;
}

/** One invocation. */
export interface DiscoverInvocation {
  readonly id: string;
  readonly inventory: Inventory;
  /** Nothing is registered: the report says what would be. */
  readonly dryRun?: boolean | undefined;
  readonly signal: AbortSignal;
}

/** One certificate that objects ask for. `registered`: it is new, and is being ordered. `known`: it was registered before.
 *  `planned`: dry run. `refused`: a person must change what `message` says. */
export interface Discovered {
  readonly name: string;
  readonly outcome: 'registered' | 'known' | 'planned' | 'refused' | 'failed';
  /** `cluster/namespace/secret`. */
  readonly target: string;
  readonly domains: readonly string[];
  /** Who asks: `Ingress shop/web in cluster lab`. */
  readonly objects: readonly string[];
  readonly message: string;
}

/** What a run found and did. */
export interface DiscoverReport {
  readonly certificates: readonly Discovered[];
  /** Objects, or parts of them, that ask and are not served. */
  readonly passedOver: readonly { readonly object: string; readonly message: string }[];
  /** Certificates that were discovered once and that nothing asks for any more. They are kept and renewed. */
  readonly noLongerAsked: readonly string[];
  /** Of the certificates that are planned, for whoever writes an inventory of them. */
  readonly specs: readonly StoredSpec[];
  readonly failures: readonly Error[];
}

/** Characters of a name that somebody asks for, in a report. */
const longestDomain = 253;

/** Certificates registered at once. */
const concurrency = 8;

/** Looks into every place of the inventory's `discovery`. One that cannot be read does not keep the others from it.
 *  May be called twice. @throws ConfigError where the inventory has no such section. */
export async function discoverCertificates(
  ports: DiscoverPorts,
  invocation: DiscoverInvocation,
): Promise<DiscoverReport> {
  const { discovery } = invocation.inventory;
  if (!discovery) {
    const message = 'the inventory has no section "discovery", which says where objects may ask for what';
    throw new ConfigError('Inventory', message);
  }
  const { discovered, failures } = await findObjects(discovery, ports, invocation);
  for (const { object, excess } of discovered) {
    if (excess) ports.log.warn('discovered object refused', { objects: [object], problem: excess });
  }
  const requests = mergeRequests(discovered);
  const entries = await ports.store.list(invocation.signal);
  const names = new Names(entries, invocation.inventory);
  const recorded = await mapConcurrently(requests, concurrency, (request) =>
    record(request, names, ports, invocation),
  );
  const noLongerAsked = failures.length > 0 ? [] : findForgotten(requests, entries, invocation);
  for (const name of noLongerAsked) ports.log.warn('certificate no longer requested', { certificate: name });
  return {
    certificates: recorded.map(({ discovered }) => discovered),
    passedOver: discovered.flatMap(({ object, remarks }) => remarks.map((message) => ({ object, message }))),
    noLongerAsked,
    specs: recorded.flatMap(({ discovered, spec }) =>
      spec && discovered.outcome === 'planned' ? [spec] : [],
    ),
    failures: [...failures, ...recorded.flatMap(({ failure }) => (failure ? [failure] : []))],
  };
}

async function findObjects(
  { places, ...discovery }: DiscoverySpec,
  ports: DiscoverPorts,
  invocation: DiscoverInvocation,
): Promise<{ readonly discovered: readonly DiscoveredObject[]; readonly failures: readonly Error[] }> {
  const byCluster = Map.groupBy(places, ({ cluster }) => cluster);
  // All at once: one that does not answer must not keep the next one waiting.
  const answers = await Promise.all(
    [...byCluster].map(async ([cluster, own]) => {
      const namespaces = [...new Set(own.map(({ namespace }) => namespace))];
      return { cluster, ...(await listCluster(cluster, namespaces, ports, invocation)) };
    }),
  );
  return {
    discovered: answers.flatMap(({ cluster, objects }) =>
      objects.map((object) => judgeObject(cluster, object, { ...discovery, places })),
    ),
    failures: answers.flatMap(({ failures }) => failures),
  };
}

/** What is in the namespaces, each of which may fail by itself. @throws the signal's reason. */
async function listCluster(
  cluster: string,
  namespaces: readonly string[],
  { connect }: DiscoverPorts,
  { signal }: DiscoverInvocation,
): Promise<{ readonly objects: readonly TlsObject[]; readonly failures: readonly Error[] }> {
  let directory: TlsDirectory | undefined;
  try {
    const opened = await connect(cluster, signal);
    directory = opened;
    const lists = await Promise.allSettled(
      namespaces.map((namespace) => opened.listTlsObjects(namespace, tlsObjectKinds, signal)),
    );
    signal.throwIfAborted();
    const failures = lists.flatMap((one) => (one.status === 'rejected' ? [toError(one.reason)] : []));
    return { objects: lists.flatMap((one) => (one.status === 'fulfilled' ? one.value : [])), failures };
  } catch (cause) {
    signal.throwIfAborted();
    return { objects: [], failures: [toError(cause)] };
  } finally {
    await directory?.close();
  }
}

interface Recorded {
  readonly discovered: Discovered;
  readonly spec?: StoredSpec;
  readonly failure?: Error;
}

async function record(
  { secret, objects, disagreement }: SecretRequest,
  names: Names,
  { register, log }: DiscoverPorts,
  { id, inventory, dryRun, signal }: DiscoverInvocation,
): Promise<Recorded> {
  const name = nameOfSecret(secret);
  const told = listSome(
    secret.domains.map((domain) => cutText(domain, longestDomain)),
    maxNames,
  );
  const conclude = (outcome: Discovered['outcome'], message: string): Discovered => {
    return { name, outcome, target: nameSecret(secret), domains: told, objects, message };
  };
  const refuse = (message: string): Recorded => {
    log.warn('discovered object refused', { certificate: name, objects, problem: message });
    return { discovered: conclude('refused', message) };
  };
  if (secret.domains.length > maxNames) {
    const message = `Secret ${nameSecret(secret)} is to have ${secret.domains.length} names, and a certificate has ${maxNames} at most: use several Secrets`;
    return refuse(message);
  }
  if (disagreement !== undefined) return refuse(disagreement);
  const parsed = parseRequestedSecret(secret, inventory);
  if ('problems' in parsed) {
    return refuse(parsed.problems.map(({ path, message }) => `${path}: ${message}`).join('; '));
  }
  const { spec } = parsed;
  const taken = names.take(spec);
  if (taken.length > 0) return refuse(`${taken.map((one) => one.message).join('; ')}: ask for other names`);
  if (dryRun) return { discovered: conclude('planned', 'it would be registered and ordered'), spec };
  try {
    const registration = await register(spec, `discover ${id}`, signal);
    switch (registration.kind) {
      case 'accepted':
        return { discovered: conclude('registered', 'it is being ordered'), spec };
      case 'known':
        return { discovered: conclude('known', describeKnown(registration)), spec };
      case 'taken':
        return refuse(
          `${registration.owner ?? registration.message}; to keep it with other names, write it into the inventory file under this name`,
        );
    }
  } catch (cause) {
    signal.throwIfAborted();
    const failure = toError(cause);
    return { discovered: conclude('failed', failure.message), spec, failure };
  }
}

function describeKnown({ issued }: Extract<Registration, { readonly kind: 'known' }>): string {
  return issued ? 'it was found before and is kept' : 'it was found before and is being ordered';
}

/** By their tags: a value may hold a private key, which nothing here needs to see. */
function findForgotten(
  requests: readonly SecretRequest[],
  entries: readonly StoreEntry[],
  { inventory }: DiscoverInvocation,
): readonly string[] {
  const asked = new Set(requests.map(({ secret }) => nameOfSecret(secret)));
  const inFile = new Set(inventory.certificates.map(({ name }) => name));
  return entries
    .filter(({ name, state }) => state.source === 'discovery' && !asked.has(name) && !inFile.has(name))
    .map(({ name }) => name)
    .toSorted();
}

function nameSecret({ cluster, namespace, secret }: RequestedSecret): string {
  return `${cluster}/${namespace}/${secret}`;
}
