// Says how a registration stands, and takes it back: by tags alone, and only what the webhook registered.
import type { Inventory } from '../certificate/spec.ts';
import { isLate } from '../policy/registration/taking-back.ts';
import { findRetirement, latestEnd } from '../policy/retirement/retirement.ts';
import type { Log } from '../ports/log.ts';
import type { IssueQueue } from '../ports/queues.ts';
import type { DescribeRegistration, TakeBack } from '../ports/registration.ts';
import type { RetirementStore } from '../ports/retirement.ts';
import type { CertificateStore } from '../ports/store.ts';

interface TakingBackPorts {
  readonly inventory: Inventory;
  readonly store: Pick<CertificateStore, 'describe' | 'record'>;
  readonly retirements: Pick<RetirementStore, 'findDeleted'>;
  readonly queue: IssueQueue;
  readonly log: Log;
}

/** A function that says how a name stands. */
export function createDescribeRegistration({
  inventory,
  store,
  retirements,
}: TakingBackPorts): DescribeRegistration {
  return async (name, signal) => {
    if (!inventory.registration) return { kind: 'closed' };
    const entry = await store.describe(name, signal);
    if (!entry) {
      const gone = await retirements.findDeleted(name, signal);
      return gone?.state.source === 'registration'
        ? { kind: 'gone', name, until: gone.until }
        : { kind: 'unknown', name };
    }
    const { state } = entry;
    if (state.source !== 'registration') return { kind: 'unknown', name };
    const retirement = findRetirement(entry, inventory);
    if (retirement) return { kind: 'leaving', name, until: latestEnd(retirement, state) };
    const { domains, version, notAfter } = state;
    const isKept = inventory.certificates.some((spec) => spec.name === name);
    const standing = { kind: 'registered', name, domains, issued: version !== undefined, notAfter } as const;
    return isKept ? { ...standing, isKept } : standing;
  };
}

/** A function that takes a registration back. A crash before `issue` is called loses nothing: its schedule
 *  finds the tag. */
export function createTakeBack(ports: TakingBackPorts): TakeBack {
  const { store, queue, log } = ports;
  const describeRegistration = createDescribeRegistration(ports);
  return async (name, { id, sentAt }, signal) => {
    const standing = await describeRegistration(name, signal);
    const keep = (reason: 'KeptByOperator' | 'SentTooEarly', message: string, problem = message) => {
      log.warn('registration kept', { certificate: name, request: id, problem });
      return { kind: 'kept', name, message, reason } as const;
    };
    if (standing.kind !== 'registered') return standing;
    if (standing.isKept) {
      const line = `the inventory has this certificate, too: remove the entry "- name: ${name}" from infra/certificates.yaml, and the sender may ask again`;
      return keep('KeptByOperator', 'the operator keeps this certificate; ask the operator', line);
    }
    const entry = await store.describe(name, signal);
    if (!entry) return describeRegistration(name, signal);
    if (isLate(entry, sentAt))
      return keep('SentTooEarly', 'this request was sent before the name was registered last');
    await store.record(name, { unregister: sentAt }, signal);
    log.info('registration taken back', { certificate: name, request: id });
    await queue.send([name], id, {}, signal);
    const until = latestEnd({ since: sentAt, revoke: false }, {});
    return { kind: 'leaving', name, until, isNew: true };
  };
}
