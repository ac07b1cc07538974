// Lists of a namespace's objects, however many pages they take, and answers that are what the API documents.
import * as z from 'zod';
import { ClusterError, type ClusterErrorCode } from '../../ports/cluster.ts';
import { mostPageBytes } from './answer.ts';
import type { CallOptions, Connection } from './connection.ts';
import { type CallSubject, describeCall } from './failure.ts';

/** One page that is asked for. */
export interface PageRequest {
  readonly namespace: string;
  readonly limit: number;
  readonly _continue?: string;
}

/** Asks for one page by the client. */
export type RequestPage = (request: PageRequest, options: CallOptions) => Promise<unknown>;

/** Objects a page: lists of large namespaces come in parts. */
const pageSize = 500;

/** A list that does not end by then does not end. */
const mostPages = 200;

/** Lists that expired under way, as they do after some minutes, are begun anew so often. */
const mostRestarts = 2;

/** The name of an object, which goes into messages and calls. */
export const objectName = z
  .string()
  .max(253)
  .regex(/^[^\p{Cc}\s/]+$/u);

const listFields = z.object({
  metadata: z.object({ continue: z.string().max(8192).optional() }).default({}),
  items: z.array(z.unknown()).default([]),
});

/** One list: the connection, what is listed, and the signal that ends it. */
export interface ListCall {
  readonly connection: Connection;
  readonly subject: CallSubject;
  readonly signal: AbortSignal;
}

/** What `read` makes of each object that the pages hold, in their order; an object that it gives `undefined` for is left out.
 *  A page that is too large is asked for again with a tenth of its objects.
 *  @throws ClusterError, `TooLarge` where one object is, or the list has no end. */
export async function listAll<T>(
  { connection, subject, signal }: ListCall,
  requestPage: RequestPage,
  read: (item: unknown) => T | undefined,
): Promise<readonly T[]> {
  let limit = pageSize;
  for (let restarts = 0; ; restarts += 1) {
    try {
      return await listOnce();
    } catch (error) {
      if (!isCode(error, 'Expired') || restarts === mostRestarts) throw error;
    }
  }

  async function listOnce(): Promise<readonly T[]> {
    const found: T[] = [];
    const begun = new Set<string>();
    let weight = 0;
    let next: string | undefined;
    for (let number = 0; number < mostPages; number += 1) {
      const page = await readPage(next);
      for (const one of page.found) found.push(one);
      weight += page.weight;
      connection.keep(subject, weight);
      next = page.next;
      if (next === undefined) return found;
      if (begun.has(next)) throw endless(subject, 'the server continues the list where it has been already');
      begun.add(next);
    }
    throw endless(subject, `the list does not end after ${mostPages} pages`);
  }

  /** By itself, because what a function holds is kept for as long as it waits: a page goes before the next one is asked for. */
  async function readPage(from: string | undefined) {
    const { items, metadata } = parseAnswer(listFields, await ask(from), subject);
    const found = items.map(read).filter((one) => one !== undefined);
    return { found, weight: weigh(found), next: metadata.continue || undefined };
  }

  async function ask(next: string | undefined): Promise<unknown> {
    const settings = { signal, mostBytes: mostPageBytes };
    for (;;) {
      const request = { namespace: subject.namespace, limit, ...(next ? { _continue: next } : {}) };
      try {
        return await connection.call(subject, settings, (options) => requestPage(request, options));
      } catch (error) {
        if (!isCode(error, 'TooLarge') || limit === 1) throw error;
        limit = Math.max(1, Math.floor(limit / 10));
      }
    }
  }
}

/** As `listAll`, of objects that are as `item` says; `undefined` where the subject is optional and the cluster does not know
 *  it. @throws ClusterError, `Malformed` where one of them is not so. */
export async function listParsed<T, R>(
  call: ListCall,
  [item, reduce]: readonly [item: z.ZodType<T>, reduce: (item: T) => R],
  requestPage: RequestPage,
): Promise<readonly R[] | undefined> {
  const { subject } = call;
  try {
    return await listAll(call, requestPage, (one) => reduce(parseAnswer(item, one, subject)));
  } catch (error) {
    if (subject.isOptional && isCode(error, 'NotFound')) return undefined;
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
  const path = result.error.issues[0]?.path.slice(0, 8).join('.') ?? '';
  const where = path.slice(0, 100).replace(/\p{Cc}/gu, ' ');
  throw new ClusterError(
    'Malformed',
    `cluster ${cluster}: the answer for ${resource} in ${namespace} is not what the API documents (${where})`,
  );
}

function endless(subject: CallSubject, problem: string): ClusterError {
  return new ClusterError('TooLarge', `${describeCall(subject)}: ${problem}`);
}

function isCode(error: unknown, code: ClusterErrorCode): boolean {
  return error instanceof ClusterError && error.code === code;
}

/** About the bytes that it takes in memory. */
function weigh(value: unknown): number {
  if (typeof value === 'string') return 24 + value.length;
  if (typeof value !== 'object' || value === null) return 8;
  let sum = 32;
  for (const [key, field] of Object.entries(value)) sum += key.length + weigh(field);
  return sum;
}
