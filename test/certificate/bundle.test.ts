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
    ['Unparsable', 'with eleven certificates', () => ({ chain: part(0).repeat(11) })],
    ['Unparsable', 'with a key that is none', () => ({ key: 'nonsense' })],
    ['Unparsable', 'with a certificate for a key', () => ({ key: minted.chain })],
    ['KeyMismatch', 'with the key of another certificate', () => ({ key: stranger.key })],
    ['NotLeafFirst', 'with the leaf last', () => ({ chain: part(2) + part(1) + part(0) })],
    ['NamesChanged', 'with a name too many', () => ({ domains: ['shop.example.com'] })],
    ['NamesChanged', 'with a name too few', () => ({ domains: [...domains, 'other.example.com'] })],
    ['ChainBroken', 'with a link left out', () => ({ chain: part(0) + part(2) })],
    ['ChainBroken', 'with links exchanged', () => ({ chain: part(0) + part(2) + part(1) })],
    [
      'ChainBroken',
      'with another authority of the same name',
      () => ({ chain: part(0) + stranger.certificates[1] }),
    ],
  ])('%s: %s', (problem, _, change) => {
    const input = { chain: minted.chain, key: minted.key, domains, ...change() };
    const verdict = verifyBundle(input);
    expect(verdict).toMatchObject({ ok: false, problem });
    expect(verdict).not.toMatchObject({ message: expect.stringContaining('-----') });
  });

  test('NotLeafFirst: with the leaf second', () => {
    const chain = part(1) + part(0) + part(2);
    expect(verifyBundle({ chain, key: minted.key, domains })).toMatchObject({
      ok: false,
      problem: 'NotLeafFirst',
    });
  });

  describe('ChainBroken: although the rest agrees, with an issuer', () => {
    const validity = { notBefore, notAfter };

    test('that did not sign, of the same name', async () => {
      const [one, other] = await Promise.all([
        mintAuthority('Same', validity),
        mintAuthority('Same', validity),
      ]);
      const { certificates, key } = await mintChain({
        domains,
        ...validity,
        issuer: one,
        authorityKeyId: 'none',
      });
      const chain = certificates[0] + pem(other);
      expect(verifyBundle({ chain: certificates[0] + pem(one), key })).toMatchObject({ ok: true });
      expect(verifyBundle({ chain, key })).toMatchObject({ ok: false, problem: 'ChainBroken' });
    });

    test('of another name, with the same key', async () => {
      const issuer = await mintAuthority('One', validity);
      const renamed = await mintAuthority('Other', validity, undefined, { keys: issuer.keys });
      const { certificates, key } = await mintChain({ domains, ...validity, issuer });
      const chain = certificates[0] + pem(renamed);
      expect(verifyBundle({ chain, key })).toMatchObject({ ok: false, problem: 'ChainBroken' });
    });

    test('that is no authority', async () => {
      const issuer = await mintAuthority('No authority', validity, undefined, { ca: false });
      const { certificates, key } = await mintChain({ domains, ...validity, issuer });
      const chain = certificates[0] + pem(issuer);
      expect(verifyBundle({ chain, key })).toMatchObject({ ok: false, problem: 'ChainBroken' });
    });
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
  ])('an intermediate %s: %s', async (_, outcome, validity) => {
    const root = await mintAuthority('Root', { notBefore, notAfter });
    const ends = await mintAuthority('Between', validity, root);
    const issuer = await mintAuthority('Issuing', { notBefore, notAfter }, ends);
    const { certificates, key } = await mintChain({ domains, notBefore, notAfter, issuer });
    const chain = certificates[0] + pem(issuer) + pem(ends);
    const verdict = verifyBundle({ chain, key }, now);
    const message = expect.stringContaining('the certificate of Between');
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
