// What a CA sends with a certificate, in whatever shape, and names that it adds: what was issued is kept, and
// not ordered again.
import { beforeAll, describe, expect, it } from 'vitest';
import { namesKey } from '../../lib/certificate/names.ts';
import {
  type Authority,
  type MintedChain,
  type Minting,
  mintAuthority,
  mintChain,
} from '../minting/certificates.ts';
import { dayMs, Harness, specOf } from './harness.ts';

const shop = specOf('shop', ['shop.example.com']);
const validity = { notBefore: new Date(0), notAfter: new Date(1e13) };
const unreadable = '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n';
const pem = ({ certificate }: Authority) => `${certificate.toString('pem')}\n`;
let stranger: MintedChain;

beforeAll(async () => {
  stranger = await mintChain({ domains: ['stranger.example.com'], ...validity });
});

/** One pass at a CA that bends chains, and one after that. */
async function issue(bend: (minted: MintedChain) => string, otherwise: Partial<Minting> = {}) {
  const harness = new Harness([shop]);
  harness.ca.bendsChain = bend;
  harness.ca.issuesOtherwise = () => otherwise;
  const { report, failures } = await harness.run();
  const stored = await harness.current('shop');
  harness.clock.pass(dayMs);
  const next = await harness.run({ compare: true });
  return { harness, certificates: report.certificates, failures, stored, next: next.report.certificates };
}

describe('a certificate is stored with its path in order, and kept, where the CA sends', () => {
  it.each<[what: string, bend: (minted: MintedChain) => string, length: number]>([
    ['everything twice', ({ chain }) => chain + chain, 3],
    ['the root first', ({ chain, root }) => root + chain, 4],
    ['the leaf last', ({ certificates }) => certificates.toReversed().join(''), 3],
    ['strangers between', ({ certificates }) => certificates.join(stranger.chain), 3],
    ['a link too few', ({ certificates }) => `${certificates[0]}${certificates[2]}`, 1],
    [
      'PEM of other kinds',
      ({ chain }) => `-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n${chain}`,
      3,
    ],
    ['thirty others', ({ chain }) => stranger.chain.repeat(15) + chain, 3],
    ['a block that cannot be read', ({ certificates }) => certificates.join(unreadable), 3],
    ['only blocks that cannot be read beside it', ({ certificates }) => unreadable + certificates[0], 1],
    ['a last block that is cut off', ({ chain }) => chain + stranger.chain.slice(0, 99), 3],
    ['a first block that is cut off', ({ chain }) => stranger.chain.slice(0, 99) + chain, 3],
    [
      'copies of one certificate, over fifty',
      ({ chain, certificates }) => chain + (certificates[1] ?? '').repeat(51),
      3,
    ],
  ])('%s', async (_, bend, length) => {
    let path: readonly string[] = [];
    const keep = (minted: MintedChain) => {
      path = [...minted.certificates, minted.root].slice(0, length);
      return bend(minted);
    };
    const { certificates, failures, stored, next, harness } = await issue(keep, { intermediates: 2 });
    expect(failures).toEqual([]);
    expect(certificates).toMatchObject([{ outcome: 'issued' }]);
    expect(stored?.chain).toBe(path.join(''));
    expect(next).toMatchObject([{ decision: 'keep', reason: 'Current' }]);
    const incomplete = harness.log.lines.filter(({ event }) => event === 'chain incomplete');
    expect(incomplete).toHaveLength(length === 1 ? 1 : 0);
    expect(harness.log.events()).not.toContain('tags disagreed');
  });
});

