// The discover story: finds objects in clusters that request certificates, and registers those certificates.

import { mapConcurrently } from '../async/map-concurrently.ts';
import { maxNames } from '../certificate/names.ts';
import type { Inventory } from '../certificate/spec.ts';
import type { StoredSpec } from '../certificate/stored.ts';
import { nameOfSecret, parseRequestedSecret, type RequestedSecret } from '../inventory/discovery.ts';
import { cutText, listSome } from '../policy/bounds.ts';
import { mergeRequests, type SecretRequest } from '../policy/kubernetes/discovery.ts';
import type { Clock } from '../ports/clock.ts';
import { ConfigError, describeError, errorOfPart, toError } from '../ports/errors.ts';
import type { Log } from '../ports/log.ts';
import type { RegisterSpec, Registration } from '../ports/registration.ts';
import type { CertificateStore, StoreEntry } from '../ports/store.ts';
import { findObjects } from './found.ts';
import { type GoneCertificate, recordGone } from './gone.ts';
import type { ConnectTlsDirectory, UnreadKind } from './objects.ts';
import { TakenNames } from './taken-names.ts';

/** The ports that discovering needs. */
export interface DiscoverPorts {
  readonly connect: ConnectTlsDirectory;
  readonly register: RegisterSpec;
  readonly store: Pick<CertificateStore, 'list' | 'describe' | 'record'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Log;
}

/** One invocation: its id, the inventory and its time limit. */
export interface DiscoverInvocation {
  readonly id: string;
  readonly inventory: Inventory;
  /** Registers nothing; the report says what would be registered. */
  readonly dryRun?: boolean | undefined;
  readonly signal: AbortSignal;
}

/** One certificate that objects request. `registered`: it is new, and `issue` orders it. `known`: it was
 *  registered before. `planned`: dry run. `refused`: a person must change what `message` says. `failed`: the
 *  next run tries it again. */
export interface Discovered {
  readonly name: string;
  readonly outcome: 'registered' | 'known' | 'planned' | 'refused' | 'failed';
  /** `cluster/namespace/secret`. */
  readonly target: string;
  readonly domains: readonly string[];
  /** The objects that request it: `Ingress shop/web in cluster lab`. */
  readonly objects: readonly string[];
  readonly message: string;
}

/** The report of one invocation. */
export interface DiscoverReport {
  readonly certificates: readonly Discovered[];
  /** Objects, or parts of objects, that request something that was ignored, and why; and kinds that may not
   *  be listed. */
  readonly passedOver: readonly { readonly object: string; readonly message: string }[];
  /** Names of discovered certificates that no object requests any more. They are still renewed. */
  readonly noLongerAsked: readonly string[];
  /** The same certificates, as far as it is recorded since when no object asks for them. */
  readonly gone: readonly GoneCertificate[];
  /** Specifications of the `planned` certificates, to write an inventory from. */
  readonly specs: readonly StoredSpec[];
  readonly failures: readonly Error[];
}

/** Longest DNS name in a report, in characters. */
const longestDomain = 253;

/** Certificates registered at once. */
const concurrency = 8;

/** Reads every place of the inventory's `discovery` and registers what its objects request. A place that
 *  cannot be read is in `failures` and does not stop the others. May be called twice.
 *  @throws ConfigError `Inventory` if the inventory has no `discovery`;
 *  StoreError if the store cannot be listed. */
