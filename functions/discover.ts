// Finds Kubernetes objects that ask for certificates, and registers them. Called by hand, and by a schedule
// if one is set.
import { type DiscoverReport, discoverCertificates } from '../lib/discover/discover.ts';
import { mostAnswerBytes, takeFitting } from '../lib/policy/bounds.ts';
import { createRegisterSpec } from '../lib/register/registration.ts';
import { parseDiscoverEvent } from '../lib/requests/requests.ts';
import { defineFunction } from './runtime/define-function.ts';
import { recordPassEnd } from './runtime/pass-end.ts';
import { connectDirectories } from './wiring/clusters.ts';
import { connectEvents } from './wiring/event-bus.ts';
import { openIssueQueue } from './wiring/issue-queue.ts';
import { openSecrets } from './wiring/secrets.ts';

type Lists = Omit<DiscoverReport, 'specs' | 'failures'>;

/** Answer to a call. */
export interface DiscoverAnswer extends Lists {
  readonly dryRun: boolean;
  /** How many more entries the lists have, if the answer has no room for all. */
  readonly omitted?: number;
  /** Dry run only: the certificates that would be registered, as YAML for the inventory. */
  readonly inventory?: string;
}

/** @throws AggregateError if a cluster could not be read or a certificate not be registered, after all were
 *  tried. */
export const handler = defineFunction({
  name: 'discover',
  parse: parseDiscoverEvent,
  connect(invocation, closing) {
    const { settings, inventory, clock, log } = invocation;
    const queue = openIssueQueue(settings, 'certificates that are found');
    closing.push(queue.close);
    const { certificates: store, retirements, operations, readText } = openSecrets(invocation, closing);
    const connect = connectDirectories(invocation, { readText });
    const putEvents = connectEvents(settings, closing);
    const register = createRegisterSpec({ inventory, store, retirements, queue, clock, log, putEvents });
    return { connect, store, operations, register, clock, log };
  },
  async run({ dryRun = false }, ports, own) {
    const { id, inventory, signal } = own;
    const report = await discoverCertificates(ports, { id, inventory, dryRun, signal });
    if (!dryRun) await recordPassEnd('discover', ports.operations, own);
    const { specs, failures, ...lists } = report;
    const yaml = dryRun ? { inventory: await describeSpecs(specs) } : {};
    const answer: DiscoverAnswer = { dryRun, ...boundLists(lists), ...yaml };
    return { answer, failures };
  },
});

async function describeSpecs(specs: DiscoverReport['specs']): Promise<string> {
  const { serializeCertificates } = await import('../lib/inventory/inventory.ts');
  return serializeCertificates(takeFitting(specs, mostAnswerBytes * 0.2));
}

function boundLists(lists: Lists): Lists & Pick<DiscoverAnswer, 'omitted'> {
  const certificates = takeFitting(lists.certificates, mostAnswerBytes * 0.4);
  const passedOver = takeFitting(lists.passedOver, mostAnswerBytes * 0.2);
  const noLongerAsked = takeFitting(lists.noLongerAsked, mostAnswerBytes * 0.05);
  const gone = takeFitting(lists.gone, mostAnswerBytes * 0.1);
  const bounded = { certificates, passedOver, noLongerAsked, gone };
  const count = (of: Lists) => Object.values(of).reduce((sum, list) => sum + list.length, 0);
  const omitted = count(lists) - count(bounded);
  return { ...bounded, ...(omitted > 0 ? { omitted } : {}) };
}
