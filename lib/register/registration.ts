// Registers a certificate that somebody asked for: its specification is stored first, then issue is told.

import type { Inventory } from '../certificate/spec.ts';
import type { StoredSpec } from '../certificate/stored.ts';
import { parseRegistration } from '../inventory/registration.ts';
import {
  holderOfSpec,
  holdersInFile,
  NameBook,
  openSources,
  type TakenName,
} from '../policy/registration/name-holders.ts';
import type { Clock } from '../ports/clock.ts';
import { describeError } from '../ports/errors.ts';
import type { Log } from '../ports/log.ts';
import type { IssueQueue } from '../ports/queues.ts';
import type { Register, RegisterSpec, Registration } from '../ports/registration.ts';
import type { CertificateStore, StoreEntry } from '../ports/store.ts';
import { stateOfSpec } from '../state/describe.ts';
import type { CertificateState } from '../state/state.ts';

/** Domains that one answer names. */
const mostTold = 20;

interface RegistrationPorts {
  readonly inventory: Inventory;
  readonly store: CertificateStore;
  readonly queue: IssueQueue;
  readonly clock: Pick<Clock, 'timeout'>;
  readonly log: Log;
}

/** Registers what requests ask for, against one inventory. */
export function createRegister(ports: RegistrationPorts): Register {
  const { inventory } = ports;
  return async (body, id, signal) => {
    if (!inventory.registration) return { kind: 'closed' };
    const parsed = parseRegistration(body, inventory);
    if ('problems' in parsed) return { kind: 'refused', problems: parsed.problems };
    const { spec } = parsed;
    const registration = await keepSpec({ spec, withTargets: asksForTargets(body), id }, ports, signal);
    if (registration.kind === 'taken') {
      const { name, message, owner = message } = registration;
      ports.log.warn('registration refused', { certificate: name, request: id, problem: owner });
    }
    return registration;
  };
}

/** Registers specifications that have been checked, whose targets follow from their names. */
export function createRegisterSpec(ports: RegistrationPorts): RegisterSpec {
  return (spec, id, signal) => keepSpec({ spec, withTargets: false, id }, ports, signal);
}

/** How long a sender waits for the look at others' names: issue decides before it orders, whatever was answered. */
const longestLookMs = 4_000;

/** Names of a new specification that somebody else has. Others are looked for only where another source could ask for them. */
async function findTaken(
  spec: StoredSpec,
  { inventory, store, clock, log }: RegistrationPorts,
  signal: AbortSignal,
): Promise<readonly TakenName[]> {
  const asking = holderOfSpec(spec);
  const listOthers = async (): Promise<readonly StoreEntry[]> => {
    try {
      return await store.list(AbortSignal.any([signal, clock.timeout(longestLookMs)]), [
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
  const others = sources.mayBeShared(asking) ? await listOthers() : [];
  const book = new NameBook(holdersInFile(inventory));
  for (const entry of others) {
    const holder = sources.holderOf(entry);
    if (holder) book.add(holder);
  }
  return book.findTaken(asking);
}

/** What is requested. `withTargets`: the sender asks for targets of its own. */
interface SpecRequest {
  readonly spec: StoredSpec;
  readonly withTargets: boolean;
}

/** A crash between storing and telling issue loses nothing: the schedule finds the specification, and the same request sent
 *  again tells issue again. */
async function keepSpec(
  request: SpecRequest & { readonly id: string },
  ports: RegistrationPorts,
  signal: AbortSignal,
): ReturnType<RegisterSpec> {
  const { inventory, store, queue, log } = ports;
  const { spec, id } = request;
  const { name, domains } = spec;
  if (inventory.certificates.some((certificate) => certificate.name === name)) {
    return takenName(name, `"${name}" is a certificate of the inventory file`);
  }

  // Looking first: a request that is sent again makes no call that could write. Tags tell enough: a value may hold a
  // private key, which nothing behind a public endpoint needs to see.
  let entry = await store.describe(name, signal);
  if (!entry) {
    // Discovery has looked by itself, once for all that it found.
    const taken = spec.source === 'registration' ? await findTaken(spec, ports, signal) : [];
    if (taken.length > 0) return takenDomains(name, taken);
    if ((await store.create(name, spec, signal)) === 'created') {
      await queue.send([name], id, {}, signal);
      log.info('certificate registered', { certificate: name, names: domains, request: id });
      return { kind: 'accepted', name, domains };
    }
    // Another request was faster.
    entry = await store.describe(name, signal);
  }
  const registration = compare(request, entry?.state ?? {});
  if (registration.kind === 'known' && !registration.issued) {
    // A crash may have come between storing and telling.
    await queue.send([name], id, {}, signal);
    log.info('order requested again', { certificate: name, request: id });
  }
  return registration;
}

/** What a request means for a name that is there already. */
function compare(
  { spec: asked, withTargets }: SpecRequest,
  state: CertificateState,
): Awaited<ReturnType<RegisterSpec>> {
  const { name, domains } = asked;
  const taken = (message: string) => ({ kind: 'taken', name, message }) as const;
  const { source, names, targets } = stateOfSpec(asked);
  if (state.source !== source) {
    return takenName(name, `"${name}" is the AWS secret of a certificate that was not registered here`);
  }
  if (state.names !== names) return taken(`"${name}" is registered for other domains`);
  // The inventory's targets may have changed since; only somebody who asks for his own asks for a change.
  if (withTargets && state.targets !== targets) return taken(`"${name}" is registered with other targets`);
  return { kind: 'known', name, domains, issued: state.version !== undefined };
}

function takenName(name: string, owner: string): Extract<Registration, { readonly kind: 'taken' }> {
  return { kind: 'taken', name, message: `the name "${name}" is taken; ask under another`, owner };
}

function takenDomains(name: string, taken: readonly TakenName[]): ReturnType<typeof takenName> {
  const some = taken.slice(0, mostTold);
  const more = taken.length > mostTold ? ` and ${taken.length - mostTold} more` : '';
  const domains = some.map(({ domain }) => domain).join(', ') + more;
  const message = `taken: ${domains}; ask for a certificate without`;
  return { kind: 'taken', name, message, owner: some.map((one) => one.message).join('; ') + more };
}

function asksForTargets(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'targets' in body && body.targets !== null;
}