describe('a certificate is stored alone, with a warning, where of its issuer the CA sends only', () => {
  it.each<[what: string, begin: number, end: number]>([
    ['a half that has ended', -20, -10],
    ['a half that begins later', 1, 100],
  ])('%s', async (_, begin, end) => {
    const root = await mintAuthority('Root', validity);
    const lasting = await mintAuthority('Issuing', validity, root);
    const harness = new Harness([shop]);
    const at = (days: number) => new Date(harness.clock.now().getTime() + days * dayMs);
    const half = { notBefore: at(begin), notAfter: at(end) };
    const untimely = pem(await mintAuthority('Issuing', half, root, { keys: lasting.keys }));
    let leaf = '';
    harness.ca.bendsChain = ({ certificates }) => {
      leaf = certificates[0] ?? '';
      return leaf + untimely;
    };
    harness.ca.issuesOtherwise = () => ({ issuer: lasting });
    const { report, failures } = await harness.run();
    expect([failures, report.certificates]).toMatchObject([[], [{ outcome: 'issued' }]]);
    expect((await harness.current('shop'))?.chain).toBe(leaf);
    expect(harness.log.events()).toContain('chain incomplete');
    harness.clock.pass(dayMs / 2);
    expect((await harness.run({ compare: true })).report.certificates).toMatchObject([
      { decision: 'keep', reason: 'Current' },
    ]);
  });
});

describe('a certificate among over fifty others', () => {
  it('is found at their end, and stored', async () => {
    const others = await Promise.all(
      Array.from({ length: 50 }, (_, index) => mintAuthority(`Other ${index}`, validity)),
    );
    let leaf = '';
    const { certificates, stored } = await issue((minted) => {
      leaf = minted.certificates[0] ?? '';
      return [...others.map(pem), leaf].join('');
    });
    expect(certificates).toMatchObject([{ outcome: 'issued' }]);
    expect(stored?.chain).toBe(leaf);
  });
});

describe('a CA that adds a name', () => {
  const wide = { domains: ['shop.example.com', 'www.shop.example.com'] };

  it('gets no second order: the names that were ordered are kept and judged, and it is said once', async () => {
    const { certificates, failures, stored, next, harness } = await issue(({ chain }) => chain, wide);
    expect(failures).toEqual([]);
    expect(certificates).toMatchObject([{ outcome: 'issued' }]);
    expect(stored).toMatchObject({ requestedNames: shop.domains });
    expect(harness.state('shop')?.names).toBe(namesKey(shop.domains));
    expect(next).toMatchObject([{ decision: 'keep', reason: 'Current' }]);
    const added = harness.log.lines.filter(({ event }) => event === 'CA added names');
    expect(added).toMatchObject([
      { level: 'warn', fields: { certificate: 'shop', names: ['www.shop.example.com'] } },
    ]);
    expect(harness.log.events()).not.toContain('tags disagreed');
    expect(harness.ca.count('newOrder')).toBe(1);
  });

  it('is judged so by the value alone, too, without tags', async () => {
    const { harness } = await issue(({ chain }) => chain, wide);
    await harness.store.record('shop', { names: null, version: null });
    expect((await harness.run()).report.certificates).toMatchObject([{ decision: 'keep' }]);
  });

  it('asked for the added name as well, is asked again', async () => {
    const { harness } = await issue(({ chain }) => chain, wide);
    harness.inventory = { ...harness.inventory, certificates: [{ ...shop, ...wide }] };
    expect((await harness.run({ dryRun: true })).report.certificates).toMatchObject([
      { reason: 'NamesChanged' },
    ]);
  });

  it.each([
    [['www.shop.example.com']],
    [['*.example.com', 'www.shop.example.com']],
  ])('in place of the one that was ordered, %j, has issued the wrong one', async (domains) => {
    const { certificates, stored } = await issue(({ chain }) => chain, { domains });
    expect(certificates).toMatchObject([
      { outcome: 'failed', message: expect.stringContaining('not for shop.example.com') },
    ]);
    expect(stored).toBeUndefined();
  });

  it('writes nothing new into a value where it adds none', async () => {
    const { stored } = await issue(({ chain }) => chain);
    expect(stored?.requestedNames).toBeUndefined();
  });
});