export async function discoverCertificates(
  ports: DiscoverPorts,
  invocation: DiscoverInvocation,
): Promise<DiscoverReport> {
  const { discovery } = invocation.inventory;
  if (!discovery) {
    const message =
      'the inventory has no section "discovery"; add it to say where objects may request certificates';
    throw new ConfigError('Inventory', message);
  }
  const { connect, store } = ports;
  const { discovered, failures, unread, unseen } = await findObjects(discovery, connect, invocation.signal);
  for (const { place, problem } of unread) {
    ports.log.warn('kind not discovered', { place: describePlace(place), kind: 'ListenerSet', problem });
  }
  for (const { object, excess } of discovered) {
    if (excess) ports.log.warn('discovered object refused', { objects: [object], problem: excess });
  }
  const requests = mergeRequests(discovered);
  const entries = await store.list(invocation.signal);
  // First: an object that asks again for a certificate that is let go has it kept, and then finds it.
  const requested = new Set(requests.map(({ secret }) => nameOfSecret(secret)));
  const { gone, failures: unwritten } = await recordGone(entries, { requested, unseen }, ports, invocation);
  const takenNames = new TakenNames(entries, invocation.inventory);
  const recorded = await mapConcurrently(requests, concurrency, (request) =>
    record(request, takenNames, ports, invocation),
  );
  const noLongerAsked =
    failures.length > 0 ? [] : findNoLongerRequested(requested, entries, unread, invocation);
  for (const name of noLongerAsked) ports.log.warn('certificate no longer requested', { certificate: name });
  return {
    certificates: recorded.map(({ discovered }) => discovered),
    passedOver: [
      ...discovered.flatMap(({ object, remarks }) => remarks.map((message) => ({ object, message }))),
      ...unread.map(({ place, problem }) => ({
        object: `ListenerSets in ${describePlace(place)}`,
        message: `not read, so it is unknown whether anything from there is no longer asked for: ${problem}`,
      })),
    ],
    noLongerAsked,
    gone,
    specs: recorded.flatMap(({ discovered, spec }) =>
      spec && discovered.outcome === 'planned' ? [spec] : [],
    ),
    failures: [...failures, ...unwritten, ...recorded.flatMap(({ failure }) => (failure ? [failure] : []))],
  };
}

interface Recorded {
  readonly discovered: Discovered;
  readonly spec?: StoredSpec;
  readonly failure?: Error;
}

async function record(
  { secret, objects, disagreement }: SecretRequest,
  takenNames: TakenNames,
  { register, log }: DiscoverPorts,
  { id, inventory, dryRun, signal }: DiscoverInvocation,
): Promise<Recorded> {
  const name = nameOfSecret(secret);
  const domains = listSome(
    secret.domains.map((domain) => cutText(domain, longestDomain)),
    maxNames,
  );
  const conclude = (outcome: Discovered['outcome'], message: string): Discovered => {
    return { name, outcome, target: nameSecret(secret), domains, objects, message };
  };
  const refuse = (message: string): Recorded => {
    log.warn('discovered object refused', { certificate: name, objects, problem: message });
    return { discovered: conclude('refused', message) };
  };
  if (secret.domains.length > maxNames) {
    const message = `objects request ${secret.domains.length} names for Secret ${nameSecret(secret)}; the limit for a certificate is ${maxNames}, so use several Secrets`;
    return refuse(message);
  }
  if (disagreement !== undefined) return refuse(disagreement);
  const parsed = parseRequestedSecret(secret, inventory);
  if ('problems' in parsed) {
    return refuse(parsed.problems.map(({ path, message }) => `${path}: ${message}`).join('; '));
  }
  const { spec } = parsed;
  const taken = takenNames.claim(spec);
  if (taken.length > 0)
    return refuse(`${taken.map(({ message }) => message).join('; ')}; request other names`);
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
          `${registration.owner ?? registration.message}; to change its names, write it into the inventory file under this name`,
        );
    }
  } catch (cause) {
    signal.throwIfAborted();
    const failure = toError(cause);
    return {
      discovered: conclude('failed', describeError(failure)),
      spec,
      failure: errorOfPart(name, failure),
    };
  }
}

function describeKnown({ issued }: Extract<Registration, { readonly kind: 'known' }>): string {
  return issued ? 'it was found before and is kept' : 'it was found before and is being ordered';
}

/** Names of discovered certificates that no request has. Uses tags only: a value may contain a private key,
 *  which nothing here needs to see. */
function findNoLongerRequested(
  requested: ReadonlySet<string>,
  entries: readonly StoreEntry[],
  unread: readonly UnreadKind[],
  { inventory }: DiscoverInvocation,
): readonly string[] {
  const inFile = new Set(inventory.certificates.map(({ name }) => name));
  return entries
    .filter(({ name, state }) => state.source === 'discovery' && !requested.has(name) && !inFile.has(name))
    .filter(({ state }) => !unread.some((kind) => couldBeFrom(kind, state.place)))
    .map(({ name }) => name)
    .toSorted();
}

/** Whether an object of the kind may have asked. True if the place that the certificate is from is not
 *  known. */
function couldBeFrom({ place }: UnreadKind, from: UnreadKind['place'] | undefined): boolean {
  return !from || (from.cluster === place.cluster && from.namespace === place.namespace);
}

function describePlace({ cluster, namespace }: UnreadKind['place']): string {
  return `namespace ${namespace} of cluster ${cluster}`;
}

function nameSecret({ cluster, namespace, secret }: RequestedSecret): string {
  return `${cluster}/${namespace}/${secret}`;
}
