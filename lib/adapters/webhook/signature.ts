// Signatures of requests: Standard Webhooks (standardwebhooks.com), which say when, too; or GitHub's (X-Hub-Signature-256).
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import type { HttpRequest } from './http.ts';

/** How far a request's timestamp may be from our clock, either way; what the specification's libraries take. */
const toleranceMs = 5 * 60_000;

/** What a sender may give as id and signatures: more is no sender's that follows the specification. */
const longestId = 256;
const mostSignatures = 20;

/** What a request claims about its sender. GitHub's form does not say when it was sent: one that is sent again means the same
 *  again, because registering twice is registering once. */
type SignedClaim =
  | StandardClaim
  | { readonly kind: 'github'; readonly id: string; readonly signature: string };

interface StandardClaim {
  readonly kind: 'standard';
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
  const id = headers.get('webhook-id')?.trim();
  const timestamp = headers.get('webhook-timestamp');
  const signature = headers.get('webhook-signature');
  if (!id || !timestamp || !signature) return readGithubClaim(headers);
  // What is signed is id.timestamp.body: with a dot in the id the same text could be read as another id and body.
  if (id.includes('.') || id.length > longestId) {
    return { problem: `webhook-id must have no dot and at most ${longestId} characters` };
  }
  const sentAt = new Date(/^\d{1,11}$/.test(timestamp) ? Number(timestamp) * 1000 : Number.NaN);
  // Written so that a timestamp that is no number is refused too.
  if (!(Math.abs(now.getTime() - sentAt.getTime()) <= toleranceMs)) {
    return { problem: 'webhook-timestamp must be the time of sending in seconds, at most 5 minutes away' };
  }
  const signatures = signature.split(' ', mostSignatures + 1);
  if (signatures.length > mostSignatures) {
    return { problem: `webhook-signature must have at most ${mostSignatures} signatures` };
  }
  return { claim: { kind: 'standard', id, sentAt, signatures } };
}

/** As https://docs.github.com/webhooks says: `sha256=` and 64 hex digits. */
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

/** Whether one of the signatures was made over this body with one of the secrets (`ReadSecrets`). */
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

/** GitHub's key is the secret's text as it stands, prefix and all. */
function signAsGithub(secret: string, body: string): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}

/** Hashes have one length, so that not even the length of what was sent is compared early. */
function equalInConstantTime(a: string, b: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(a), hash(b));
}
