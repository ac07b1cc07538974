import { createPrivateKey } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { verifyBundle } from '../../lib/certificate/bundle.ts';
import { type Authority, type MintedChain, mintAuthority, mintChain } from '../minting/certificates.ts';

const notBefore = new Date('2026-01-01T00:00:00Z');
const notAfter = new Date('2026-04-01T00:00:00Z');
const domains = ['shop.example.com', '*.shop.example.com'];
let minted: MintedChain;
let stranger: MintedChain;

beforeAll(async () => {
  minted = await mintChain({ domains, notBefore, notAfter, intermediates: 2 });
  stranger = await mintChain({ domains, notBefore, notAfter });
});

function part(index: number): string {
  return minted.certificates[index] ?? '';
}

function pem({ certificate }: Authority): string {
  return `${certificate.toString('pem')}\n`;
}

describe('a chain is accepted', () => {
  test.each([0, 1, 2, 3])('with %i intermediates', async (intermediates) => {
    const { chain, key } = await mintChain({ domains, notBefore, notAfter, intermediates });
    const verdict = verifyBundle({ chain, key, domains }, notBefore);
    expect(verdict).toMatchObject({ ok: true, bundle: { chain, key, facts: { names: domains } } });
  });

  test('that ends with its root', () => {
    expect(verifyBundle({ chain: minted.chain + minted.root, key: minted.key })).toMatchObject({ ok: true });
  });

  test('with text around it, Windows line ends and a SEC 1 key, and comes out in one spelling', () => {
    const chain = `leaf:\n${minted.chain}\n\n`.replaceAll('\n', '\r\n');
    const key = createPrivateKey(minted.key).export({ type: 'sec1', format: 'pem' }).toString();
    const verdict = verifyBundle({ chain, key, domains: domains.toReversed() });
    expect(verdict).toMatchObject({ ok: true, bundle: { chain: minted.chain, key: minted.key } });
  });
});

describe('N14 a bundle is refused before anything is written', () => {
  test.each([
    ['Unparsable', 'without a certificate', () => ({ chain: '' })],
    [
      'Unparsable',
      'with a certificate cut off',
      () => ({ chain: minted.chain.slice(0, -200) + part(0).slice(0, 99) }),
    ],
    ['Unparsable', 'with bytes that are no certificate', () => ({ chain: part(0).replace('MII', 'AAA') })],
    ['Unparsable', 'with a private key in the chain', () => ({ chain: minted.chain + minted.key })],
    ['Unparsable', 'with fifty-one certificates', () => ({ chain: part(0).repeat(51) })],
    ['Unparsable', 'with a key that is none', () => ({ key: 'nonsense' })],
    ['Unparsable', 'with a certificate for a key', () => ({ key: minted.chain })],
    ['KeyMismatch', 'with the key of another certificate', () => ({ key: stranger.key })],
    ['NamesChanged', 'with a name too many', () => ({ domains: ['shop.example.com'] })],
    ['NamesChanged', 'with a name too few', () => ({ domains: [...domains, 'other.example.com'] })],
  ])('%s: %s', (problem, _, change) => {
    const input = { chain: minted.chain, key: minted.key, domains, ...change() };
    const verdict = verifyBundle(input);
    expect(verdict).toMatchObject({ ok: false, problem });
    expect(verdict).not.toMatchObject({ message: expect.stringContaining('-----') });
  });

  test.each([
    [-1, true],
    [0, false],
  ])('Expired: %i ms from its end, accepted is %s', (offset, ok) => {
    const now = new Date(notAfter.getTime() + offset);
    expect(verifyBundle({ chain: minted.chain, key: minted.key }, now)).toMatchObject(
      ok ? { ok } : { ok, problem: 'Expired', message: expect.stringContaining('2026-04-01') },
    );
  });
});

describe('every certificate of the path is asked for the instant, both ends', () => {
  const dayMs = 86_400_000;
  const now = new Date('2026-02-01T00:00:00Z');
  const at = (offsetMs: number) => new Date(now.getTime() + offsetMs);
  const minutes = 60_000;

  test.each([
    [0, true],
    [5 * minutes, true],
    [5 * minutes + 1000, false],
  ])('NotYetValid: a leaf that begins %i ms later, accepted is %s', async (offset, ok) => {
    const { chain, key } = await mintChain({ domains, notBefore: at(offset), notAfter });
    expect(verifyBundle({ chain, key }, now)).toMatchObject(
      ok
        ? { ok }
        : {
            ok,
            problem: 'NotYetValid',
            validFrom: at(offset),
            message: expect.stringContaining('from 2026-02'),
          },
    );
  });

  test.each<[what: string, outcome: string, validity: { notBefore: Date; notAfter: Date }]>([
    ['that has just ended', 'Expired', { notBefore, notAfter: now }],
    ['that ends in a second', 'accepted', { notBefore, notAfter: at(1000) }],
    ['that begins in five minutes', 'accepted', { notBefore: at(5 * minutes), notAfter }],
    ['that begins a second after that', 'NotYetValid', { notBefore: at(5 * minutes + 1000), notAfter }],
  ])('the authority that signed the leaf, %s: %s', async (_, outcome, validity) => {
    const root = await mintAuthority('Root', { notBefore, notAfter });
    const issuer = await mintAuthority('Issuing', validity, root);
    const { certificates, key } = await mintChain({ domains, notBefore, notAfter, issuer });
    const verdict = verifyBundle({ chain: certificates[0] + pem(issuer), key }, now);
    const message = expect.stringContaining('the certificate of Issuing');
    expect(verdict).toMatchObject(
      outcome === 'accepted'
        ? { ok: true, bundle: { validUntil: validity.notAfter } }
        : { ok: false, problem: outcome, message },
    );
  });

  test('a root that has ended, and another one’s certificate for it, are no part of it', async () => {
    const ended = { notBefore: at(-2 * dayMs), notAfter: at(-dayMs) };
    const old = await mintAuthority('Old Root', ended);
    const root = await mintAuthority('Root', ended);
    const cross = await mintAuthority('Root', ended, old, { keys: root.keys });
    const issuer = await mintAuthority('Issuing', { notBefore, notAfter }, root);
    const { certificates, key } = await mintChain({ domains, notBefore, notAfter, issuer });
    const chain = certificates[0] + pem(issuer) + pem(root);
    expect(verifyBundle({ chain, key }, now)).toMatchObject({ ok: true, bundle: { validUntil: notAfter } });
    expect(verifyBundle({ chain: chain + pem(cross), key }, now)).toMatchObject({ ok: true });
  });
});
