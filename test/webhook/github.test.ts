// Requests signed as GitHub signs its webhooks.
import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { readClaim, verifySignature } from '../../lib/adapters/webhook/signature.ts';

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const body = JSON.stringify({ domains: ['shop.example.com'] });
const now = new Date('2026-11-22T10:00:00Z');

const sign = (text: string, key = secret) => `sha256=${createHmac('sha256', key).update(text).digest('hex')}`;

/** Whether a body with this signature is taken; `undefined` where it is refused unread, for its form. */
function isTaken(signature: string, text = body, secrets: readonly string[] = [secret]): boolean | undefined {
  const read = readClaim(new Map([['x-hub-signature-256', signature]]), now);
  return 'claim' in read ? verifySignature(read.claim, text, secrets) : undefined;
}

test('Y03 X-Hub-Signature-256 is the HMAC of the body with the secret’s own text, as GitHub documents it', () => {
  // The example of GitHub's documentation.
  const documented = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';
  expect(isTaken(documented, 'Hello, World!', ["It's a Secret to Everybody"])).toBe(true);
  expect(isTaken(sign(body))).toBe(true);
});

describe('Y03 refused is', () => {
  test.each([
    ['another body', sign(`${body} `)],
    ['another secret', sign(body, 'whsec_other')],
  ])('%s', (_, signature) => {
    expect(isTaken(signature)).toBe(false);
  });

  test.each([
    ['SHA-1', 'sha1=0123456789abcdef0123456789abcdef01234567'],
    ['a digest cut off', sign(body).slice(0, -1)],
    ['capitals', sign(body).toUpperCase()],
    ['nothing', ''],
  ])('%s, without a look at the secrets', (_, signature) => {
    expect(isTaken(signature)).toBeUndefined();
  });
});

test('Y03 where both are there, Standard Webhooks holds, because it says when it was sent', () => {
  const headers = new Map([
    ['x-hub-signature-256', sign(body)],
    ['webhook-id', 'msg_1'],
    ['webhook-timestamp', '1'],
    ['webhook-signature', 'v1,none'],
  ]);
  expect(readClaim(headers, now)).toMatchObject({ problem: expect.stringContaining('webhook-timestamp') });
});

test('a delivery is named by GitHub’s id, cut to what a log line can bear, or by its signature', () => {
  const claimOf = (headers: readonly (readonly [string, string])[]) =>
    readClaim(new Map([['x-hub-signature-256', sign(body)], ...headers]), now);
  expect(claimOf([['x-github-delivery', 'x'.repeat(900)]])).toMatchObject({ claim: { id: 'x'.repeat(64) } });
  expect(claimOf([])).toMatchObject({ claim: { id: sign(body).slice(7, 43) } });
});
