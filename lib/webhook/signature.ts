// Standard Webhooks signatures (standardwebhooks.com): who sent a request, and when.
import { createHash, timingSafeEqual } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import type { HttpRequest } from './http.ts';

/** How far a request's timestamp may be from our clock, either way; what the specification's libraries take. */
const toleranceMs = 5 * 60_000;

/** What a request claims about its sender. */
interface SignedClaim {
  /** `webhook-id`: the same for every try of one request. */
  readonly id: string;
  readonly sentAt: Date;
  /** Of any version, e.g. `v1,…`: one for each secret the sender has. */
  readonly signatures: readonly string[];
}

/** The claim, or why there is none that is worth checking. Needs no secret, so a refusal costs nothing. */
export function readClaim(
  headers: HttpRequest['headers'],
  now: Date,
): { readonly claim: SignedClaim } | { readonly problem: string } {
  const id = headers.get('webhook-id');
  const timestamp = headers.get('webhook-timestamp');
  const signature = headers.get('webhook-signature');
  if (!id || !timestamp || !signature) {
    return { problem: 'the headers webhook-id, webhook-timestamp and webhook-signature are all needed' };
  }
  const sentAt = new Date(/^\d{1,11}$/.test(timestamp) ? Number(timestamp) * 1000 : Number.NaN);
  // Written so that a timestamp that is no number is refused too.
  if (!(Math.abs(now.getTime() - sentAt.getTime()) <= toleranceMs)) {
    return { problem: 'webhook-timestamp must be the time of sending in seconds, at most 5 minutes away' };
  }
  return { claim: { id, sentAt, signatures: signature.split(' ') } };
}

/** Whether one of the signatures was made over this body with one of the secrets (`ReadSecrets`). */
export function verifySignature(claim: SignedClaim, body: string, secrets: readonly string[]): boolean {
  return secrets.some((secret) => {
    const expected = new Webhook(secret).sign(claim.id, claim.sentAt, body);
    return claim.signatures.some((signature) => equalInConstantTime(signature, expected));
  });
}

/** Hashes have one length, so that not even the length of what was sent is compared early. */
function equalInConstantTime(a: string, b: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(a), hash(b));
}
