// What Certrelay takes from its two protocol libraries by a path inside them, which an update may move.
import { createPublicKey, generateKeyPairSync, type KeyObject, verify } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { thumbprint } from '../../lib/adapters/acme/account-key.ts';

const top = join(import.meta.dirname, '../..');
const moved = 'acme-client has moved src/http.js or its signing: read docs/decisions/0008 before updating it';

/** The library's signer. Rejects with the advice if the file is not there any more. */
async function openSigner(key: KeyObject) {
  const { default: HttpClient } = await import('acme-client/src/http.js').catch((cause: unknown) => {
    throw new Error(moved, { cause });
  });
  return new HttpClient('https://ca.example/directory', key);
}

function decode(text: string): unknown {
  return JSON.parse(Buffer.from(text, 'base64url').toString());
}

describe('the file of acme-client that is imported by path', () => {
  const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve }).privateKey;
  it.each([
    ['ES256', 'sha256', ec('P-256')],
    ['ES384', 'sha384', ec('P-384')],
    ['RS256', 'sha256', generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey],
  ])('signs a request as %s (RFC 7515), by the account or by the key itself', async (alg, hash, key) => {
    const signer = await openSigner(key);
    const url = 'https://ca.example/order';
    const byAccount = signer.createSignedBody(url, { a: 'b' }, { nonce: 'n', kid: 'https://ca.example/1' });
    expect(decode(byAccount.protected), moved).toEqual({
      alg,
      url,
      nonce: 'n',
      kid: 'https://ca.example/1',
    });
    expect(decode(byAccount.payload), moved).toEqual({ a: 'b' });
    const signed = Buffer.from(`${byAccount.protected}.${byAccount.payload}`);
    const owner = { key: createPublicKey(key), dsaEncoding: 'ieee-p1363' } as const;
    const isSigned = verify(hash, signed, owner, Buffer.from(byAccount.signature, 'base64url'));
    expect(isSigned, moved).toBe(true);

    const byKey = signer.createSignedBody(url, null, { nonce: 'n', kid: null });
    expect(byKey.payload, moved).toBe('');
    expect(decode(byKey.protected), moved).toMatchObject({ jwk: signer.getJwk() });
    const known = createPublicKey({ key: signer.getJwk(), format: 'jwk' });
    expect(thumbprint(known), moved).toBe(thumbprint(createPublicKey(key)));
  });

  it('is the only one of a protocol library, and has a decision record', () => {
    const files = globSync(['lib/**/*.ts', 'functions/**/*.ts'], { cwd: top });
    const inside = /(?:from|import)\s*\(?\s*'((?:acme-client|@kubernetes\/client-node)\/[^']+)'/g;
    const paths = files.flatMap((file) =>
      [...readFileSync(join(top, file), 'utf8').matchAll(inside)].map(([, path]) => path),
    );
    expect(files.length).toBeGreaterThan(100);
    expect([...new Set(paths)]).toEqual(['acme-client/src/http.js']);
    const records = globSync('docs/decisions/*.md', { cwd: top }).map((file) =>
      readFileSync(join(top, file), 'utf8'),
    );
    expect(records.some((text) => text.includes('`acme-client/src/http.js`'))).toBe(true);
  });
});
