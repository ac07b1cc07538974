// Finds objects in clusters that ask for certificates. Called by hand, and by a schedule where one is asked for.

import { randomUUID } from 'node:crypto';
import { connectSecretsManager } from '../lib/adapters/secrets-manager/connection.ts';
import { connectIssueQueue } from '../lib/adapters/sqs/issue-queue.ts';
import { type DiscoverReport, discoverCertificates } from '../lib/discover/discover.ts';
import { mostAnswerBytes, takeFitting } from '../lib/policy/bounds.ts';
import { ConfigError } from '../lib/ports/errors.ts';
import type { IssueQueue } from '../lib/ports/queues.ts';
import { createRegisterSpec } from '../lib/register/registration.ts';
import { parseDiscoverEvent } from '../lib/requests/requests.ts';
import { beginInvocation, type Context, throwFailures } from './runtime/invocation.ts';
import { connectDirectories } from './wiring/clusters.ts';

/** What a call answers with. */
export interface DiscoverAnswer extends Omit<DiscoverReport, 'specs' | 'failures'> {
  readonly dryRun: boolean;
  /** How many more entries the lists have, where they are too many for an answer. */
  readonly omitted?: number;
  /** Of a dry run: YAML of the certificates that would be registered, as they would stand in the inventory. */
  readonly inventory?: string;
}

/** @throws AggregateError once all is tried where a cluster could not be read or a certificate not be registered. */
export async function handler(event: unknown, context: Context): Promise<DiscoverAnswer> {
  const { dryRun = false } = parseDiscoverEvent(event);
  const invocation = await beginInvocation(context);
  const { id, settings, inventory, log, signal } = invocation;
  const secrets = connectSecretsManager({ prefix: settings.prefix, uuid: randomUUID });
  const queue = openQueue(settings.issueQueueUrl);
  try {
    const connect = connectDirectories(invocation, secrets);
    const { certificates: store } = secrets;
    const register = createRegisterSpec({ inventory, store, queue, log });
    const report = await discoverCertificates(
      { connect, register, store, log },
      { id, inventory, dryRun, signal },
    );
    const { specs, failures, ...lists } = report;
    throwFailures(failures, 'clusters and certificates');
    const answer = boundLists(lists);
    if (!dryRun) return { dryRun, ...answer };
    const { serializeCertificates } = await import('../lib/inventory/inventory.ts');
    const fitting = takeFitting(specs, mostAnswerBytes * 0.2);
    return { dryRun, ...answer, inventory: serializeCertificates(fitting) };
  } finally {
    queue.close();
    secrets.close();
  }
}

function boundLists({ certificates, passedOver, noLongerAsked }: Omit<DiscoverReport, 'specs' | 'failures'>) {
  const bounded = {
    certificates: takeFitting(certificates, mostAnswerBytes * 0.4),
    passedOver: takeFitting(passedOver, mostAnswerBytes * 0.2),
    noLongerAsked: takeFitting(noLongerAsked, mostAnswerBytes * 0.1),
  };
  const all = certificates.length + passedOver.length + noLongerAsked.length;
  const told = bounded.certificates.length + bounded.passedOver.length + bounded.noLongerAsked.length;
  return { ...bounded, ...(all > told ? { omitted: all - told } : {}) };
}

function openQueue(url: string | undefined): IssueQueue & { close(): void } {
  if (url !== undefined) return connectIssueQueue({ url });
  const message = 'CERTRELAY_ISSUE_QUEUE_URL must be set: what is found is told to issue by it';
  throw new ConfigError('Settings', message);
}
