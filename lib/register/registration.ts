// Registers a certificate that somebody asked for: its specification is stored first, then issue is told.

import type { Inventory } from '../certificate/spec.ts';
import type { StoredSpec } from '../certificate/stored.ts';
import { parseRegistration } from '../inventory/registration.ts';
import type { Log } from '../log.ts';
import type { CertificateState } from '../policy/state.ts';
import { stateOfSpec } from '../policy/state-of.ts';
import type { CertificateStore, IssueQueue, Register, RegisterSpec } from '../ports.ts';

interface RegistrationPorts {
  readonly inventory: Inventory;
  readonly store: CertificateStore;
  readonly queue: IssueQueue;
  readonly log: Log;
}

/** Registers what requests ask for, against one inventory. */
export function createRegister(ports: RegistrationPorts): Register {
  const { inventory } = ports;
  return async (body, id, signal) => {
    if (!inventory.registration) return { kind: 'closed' };
    const parsed = parseRegistration(body, inventory);
    if ('problems' in parsed) return { kind: 'refused', problems: parsed.problems };
    return keepSpec(parsed.spec, asksForTargets(body), ports, id, signal);
  };
}

/** Registers specifications that have been checked, whose targets follow from their names. */
export function createRegisterSpec(ports: RegistrationPorts): RegisterSpec {
  return (spec, id, signal) => keepSpec(spec, false, ports, id, signal);
}

/** A crash between storing and telling issue loses nothing: the schedule finds the specification, and the same request sent
 *  again tells issue again. */
async function keepSpec(
  spec: StoredSpec,
  withTargets: boolean,
  { inventory, store, queue, log }: RegistrationPorts,
  id: string,
  signal: AbortSignal,
): ReturnType<RegisterSpec> {
  const { name, domains } = spec;
  if (inventory.certificates.some((certificate) => certificate.name === name)) {
    return { kind: 'taken', name, message: `"${name}" is a certificate of the inventory file` };
  }

  // Looking first: a request that is sent again makes no call that could write. Tags tell enough: a value may hold a
  // private key, which nothing behind a public endpoint needs to see.
  let entry = await store.describe(name, signal);
  if (!entry) {
    if ((await store.create(name, spec, signal)) === 'created') {
      await queue.send([name], id, {}, signal);
      log.info('certificate registered', { certificate: name, names: domains, request: id });
      return { kind: 'accepted', name, domains };
    }
    // Another request was faster.
    entry = await store.describe(name, signal);
  }
  const registration = compare(spec, withTargets, entry?.state ?? {});
  if (registration.kind === 'known' && !registration.issued) {
    // A crash may have come between storing and telling.
    await queue.send([name], id, {}, signal);
    log.info('order requested again', { certificate: name, request: id });
  }
  return registration;
}

/** What a request means for a name that is there already. */
function compare(
  asked: StoredSpec,
  withTargets: boolean,
  state: CertificateState,
): Awaited<ReturnType<RegisterSpec>> {
  const { name, domains } = asked;
  const taken = (message: string) => ({ kind: 'taken', name, message }) as const;
  const { source, names, targets } = stateOfSpec(asked);
  if (state.source !== source) {
    return taken(`"${name}" is the AWS secret of a certificate that was not registered here`);
  }
  if (state.names !== names) return taken(`"${name}" is registered for other domains`);
  // The inventory's targets may have changed since; only somebody who asks for his own asks for a change.
  if (withTargets && state.targets !== targets) return taken(`"${name}" is registered with other targets`);
  return { kind: 'known', name, domains, issued: state.version !== undefined };
}

function asksForTargets(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'targets' in body && body.targets !== null;
}
