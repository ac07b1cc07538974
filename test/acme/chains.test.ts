// Which of the chains that a CA offers is taken.
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { chooseChain } from '../../lib/adapters/acme/chains.ts';
import { buildBundle, verifyBundle } from '../../lib/certificate/bundle.ts';
import { AcmeError } from '../../lib/ports/acme.ts';
import { FakeLog } from '../fakes/log.ts';
import { type Authority, mintAuthority, mintChain } from '../minting/certificates.ts';
import { Harness } from './harness.ts';

describe('of chains of any length', () => {
  const url = 'https://ca.example/cert/7';
  const chains = new Map<number, string>();
  let log: FakeLog;
  beforeAll(async () => {
    const validity = { notBefore: new Date(0), notAfter: new Date(1e13) };
    for (const intermediates of [0, 1, 2, 3]) {
      const { chain } = await mintChain({ domains: ['a.example.com'], intermediates, ...validity });
      chains.set(intermediates, chain);
    }
  });
  beforeEach(() => {
    log = new FakeLog();
  });

  /** A chain without its topmost certificate: what stood there is the topmost issuer then, not `Minted
   *  Root`. */
  function cut(chain: string): string {
    return chain.slice(0, chain.lastIndexOf('-----BEGIN'));
  }

  function choose(
    preferred: string,
    first: string,
    link: string | undefined,
    alternates: Record<string, string>,
  ) {
    const asked: string[] = [];
    const download = async (at: string) => {
      asked.push(at);
      const chain = alternates[at];
      if (chain === undefined) throw new AcmeError('Unreachable', 'no answer from ca.example');
      return { url: at, chain, link: undefined };
    };
    const preference = { preferred, now: new Date('2026-11-22T10:00:00Z') };
    return chooseChain({ url, chain: first, link }, preference, download, log).then((chain) => ({
      chain,
      asked,
    }));
  }

  it.each([
    0, 1, 2, 3,
  ])('the default is taken with no further request where it matches (%i intermediates)', async (count) => {
    const first = chains.get(count) ?? '';
    const link = '<https://ca.example/cert/7/1>;rel="alternate"';
    expect(await choose('Minted Root', first, link, {})).toEqual({ chain: first, asked: [] });
  });

  it.each([
    ['quoted', '<https://ca.example/cert/7/1>;rel="alternate"'],
    ['bare', '<https://ca.example/cert/7/1>; rel=alternate'],
    ['relative', '</cert/7/1>; rel="alternate"'],
    [
      'among others',
      '<https://ca.example/directory>;rel="index", <https://ca.example/cert/7/1>;rel="alternate"',
    ],
    ['with a comma in another address', '<https://ca.example/a,b>;rel="up", <7/1>;rel="alternate"'],
    ['with other parameters', '<7/1>; title="a; rel=b, c"; rel="alternate"'],
    ['one of several relations', '<7/1>; rel="item alternate"'],
    ['in capitals', '<7/1>; REL="Alternate"'],
  ])('an alternate is found however its link is written: %s', async (_, link) => {
    const first = cut(chains.get(2) ?? '');
    const wanted = chains.get(2) ?? '';
    const { chain, asked } = await choose('Minted Root', first, link, {
      'https://ca.example/cert/7/1': wanted,
    });
    expect(chain).toBe(wanted);
    expect(asked).toEqual(['https://ca.example/cert/7/1']);
  });

  it('alternates are asked for in their order, and no more of them than needed', async () => {
    const [first, second, third] = [cut(chains.get(3) ?? ''), cut(chains.get(2) ?? ''), chains.get(1) ?? ''];
    const link = ['1', '2', '3'].map((end) => `<https://ca.example/${end}>;rel="alternate"`).join(', ');
    const { chain, asked } = await choose('Minted Root', first, link, {
      'https://ca.example/1': second,
      'https://ca.example/2': third,
      'https://ca.example/3': third,
    });
    expect(chain).toBe(third);
    expect(asked).toEqual(['https://ca.example/1', 'https://ca.example/2']);
  });

  it.each([
    ['none is linked', undefined],
    ['none matches', '<1>;rel="alternate"'],
    ['it cannot be had', '<gone>;rel="alternate"'],
    ['the link is of another kind', '<1>;rel="up"'],
  ])('the default is taken with a warning where %s', async (_, link) => {
    const first = chains.get(1) ?? '';
    const { chain } = await choose('Somebody Root', first, link, { 'https://ca.example/cert/1': first });
    expect(chain).toBe(first);
    expect(log.lines).toMatchObject([
      {
        level: 'warn',
        event: 'preferred chain not offered',
        fields: { preferredChain: 'Somebody Root', offered: expect.arrayContaining(['Minted Root']) },
      },
    ]);
  });

  it('what is not PEM does not stop the choice', async () => {
    const wanted = chains.get(1) ?? '';
    for (const first of ['', 'no PEM', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n']) {
      const { chain } = await choose('Minted Root', first, '<1>;rel="alternate"', {
        'https://ca.example/cert/1': wanted,
      });
      expect(chain).toBe(wanted);
    }
  });
});

describe('a chain is judged by the path that it gives, whatever the CA sends', () => {
  const now = new Date('2026-11-22T10:00:00Z');
  const dayMs = 86_400_000;
  const lasting = {
    notBefore: new Date(now.getTime() - dayMs),
    notAfter: new Date(now.getTime() + 60 * dayMs),
  };
  const ended = { ...lasting, notAfter: new Date(now.getTime() - 1000) };
  const soon = { ...lasting, notAfter: new Date(now.getTime() + 10 * dayMs) };
  const pem = ({ certificate }: Authority) => `${certificate.toString('pem')}\n`;
  let parts: Record<string, string>;
  let key: string;
  beforeAll(async () => {
    const [x, y] = [await mintAuthority('X', lasting), await mintAuthority('Y', lasting)];
    const byX = await mintAuthority('Issuing', lasting, x);
    const { keys } = byX;
    const minted = await mintChain({ domains: ['a.example.com'], ...lasting, issuer: byX });
    const other = await mintChain({ domains: ['other.example.com'], ...lasting });
    key = minted.key;
    parts = {
      leaf: minted.certificates[0] ?? '',
      byX: pem(byX),
      byY: pem(await mintAuthority('Issuing', lasting, y, { keys })),
      byYEnded: pem(await mintAuthority('Issuing', ended, y, { keys })),
      byYSoon: pem(await mintAuthority('Issuing', soon, y, { keys })),
      unreadable: '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n',
      x: pem(x),
      other: other.chain,
    };
  });

  it.each([
    ['leaf byX', 'X', 'leaf byX'],
    ['x byX leaf', 'X', 'leaf byX x'],
    ['other byX leaf byX', 'X', 'leaf byX'],
    ['leaf byX byY', 'Y', 'leaf byY'],
    ['leaf byX byY', 'X', 'leaf byX'],
    ['byY leaf byX x', 'Y', 'leaf byY'],
    ['leaf byX byYEnded', 'Y', undefined],
    ['leaf byX byYSoon', 'Y', 'leaf byYSoon'],
    ['leaf byX unreadable byY', 'Y', 'leaf byY'],
  ])('%s for issuer %s: %s', async (given, preferred, path) => {
    const write = (names: string) =>
      names
        .split(' ')
        .map((name) => parts[name])
        .join('');
    const log = new FakeLog();
    const first = { url: 'https://ca.example/cert/7', chain: write(given), link: undefined };
    const preference = { preferred, names: ['a.example.com'], now };
    const chosen = await chooseChain(first, preference, () => Promise.reject(new Error('no')), log);
    const verdict = buildBundle({ chain: chosen, key, domains: ['a.example.com'] }, now);
    expect(verdict).toMatchObject({ ok: true, bundle: { chain: write(path ?? 'leaf byX') } });
    expect(log.events()).toEqual(path === undefined ? ['preferred chain not offered'] : []);
  });
});

describe('an issuer that prefers a chain', () => {
  let harness: Harness;
  beforeEach(async () => {
    harness = await Harness.start();
    // The CA's own certificates are minted by the real clock.
    harness.clock.pass(Date.now() - harness.clock.now().getTime());
  });
  afterEach(() => harness.stop());
  const domains = ['a.example.com'];
  const downloads = () => harness.journal.count({ action: 'certificate' });

  it.each([
    ['which is the default', 'Sandbox Root X', 1],
    ['which is an alternate', 'Sandbox Root Y', 2],
    ['which nobody offers', 'Sandbox Root Z', 2],
  ])('%s gets a chain that verifies, with %s in %i requests', async (_, preferredChain, requests) => {
    const { chain, key } = await harness.issue(await harness.connect({ preferredChain }), domains);
    expect(verifyBundle({ chain, key, domains })).toMatchObject({ ok: true });
    expect(downloads()).toBe(requests);
    const warned = harness.log.events().includes('preferred chain not offered');
    expect(warned).toBe(preferredChain === 'Sandbox Root Z');
  });

  it('does not lose its certificate where the alternate cannot be had', async () => {
    const refused = { kind: 'error', code: 'serverInternal', status: 500 } as const;
    harness.faults.set('acme', 'certificate', refused, 9, (path) => /\/\d+$/.test(path));
    const authority = await harness.connect({ preferredChain: 'Sandbox Root Y' });
    const { chain, key } = await harness.issue(authority, domains);
    expect(verifyBundle({ chain, key, domains })).toMatchObject({ ok: true });
  });
});
