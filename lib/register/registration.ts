// Registers a requested certificate: stores its specification, then queues it for `issue`.

import type { Inventory } from '../certificate/spec.ts';
import type { StoredSpec } from '../certificate/stored.ts';
import { parseRegistration } from '../inventory/registration.ts';
import { invokeCommand } from '../policy/commands.ts';
import { announceRegistered } from '../policy/events/announcement.ts';
import {
  holderOfSpec,
  holdersInFile,
  NameBook,
  openSources,
  type TakenName,
} from '../policy/registration/name-holders.ts';
import { isUntouched } from '../policy/registration/untouched.ts';
import { findRetirement, latestEnd } from '../policy/retirement/retirement.ts';
import type { Clock } from '../ports/clock.ts';
import { describeError } from '../ports/errors.ts';
import { type PutEvents, tell } from '../ports/events.ts';
import type { Log } from '../ports/log.ts';
import { changeOwed } from '../ports/owed-events.ts';
import type { IssueQueue } from '../ports/queues.ts';
import type { Register, RegisterSpec, Registration } from '../ports/registration.ts';
import type { RetirementStore } from '../ports/retirement.ts';
import type { CertificateStore, StoreEntry } from '../ports/store.ts';
import { stateOfSpec } from '../state/describe.ts';
import { addOwed } from '../state/events.ts';
import type { CertificateState } from '../state/state.ts';

/** Limit of domains in one message. */
const mostListed = 20;

interface RegistrationPorts {
  readonly inventory: Inventory;
  readonly store: CertificateStore;
  readonly retirements: Pick<RetirementStore, 'findDeleted'>;
  readonly queue: IssueQueue;
  readonly clock: Pick<Clock, 'timeout' | 'now'>;
  /** Tells others what was registered. Absent: nobody is told. */
  readonly putEvents?: PutEvents | undefined;
  readonly log: Log;
}

/** A function that registers the certificate of a webhook request, checked against one inventory. */
export function createRegister(ports: RegistrationPorts): Register {
  const { inventory } = ports;
  return async (body, id, signal) => {
    if (!inventory.registration) return { kind: 'closed' };
    const parsed = parseRegistration(body, inventory);
    if ('problems' in parsed) return { kind: 'refused', problems: parsed.problems };
    const { spec } = parsed;
    const registration = await storeSpec({ spec, withTargets: hasTargets(body), id }, ports, signal);
    if (registration.kind === 'taken') {
      const { name, message, owner = message } = registration;
      ports.log.warn('registration refused', { certificate: name, request: id, problem: owner });
    }
    return registration;
  };
}

/** A function that registers a specification that is checked already. */
export function createRegisterSpec(ports: RegistrationPorts): RegisterSpec {
  return (spec, id, signal) => storeSpec({ spec, withTargets: false, id }, ports, signal);
}

/** Time limit for listing other certificates, because a sender waits. `issue` checks the names again before
 *  it orders. */
const listTimeoutMs = 4_000;

/** Names of a new specification that another certificate has. Lists the store only if another source may have
 *  such names. If listing fails, logs a warning and compares with the inventory file only. */
async function findTaken(
  spec: StoredSpec,
  { inventory, store, clock, log }: RegistrationPorts,
  signal: AbortSignal,
): Promise<readonly TakenName[]> {
  const requester = holderOfSpec(spec);
  const listOthers = async (): Promise<readonly StoreEntry[]> => {
    try {
      return await store.list(AbortSignal.any([signal, clock.timeout(listTimeoutMs)]), [
        'discovery',
        'import',
      ]);
    } catch (error) {
      signal.throwIfAborted();
      log.warn('other names not read', { certificate: spec.name, problem: describeError(error) });
      return [];
    }
  };
  const sources = openSources(inventory);
  const others = sources.mayBeShared(requester) ? await listOthers() : [];
  const book = new NameBook(holdersInFile(inventory));
  for (const entry of others) {
    const holder = sources.holderOf(entry);
    if (holder) book.add(holder);
  }
  return book.findTaken(requester);
}

/** What is requested. `withTargets`: the sender names targets. */
interface SpecRequest {
  readonly spec: StoredSpec;
  readonly withTargets: boolean;
}

/** Stores the specification and queues it for `issue`. May be called twice. A crash between the two loses
 *  nothing: the scheduled `issue` finds the specification, and a repeated request queues it again. */
