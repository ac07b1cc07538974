// EventBridge for the sandbox: what Secrets Manager tells it, matched against rules, goes to queues.
import { randomUUID } from 'node:crypto';
import type { Journal } from './journal.ts';
import type { LabelEvent } from './secrets-manager/server.ts';
import type { Queue } from './sqs/queue.ts';

/** An event pattern as a rule holds it: a list says which values match, `{ prefix }` among them. */
export interface EventPattern {
  readonly [field: string]: EventPattern | readonly (string | { readonly prefix: string })[];
}

export interface Rule {
  readonly pattern: EventPattern;
  /** Gets the whole event as message body. */
  readonly queue: Queue;
}

/** Gives what Secrets Manager calls for each label that moves. */
export function createEventBus(rules: readonly Rule[], journal: Journal): (event: LabelEvent) => void {
  return (label) => {
    const event = describeLabel(label);
    for (const { pattern, queue } of rules) {
      if (matchesPattern(pattern, event)) void deliver(queue, JSON.stringify(event), journal);
    }
  };
}

/** The pattern's documented meaning: every field it names must be there and match; fields it does not name do
 *  not count.
 *  @throws Error for an operator that the sandbox does not know. */
export function matchesPattern(pattern: EventPattern, event: unknown): boolean {
  return Object.entries(pattern).every(([field, wanted]) => {
    const value: unknown =
      typeof event === 'object' && event !== null
        ? Object.getOwnPropertyDescriptor(event, field)?.value
        : undefined;
    if (!isList(wanted)) return matchesPattern(wanted, value);
    return wanted.some((option) => {
      if (typeof option === 'string') return option === value;
      if (Object.keys(option).join() !== 'prefix')
        throw new Error(`the sandbox's EventBridge does not know ${JSON.stringify(option)}`);
      return typeof value === 'string' && value.startsWith(option.prefix);
    });
  });
}

async function deliver(queue: Queue, body: string, journal: Journal): Promise<void> {
  const principal = 'events.amazonaws.com';
  const call = await journal.begin({ service: 'sqs', action: 'SendMessage', resource: queue.arn, principal });
  queue.send(body);
  await journal.end(call, 200);
}

function describeLabel({ name, arn, labelUpdated, versionId }: LabelEvent): object {
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': 'Secret Label Updated',
    source: 'aws.secretsmanager',
    account: '123456789012',
    time: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
    region: 'eu-central-1',
    resources: [arn],
    detail: { name, labelUpdated, versionId },
  };
}

function isList<T>(value: EventPattern | readonly T[]): value is readonly T[] {
  return Array.isArray(value);
}
