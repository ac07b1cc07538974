// How handlers of the CA read payloads and answer.
import type * as z from 'zod';
import type { Answer } from '../http-server.ts';
import { malformed } from './problem.ts';

/** An answer before the nonce and the index link are put on. */
export type Reply = Answer;

/** A JSON answer. */
export function json(status: number, body: unknown, headers: Answer['headers'] = {}): Reply {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
}

/** @throws Problem `malformed` naming the members that are wrong */
export function parsePayload<T>(schema: z.ZodType<T>, payload: Buffer): T {
  let value: unknown;
  try {
    value = JSON.parse(payload.toString('utf8'));
  } catch {
    throw malformed('the payload is not JSON');
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw malformed(parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '));
}

/** RFC 8555 §6.3: a resource is read by a POST whose payload is empty.
 *  @throws Problem `malformed` */
export function expectEmpty(payload: Buffer): void {
  if (payload.length > 0) throw malformed('a POST-as-GET has an empty payload');
}