async function storeSpec(
  request: SpecRequest & { readonly id: string },
  ports: RegistrationPorts,
  signal: AbortSignal,
): ReturnType<RegisterSpec> {
  const { inventory, store, retirements, queue, log } = ports;
  const { spec, id } = request;
  const { name, domains } = spec;
  if (inventory.certificates.some((certificate) => certificate.name === name)) {
    return takenName(name, `"${name}" is a certificate of the inventory file`);
  }

  // Read first, so that a repeated request makes no call that could write. Tags are enough: a value may
  // contain a private key, which nothing behind a public endpoint needs to see.
  let entry = await store.describe(name, signal);
  if (!entry) {
    // `discover` has checked the names itself, once for all it found.
    const taken = spec.source === 'registration' ? await findTaken(spec, ports, signal) : [];
    if (taken.length > 0) return takenDomains(name, taken);
    const created = await store.create(name, spec, signal);
    if (created === 'deleted') return takenUntil(name, (await retirements.findDeleted(name, signal))?.until);
    if (created === 'created') {
      await tellOfRegistration(spec, ports, signal);
      await queue.send([name], id, {}, signal);
      log.info('certificate registered', { certificate: name, names: domains, request: id });
      return { kind: 'accepted', name, domains };
    }
    // Another request was faster.
    entry = await store.describe(name, signal);
  }
  const retirement = entry && findRetirement(entry, inventory);
  if (entry && retirement) return takenUntil(name, latestEnd(retirement, entry.state));
  const registration = compare(request, entry?.state ?? {});
  if (registration.kind === 'known' && !registration.issued) {
    // An earlier invocation may have crashed between storing and queuing, or telling.
    if (isUntouched(entry?.state)) await tellOfRegistration(spec, ports, signal, entry?.arn);
    await queue.send([name], id, {}, signal);
    log.info('order requested again', { certificate: name, request: id });
  }
  return registration;
}

/** Tells of a new registration, or remembers that the event is owed. A second event of the same one has the
 *  same id. */
async function tellOfRegistration(
  { name, domains, source }: StoredSpec,
  ports: RegistrationPorts,
  signal: AbortSignal,
  known?: string,
): Promise<void> {
  if (!ports.putEvents || source === 'import') return;
  // Nothing about telling fails a registration.
  const arn = known ?? (await ports.store.describe(name, signal).catch(() => undefined))?.arn;
  const news = { certificate: name, arn, domains, at: ports.clock.now(), by: source };
  if ((await tell(announceRegistered(news), ports, signal)) !== 'lost') return;
  // `issue` puts it again.
  const owed = { kind: 'registered', at: news.at } as const;
  await changeOwed(name, (before) => addOwed(before, owed), ports, signal);
}

/** The answer for a name that is stored already: the same request as before, or taken. */
function compare(
  { spec: requested, withTargets }: SpecRequest,
  state: CertificateState,
): Awaited<ReturnType<RegisterSpec>> {
  const { name, domains } = requested;
  const taken = (message: string) => ({ kind: 'taken', name, message }) as const;
  const { source, names, targets } = stateOfSpec(requested);
  if (state.source !== source) {
    return takenName(name, `"${name}" is the AWS secret of a certificate from another source`);
  }
  if (state.names !== names) return taken(`"${name}" is registered for other domains`);
  // The targets in the inventory may have changed since. Only a request with targets of its own is compared.
  if (withTargets && state.targets !== targets) return taken(`"${name}" is registered with other targets`);
  return { kind: 'known', name, domains, issued: state.version !== undefined };
}

/** The answer for a name whose certificate is let go. A person may restore it; the sender may not. */
function takenUntil(
  name: string,
  until: Date | undefined,
): Extract<Registration, { readonly kind: 'taken' }> {
  const end = until ? `until ${until.toISOString()} at the latest` : 'for now';
  const message = `the name "${name}" is being given up and is taken ${end}; request another name, or ask the operator to restore it`;
  const owner = `its certificate is being let go; to keep it, run: ${invokeCommand('retire', { restore: [name] })}`;
  return { kind: 'taken', name, message, owner, ...(until ? { until } : {}) };
}

function takenName(name: string, owner: string): Extract<Registration, { readonly kind: 'taken' }> {
  return { kind: 'taken', name, message: `the name "${name}" is taken; request another name`, owner };
}

function takenDomains(name: string, taken: readonly TakenName[]): ReturnType<typeof takenName> {
  const listed = taken.slice(0, mostListed);
  const more = taken.length > mostListed ? ` and ${taken.length - mostListed} more` : '';
  const domains = listed.map(({ domain }) => domain).join(', ') + more;
  const message = `taken: ${domains}; request a certificate without them`;
  return {
    kind: 'taken',
    name,
    message,
    owner: listed.map(({ message: problem }) => problem).join('; ') + more,
  };
}

function hasTargets(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'targets' in body && body.targets !== null;
}
