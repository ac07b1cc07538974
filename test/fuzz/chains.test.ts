// Chains with bytes exchanged, cut and repeated: a verdict comes at once, and what is accepted is found in
// order.
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { buildBundle, buildIssuedBundle, verifyBundle } from '../../lib/certificate/bundle.ts';
import { countComputing } from '../computing-time.ts';
import { type MintedChain, mintChain } from '../minting/certificates.ts';

const now = new Date('2026-11-22T10:00:00Z');
let minted: MintedChain;
beforeAll(async () => {
  const validity = { notBefore: new Date(0), notAfter: new Date(1e13) };
  minted = await mintChain({ domains: ['shop.example.com'], ...validity, intermediates: 3 });
});

/** One certificate with some bytes exchanged; the first of them also in its length fields. */
const bent = (pem: string) =>
  fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }).map((changes) => {
    const der = Buffer.from(pem.replaceAll(/-----[^-]+-----/g, ''), 'base64');
    for (const [at, byte] of changes) der[at % der.length] = byte;
    return `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`;
  });

test('whatever stands in a chain, it is judged within a second, never thrown at', () => {
  const all = [...minted.certificates, minted.root];
  const chains = fc
    .array(
      fc.constantFrom(...all).chain((pem) => fc.oneof(fc.constant(pem), bent(pem))),
      { maxLength: 60 },
    )
    .chain((pems) => fc.tuple(fc.constant(pems.join('')), fc.option(fc.nat(pems.join('').length))))
    .map(([text, end]) => (end === null ? text : text.slice(0, end)));
  fc.assert(
    fc.property(chains, (chain) => {
      const computedMs = countComputing();
      const given = { chain, key: minted.key };
      const verdicts = [
        [buildBundle(given, now), now],
        [buildIssuedBundle(given, now), now],
        [verifyBundle(given, now), now],
        [verifyBundle(given), undefined],
      ] as const;
      expect(computedMs()).toBeLessThan(1000);
      for (const [verdict, instant] of verdicts) {
        if (!verdict.ok) continue;
        const again = verifyBundle(verdict.bundle, instant);
        expect(again).toMatchObject({ ok: true, bundle: { chain: verdict.bundle.chain } });
      }
    }),
    { numRuns: 300 },
  );
});
