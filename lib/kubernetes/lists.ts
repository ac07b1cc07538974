// Lists of a namespace's objects, however many pages they take, and answers that are what the API documents.
import * as z from 'zod';
import { ClusterError } from '../errors.ts';
import type { CallOptions, Connection } from './connection.ts';
import type { CallSubject } from './failure.ts';

/** One page that is asked for. */
export interface PageRequest {
  readonly namespace: string;
  readonly limit: number;
  readonly _continue?: string;
}

/** Objects a page: lists of large namespaces come in parts. */
const pageSize = 500;

// The client writes `_continue` where it knows the kind, and leaves `continue` as it is where it does not.
const listFields = z.object({
  metadata: z.object({ _continue: z.string().optional(), continue: z.string().optional() }).default({}),
  items: z.array(z.unknown()),
});

/** Every object that the pages hold, not parsed yet. @throws ClusterError */
export async function listAll(
  connection: Connection,
  subject: CallSubject,
  signal: AbortSignal,
  askPage: (request: PageRequest, options: CallOptions) => Promise<unknown>,
): Promise<readonly unknown[]> {
  const found: unknown[] = [];
  let request: PageRequest = { namespace: subject.namespace, limit: pageSize };
  for (;;) {
    const answer = await connection.call(subject, { signal }, (options) => askPage(request, options));
    const { items, metadata } = parseAnswer(listFields, answer, subject);
    found.push(...items);
    const _continue = metadata._continue || metadata.continue;
    if (!_continue) return found;
    request = { ...request, _continue };
  }
}

/** Every object that the pages hold; `undefined` where the subject is optional and the cluster does not know it.
 *  @throws ClusterError, `Malformed` where one of them is not as `item` says. */
export async function listParsed<T>(
  connection: Connection,
  subject: CallSubject,
  item: z.ZodType<T>,
  signal: AbortSignal,
  askPage: Parameters<typeof listAll>[3],
): Promise<readonly T[] | undefined> {
  try {
    const items = await listAll(connection, subject, signal, askPage);
    return items.map((one) => parseAnswer(item, one, subject));
  } catch (error) {
    if (subject.isOptional && error instanceof ClusterError && error.code === 'NotFound') return undefined;
    throw error;
  }
}

/** The answer as the schema has it. @throws ClusterError `Malformed` */
export function parseAnswer<T>(
  schema: z.ZodType<T>,
  answer: unknown,
  { cluster, resource, namespace }: CallSubject,
): T {
  const result = schema.safeParse(answer);
  if (result.success) return result.data;
  const where = result.error.issues[0]?.path.join('.') ?? '';
  throw new ClusterError(
    'Malformed',
    `cluster ${cluster}: the answer for ${resource} in ${namespace} is not what the API documents (${where})`,
  );
}
