// Puts a request of a person on the queue of the function that was called, so that the call answers at once.
import { mapConcurrently } from '../../lib/async/map-concurrently.ts';
import { nameSome } from '../../lib/policy/bounds.ts';
import { ConfigError } from '../../lib/ports/errors.ts';
import type { RequestQueue } from '../../lib/ports/queues.ts';
import type { CertificateStore } from '../../lib/ports/store.ts';
import { createRefusal } from '../../lib/requests/unknown.ts';
import type { Closing, Outcome } from '../runtime/define-function.ts';
import type { Invocation } from '../runtime/invocation.ts';
import { openLazily } from './lazily.ts';

/** Opens no connection before the first request; `closing` ends it. @param url `undefined`: the first
 *  request throws ConfigError `Settings`, which names `variable`. */
export function openRequestQueue(url: string | undefined, variable: string, closing: Closing): RequestQueue {
  const open = openLazily(async () => {
    if (url === undefined)
      throw new ConfigError('Settings', `${variable} must be set: "enqueue" puts requests on that queue`);
    const { connectRequestQueue } = await import('../../lib/adapters/sqs/request-queue.ts');
    return connectRequestQueue({ url });
  }, closing);
  return { send: async (...message) => (await open()).send(...message) };
}

/** What a request needs to be put on a queue. */
export interface EnqueuePorts {
  readonly requests: RequestQueue;
  readonly store: Pick<CertificateStore, 'describe' | 'list'>;
}

/** Puts the request on the queue and answers one sentence. Certificates that nobody knows are failures, and
 *  then nothing is put there: a message for them would never succeed. */
export async function enqueueRequest(
  request: { readonly certificates?: readonly string[] | undefined; readonly enqueue?: boolean | undefined },
  { requests, store }: EnqueuePorts,
  name: 'issue' | 'deploy',
  { id, inventory, signal }: Pick<Invocation, 'id' | 'inventory' | 'signal'>,
): Promise<Outcome<string>> {
  const { enqueue: _, ...event } = request;
  const inFile = new Set(inventory.certificates.map((spec) => spec.name));
  const refuse = createRefusal({ inventory, store, signal });
  const refused = await mapConcurrently(request.certificates ?? [], 4, async (certificate) => {
    const isKnown = inFile.has(certificate) || (await store.describe(certificate, signal));
    return isKnown ? [] : [await refuse(certificate)];
  });
  const failures = refused.flat();
  if (failures.length > 0) return { answer: '', failures };
  await requests.send(event, id, signal);
  const what = request.certificates ? nameSome(request.certificates) : 'everything';
  return { answer: `${name} has the request for ${what} and begins within seconds; look again in a minute.` };
}
