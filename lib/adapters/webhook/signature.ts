// Reads and verifies signatures of requests: Standard Webhooks (standardwebhooks.com) and GitHub's form.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import type { HttpRequest } from './http.ts';

/** Largest difference between a request's timestamp and our clock; libraries of the specification allow the
 *  same. */
export const toleranceMs = 5 * 60_000;

/** Longest `webhook-id`, in characters. */
const longestId = 256;
/** Most signatures in one request. */
const mostSignatures = 20;

/** What the headers of a request claim about its sender, not verified yet. GitHub's form has no timestamp,
 *  and is for registrations alone: a replayed one does no harm, because a second registration of the same
 *  specification changes nothing. */
type SignedClaim =
  | StandardClaim
  | { readonly kind: 'github'; readonly id: string; readonly signature: string };

/** A claim as Standard Webhooks have it. */
export interface StandardClaim {
  readonly kind: 'standard';
  /** Header `webhook-id`: the same for each attempt to send one request. */
  readonly id: string;
  readonly sentAt: Date;
  /** Signatures of any version, e.g. `v1,…`: one for each secret of the sender. */
  readonly signatures: readonly string[];
}

/** The claim in the headers, or the problem with them. Needs no secret, so a refusal causes no call to
 *  AWS. */
export function readClaim(
  headers: HttpRequest['headers'],
  now: Date,
): { readonly claim: SignedClaim } | { readonly problem: string; readonly reason?: 'WrongTime' } {
  const id = headers.get('webhook-id')?.trim();
  const timestamp = headers.get('webhook-timestamp');
  const signature = headers.get('webhook-signature');
  if (!id || !timestamp || !signature) return readGithubClaim(headers);
  // The signature covers id.timestamp.body, and a dot in the id would make that ambiguous.
  if (id.includes('.') || id.length > longestId) {
    return { problem: `webhook-id must have no dot and at most ${longestId} characters` };
  }
  const sentAt = new Date(/^\d{1,11}$/.test(timestamp) ? Number(timestamp) * 1000 : Number.NaN);
  // Negated, so that an invalid timestamp (NaN) is refused too.
  if (!(Math.abs(now.getTime() - sentAt.getTime()) <= toleranceMs)) {
    const problem = 'webhook-timestamp must be the time of sending in seconds, at most 5 minutes away';
    return { problem, reason: 'WrongTime' };
  }
  const signatures = signature.split(' ', mostSignatures + 1);
  if (signatures.length > mostSignatures) {
    return { problem: `webhook-signature must have at most ${mostSignatures} signatures` };
  }
  return { claim: { kind: 'standard', id, sentAt, signatures } };
}

/** The claim in GitHub's form: `sha256=` and 64 hex digits (https://docs.github.com/webhooks). */
function readGithubClaim(
  headers: HttpRequest['headers'],
): { readonly claim: SignedClaim } | { readonly problem: string } {
  const signature = headers.get('x-hub-signature-256');
  if (signature === undefined) {
    return { problem: 'the headers webhook-id, webhook-timestamp and webhook-signature are all needed' };
  }
  if (!/^sha256=[0-9a-f]{64}$/.test(signature)) {
    return { problem: 'X-Hub-Signature-256 must be sha256= and 64 hex digits' };
  }
  const id = headers.get('x-github-delivery')?.trim().slice(0, 64) || signature.slice(7, 43);
  return { claim: { kind: 'github', id, signature } };
}

/** Whether one of the claim's signatures was made over this body with one of the secrets. */
export function verifySignature(claim: SignedClaim, body: string, secrets: readonly string[]): boolean {
  if (claim.kind === 'github') {
    const { signature } = claim;
    return secrets.some((secret) => equalInConstantTime(signature, signAsGithub(secret, body)));
  }
  return secrets.some((secret) => {
    const expected = new Webhook(secret).sign(claim.id, claim.sentAt, body);
    return claim.signatures.some((signature) => equalInConstantTime(signature, expected));
  });
}

/** GitHub's signature of a body. Its key is the secret's text, prefix included. */
function signAsGithub(secret: string, body: string): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}

/** Compares hashes of the texts, so that the time does not depend on their length either. */
function equalInConstantTime(a: string, b: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(a), hash(b));
}
