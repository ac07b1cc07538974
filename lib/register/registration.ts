// Registers a certificate that somebody asked for: its specification is stored first, then issue is told.
import { parseRegistration } from '../certificate/registration.ts';
import type { CertificateSpec, Inventory } from '../certificate/spec.ts';
import type { StoredSpec } from '../certificate/stored.ts';
import type { Log } from '../log.ts';
import type { CertificateStore, IssueQueue, Register, Registration, StoredValue } from '../ports.ts';

interface RegistrationPorts {
  readonly inventory: Inventory;
  readonly store: CertificateStore;
  readonly queue: IssueQueue;
  readonly log: Log;
}

/** Registers against one inventory. A crash between storing and telling issue loses nothing: the schedule finds the
 *  specification, and the same request sent again tells issue again. */
export function createRegister(ports: RegistrationPorts): Register {
  const { inventory, store, queue, log } = ports;
  return async (body, id, signal) => {
    if (!inventory.registration) return { kind: 'closed' };
    const parsed = parseRegistration(body, inventory);
    if ('problems' in parsed) return { kind: 'refused', problems: parsed.problems };
    const { spec } = parsed;
    const { name, domains } = spec;
    if (inventory.certificates.some((certificate) => certificate.name === name)) {
      return { kind: 'taken', name, message: `"${name}" is a certificate of the inventory file` };
    }

    // Reading first: a request that is sent again makes no call that could write.
    let stored = await store.read(name, 'AWSCURRENT', signal);
    if (!stored) {
      if ((await store.create(name, spec, signal)) === 'created') {
        await queue.send([name], id, {}, signal);
        log.info('certificate registered', { certificate: name, names: domains, request: id });
        return { kind: 'accepted', name, domains };
      }
      // Another request was faster.
      stored = await store.read(name, 'AWSCURRENT', signal);
    }
    const registration = compare(spec, asksForTargets(body), stored?.value);
    if (registration.kind === 'known' && !registration.issued) {
      // A crash may have come between storing and telling.
      await queue.send([name], id, {}, signal);
      log.info('order requested again', { certificate: name, request: id });
    }
    return registration;
  };
}

/** What a request means for a name that is there already. */
function compare(asked: StoredSpec, withTargets: boolean, value: StoredValue | undefined): Registration {
  const { name, domains } = asked;
  const taken = (message: string): Registration => ({ kind: 'taken', name, message });
  const spec = specOf(value);
  if (!spec) return taken(`"${name}" is the AWS secret of a certificate that was not registered here`);
  if (!equalSets(domains, spec.domains)) {
    return taken(`"${name}" is registered for other domains: ${spec.domains.join(', ')}`);
  }
  // The inventory's targets may have changed since; only somebody who asks for his own asks for a change.
  if (withTargets && !equalSets(asked.targets.map(describeTarget), spec.targets.map(describeTarget))) {
    return taken(`"${name}" is registered with other targets`);
  }
  return { kind: 'known', name, domains: spec.domains, issued: value?.kind === 'certificate' };
}

function specOf(value: StoredValue | undefined): StoredSpec | undefined {
  switch (value?.kind) {
    case 'specification':
      return value.spec;
    case 'certificate':
      return value.certificate.spec;
    case 'pending':
    case 'unparsable':
    case undefined:
      return undefined;
  }
}

function asksForTargets(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'targets' in body;
}

function describeTarget(target: CertificateSpec['targets'][number]): string {
  const { cluster, namespace, secret, format, restart, restartStrategy, adopt, replace } = target;
  return JSON.stringify([cluster, namespace, secret, format, restart, restartStrategy, adopt, replace]);
}

function equalSets(a: readonly string[], b: readonly string[]): boolean {
  const [left, right] = [new Set(a), new Set(b)];
  return left.size === right.size && [...left].every((item) => right.has(item));
}
