// Lists the objects in a namespace page by page, and parses responses of the Kubernetes API.
import * as z from 'zod';
import { ClusterError, type ClusterErrorCode } from '../../ports/cluster.ts';
import type { CallOptions, Connection } from './connection.ts';
import { type CallSubject, describeCall } from './failure.ts';
import { mostPageBytes } from './response-body.ts';

/** The parameters of a request for one page, as the client takes them. */
export interface PageRequest {
  readonly namespace: string;
  readonly limit: number;
  readonly _continue?: string;
}

/** Requests one page through the client. */
export type RequestPage = (request: PageRequest, options: CallOptions) => Promise<unknown>;

/** Objects in a page. */
const pageSize = 500;

/** Most pages of one list. A longer list is taken for an endless one. */
const mostPages = 200;

/** How often a list that expired between two pages is started again. Servers keep a list for some minutes. */
const mostRestarts = 2;

/** Schema of an object's name, which is used in messages and in paths of later calls. */
export const objectName = z
  .string()
  .max(253)
  .regex(/^[^\p{Cc}\s/]+$/u);

const listFields = z.object({
  metadata: z.object({ continue: z.string().max(8192).optional() }).default({}),
  items: z.array(z.unknown()).default([]),
});

/** What a list call needs. */
export interface ListCall {
  readonly connection: Connection;
  /** The resource to list. */
  readonly subject: CallSubject;
  readonly signal: AbortSignal;
}

/** Reads all pages of a list and returns the results of `read` for each object, in the server's order. An
 *  object for which `read` returns `undefined` is left out. A page that is too large is requested again with
 *  a tenth of its objects.
 *  @throws ClusterError as `Connection.call`; `TooLarge` if one object is too large, or the list does not
 *  end. */
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
    const results: T[] = [];
    const tokens = new Set<string>();
    let weight = 0;
    let next: string | undefined;
    for (let number = 0; number < mostPages; number += 1) {
      const page = await readPage(next);
      for (const result of page.results) results.push(result);
      weight += page.weight;
      connection.keep(subject, weight);
      next = page.next;
      if (next === undefined) return results;
      if (tokens.has(next))
        throw endless(subject, 'the server continues the list at a page that it sent before');
      tokens.add(next);
    }
    throw endless(subject, `the list does not end after ${mostPages} pages`);
  }

  /** A function of its own, so that a page is freed from memory before the next one is requested. */
  async function readPage(from: string | undefined) {
    const { items, metadata } = parseResponse(listFields, await request(from), subject);
    const results = items.map(read).filter((result) => result !== undefined);
    return { results, weight: weigh(results), next: metadata.continue || undefined };
  }

  async function request(next: string | undefined): Promise<unknown> {
    const settings = { signal, mostBytes: mostPageBytes };
    for (;;) {
      const page = { namespace: subject.namespace, limit, ...(next ? { _continue: next } : {}) };
      try {
        return await connection.call(subject, settings, (options) => requestPage(page, options));
      } catch (error) {
        if (!isCode(error, 'TooLarge') || limit === 1) throw error;
        limit = Math.max(1, Math.floor(limit / 10));
      }
    }
  }
}

/** As `listAll`, for objects that the schema `item` parses and `reduce` shortens. `undefined` if the subject
 *  is optional and the cluster does not have the kind.
 *  @throws ClusterError as `listAll`; `Malformed` if an object does not match the schema. */
export async function listParsed<T, R>(
  call: ListCall,
  [item, reduce]: readonly [item: z.ZodType<T>, reduce: (item: T) => R],
  requestPage: RequestPage,
): Promise<readonly R[] | undefined> {
  const { subject } = call;
  try {
    return await listAll(call, requestPage, (object) => reduce(parseResponse(item, object, subject)));
  } catch (error) {
    if (subject.isOptional && isCode(error, 'NotFound')) return undefined;
    throw error;
  }
}

/** The response parsed by a schema.
 *  @throws ClusterError `Malformed`; the message names the first field that does not match, not its value. */
export function parseResponse<T>(
  schema: z.ZodType<T>,
  response: unknown,
  { cluster, resource, namespace }: CallSubject,
): T {
  const result = schema.safeParse(response);
  if (result.success) return result.data;
  const path = result.error.issues[0]?.path.slice(0, 8).join('.') ?? '';
  const field = path.slice(0, 100).replace(/\p{Cc}/gu, ' ');
  throw new ClusterError(
    'Malformed',
    `cluster ${cluster}: the answer for ${resource} in ${namespace} is not what the API documents (${field})`,
  );
}

function endless(subject: CallSubject, problem: string): ClusterError {
  return new ClusterError('TooLarge', `${describeCall(subject)}: ${problem}`);
}

function isCode(error: unknown, code: ClusterErrorCode): boolean {
  return error instanceof ClusterError && error.code === code;
}

/** An estimate of the memory that a value takes, in bytes. */
function weigh(value: unknown): number {
  if (typeof value === 'string') return 24 + value.length;
  if (typeof value !== 'object' || value === null) return 8;
  let sum = 32;
  for (const [key, field] of Object.entries(value)) sum += key.length + weigh(field);
  return sum;
}
