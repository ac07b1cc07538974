// Chains as CAs, people and proxies give them: whichever way, the same path comes out.
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { buildBundle, verifyBundle } from '../../lib/certificate/bundle.ts';
import { countComputing } from '../computing-time.ts';
import {
  type Authority,
  type MintedChain,
  mintAuthority,
  mintChain,
  mintSelf,
} from '../minting/certificates.ts';

const dayMs = 86_400_000;
const now = new Date('2026-02-01T00:00:00Z');
const [notBefore, notAfter] = [new Date(now.getTime() - 30 * dayMs), new Date(now.getTime() + 60 * dayMs)];
const lasting = { notBefore, notAfter };
const ended = { notBefore, notAfter: new Date(now.getTime() - 1000) };
const domains = ['shop.example.com'];

/** By name: certificates of one hierarchy, PEM. `issuing` signs the leaf and is signed by `x` and by `y`; `x`
 *  is signed by itself and by `z`. */
let parts: Record<string, string>;
let key: string;
let minted: MintedChain;

function pem({ certificate }: Authority): string {
  return `${certificate.toString('pem')}\n`;
}

beforeAll(async () => {
  const [x, y, z] = await Promise.all(['X', 'Y', 'Z'].map((name) => mintAuthority(name, lasting)));
  if (!x || !y || !z) throw new Error('three roots were minted');
  const byX = await mintAuthority('Issuing', lasting, x);
  const again = (validity: typeof lasting, name: string, of: Authority, by?: Authority) =>
    mintAuthority(name, validity, by, { keys: of.keys });
  minted = await mintChain({ domains, ...lasting, issuer: byX });
  key = minted.key;
  const others = await mintChain({ domains, ...lasting, intermediates: 2 });
  const renewed = await mintChain({
    domains,
    notBefore: new Date(now.getTime() - dayMs),
    notAfter,
    issuer: byX,
    key,
  });
  parts = {
    leaf: minted.certificates[0] ?? '',
    renewed: renewed.certificates[0] ?? '',
    issuing: pem(byX),
    issuingByY: pem(await again(lasting, 'Issuing', byX, y)),
    issuingEnded: pem(await again(ended, 'Issuing', byX, x)),
    x: pem(x),
    xEnded: pem(await again(ended, 'X', x)),
    xByZ: pem(await again(lasting, 'X', x, z)),
    xByZEnded: pem(await again(ended, 'X', x, z)),
    y: pem(y),
    z: pem(z),
    zByX: pem(await again(lasting, 'Z', z, x)),
    sameName: pem(await mintAuthority('Issuing', lasting, x)),
    sameKey: pem(await again(lasting, 'Renamed', byX, x)),
    noAuthority: pem(await mintAuthority('Issuing', lasting, x, { keys: byX.keys, ca: false })),
    strangerLeaf: others.certificates[0] ?? '',
    stranger: others.certificates[1] ?? '',
    strangerRoot: others.root,
  };
});

const write = (names: string) =>
  names
    .split(' ')
    .map((name) => parts[name] ?? '')
    .join('');

/** Names of the certificates of a chain; a refusal's problem. */
function read(verdict: ReturnType<typeof verifyBundle>): string {
  if (!verdict.ok) return verdict.problem;
  const chain = verdict.bundle.chain.split(/(?<=-----END CERTIFICATE-----\n)/);
  const nameOf = (one: string) => Object.entries(parts).find(([, text]) => text === one)?.[0] ?? '?';
  return chain.filter(Boolean).map(nameOf).join(' ');
}

const cases: readonly (readonly [given: string, path: string])[] = [
  ['leaf', 'leaf'],
  ['leaf issuing', 'leaf issuing'],
  ['issuing leaf', 'leaf issuing'],
  ['leaf leaf issuing issuing', 'leaf issuing'],
  ['x issuing leaf', 'leaf issuing x'],
  ['leaf strangerRoot stranger strangerLeaf issuing', 'leaf issuing'],
  ['leaf stranger', 'leaf'],
  ['leaf x', 'leaf'],
  ['leaf issuing xEnded', 'leaf issuing'],
  ['leaf issuing xByZ', 'leaf issuing xByZ'],
  ['leaf issuing x xByZ', 'leaf issuing xByZ'],
  ['leaf issuing x xByZ z', 'leaf issuing xByZ z'],
  ['leaf issuing xByZEnded', 'leaf issuing'],
  ['leaf issuing xByZEnded z', 'leaf issuing'],
  ['leaf issuing issuingByY xByZ', 'leaf issuing xByZ'],
  ['leaf issuingByY issuing y', 'leaf issuingByY y'],
  ['leaf issuingEnded issuing', 'leaf issuing'],
  ['leaf issuingEnded', 'Expired'],
  ['leaf issuing xByZ zByX', 'leaf issuing xByZ zByX'],
  ['leaf sameName issuing', 'leaf issuing'],
  ['leaf sameName', 'leaf'],
  ['leaf sameKey', 'leaf'],
  ['leaf noAuthority', 'leaf'],
  ['leaf renewed issuing', 'renewed issuing'],
];

describe('the path is built from the leaf', () => {
  test.each(cases)('of %s: %s', (given, path) => {
    expect(read(buildBundle({ chain: write(given), key, domains }, now))).toBe(path);
  });

  test.each(cases)('the same of what was stored as %s: %s', (given, path) => {
    const kept: Readonly<Record<string, string>> = {
      // In order as it stands: clients have roots of their own, so what was stored once stays to the byte.
      'leaf issuing xEnded': 'leaf issuing xEnded',
      'leaf issuing x xByZ': 'leaf issuing x xByZ',
      'leaf issuing x xByZ z': 'leaf issuing x xByZ z',
      'leaf issuing xByZEnded z': 'leaf issuing',
    };
    expect(read(verifyBundle({ chain: write(given), key, domains }, now))).toBe(kept[given] ?? path);
  });

  test.each(cases)('a chain that was built of %s is found in order and stays as it is', (given) => {
    const built = buildBundle({ chain: write(given), key, domains }, now);
    if (!built.ok) return;
    for (const instant of [undefined, now])
      expect(verifyBundle(built.bundle, instant)).toMatchObject({
        ok: true,
        bundle: { chain: built.bundle.chain, leftOut: 0 },
      });
  });

  test('whatever stands among them: certificates in any order, twice, with strangers, text and PEM of other kinds', () => {
    const noise = [
      'Certificate 1 of 3\n',
      '-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n',
      '-----BEGIN DH PARAMETERS-----\nMAA=\n-----END DH PARAMETERS-----\n',
    ];
    const path = ['leaf', 'issuing', 'xByZ', 'z'];
    const more = [
      'x',
      'xByZEnded',
      'issuingEnded',
      'stranger',
      'strangerLeaf',
      'strangerRoot',
      'sameName',
      'sameKey',
    ];
    const pieces = fc
      .tuple(
        fc.constant(path.map((name) => [name])),
        fc.array(fc.constantFrom(...path, ...more).map((name) => [name])),
        fc.array(fc.constantFrom(...noise)),
      )
      .chain(([needed, names, texts]) => {
        const all = [...needed, ...names.slice(0, 40)].map(([name = '']) => parts[name] ?? '');
        return fc.shuffledSubarray([...all, ...texts], { minLength: all.length + texts.length });
      });
    fc.assert(
      fc.property(pieces, (texts) => {
        const verdict = buildBundle({ chain: texts.join(''), key, domains }, now);
        expect(read(verdict)).toBe(path.join(' '));
        expect(read(verifyBundle({ chain: texts.join(''), key, domains }, now))).toMatch(
          /^leaf issuing xByZ/,
        );
      }),
      { numRuns: 60 },
    );
  });

  test('how long it can be used follows from the leaf and its best issuer, not from what ends above', async () => {
    const soon = { notBefore, notAfter: new Date(now.getTime() + 1000) };
    const x = await mintAuthority('X', lasting);
    const issuing = await mintAuthority('Issuing', soon, x);
    const longer = await mintAuthority('Issuing', lasting, x, { keys: issuing.keys });
    const top = await mintAuthority('X', soon, await mintAuthority('Z', lasting), { keys: x.keys });
    const { certificates, key } = await mintChain({ domains, ...lasting, issuer: issuing });
    const untilOf = (...authorities: readonly Authority[]) => {
      const chain = [certificates[0], ...authorities.map(pem)].join('');
      const verdict = buildBundle({ chain, key }, now);
      return verdict.ok ? verdict.bundle.validUntil : verdict.problem;
    };
    expect(untilOf(issuing)).toEqual(soon.notAfter);
    expect(untilOf(issuing, longer, top)).toEqual(notAfter);
  });

  test('it lasts as long as the leaf where one such path is there, though another one is longer', async () => {
    const inDays = (days: number) => ({ notBefore, notAfter: new Date(now.getTime() + days * dayMs) });
    const [old, young] = [await mintAuthority('Old', inDays(10)), await mintAuthority('Young', inDays(5000))];
    const issuing = await mintAuthority('Issuing', inDays(3000), young);
    const half = await mintAuthority('Issuing', inDays(10), old, { keys: issuing.keys });
    const { certificates, key } = await mintChain({ domains, ...lasting, issuer: issuing });
    const all = [certificates[0] ?? '', pem(issuing), pem(half), pem(old)];
    for (const chain of [all.join(''), all.toReversed().join('')]) {
      const built = buildBundle({ chain, key }, now);
      expect(built).toMatchObject({
        ok: true,
        bundle: { chain: all.slice(0, 2).join(''), validUntil: notAfter, leftOut: 2 },
      });
      const later = new Date(now.getTime() + 11 * dayMs);
      expect(built.ok && verifyBundle(built.bundle, later)).toMatchObject({ ok: true });
    }
    const stored = { chain: [all[0], all[2], all[3]].join(''), key };
    expect(verifyBundle(stored, now)).toMatchObject({
      ok: true,
      bundle: { chain: stored.chain, validUntil: inDays(10).notAfter },
    });
  });

  test('a certificate that signed itself says so; one of a root does not', async () => {
    const [own, other] = [await mintSelf({ domains, ...lasting }), minted];
    expect(buildBundle(own, now)).toMatchObject({ ok: true, bundle: { isSelfSigned: true, leftOut: 0 } });
    expect(buildBundle(other, now)).toMatchObject({ ok: true, bundle: { isSelfSigned: false } });
  });
});

describe('names that the CA added', () => {
  const asked = (names: readonly string[], requested: readonly string[]) => {
    const { chain, key: own } = wide;
    const verdict = buildBundle({ chain, key: own, domainsAtLeast: names }, now);
    const stored = verifyBundle({ chain, key: own, requestedNames: requested, domains: requested });
    return [verdict.ok ? verdict.bundle.names : verdict.problem, stored.ok];
  };
  let wide: MintedChain;
  beforeAll(async () => {
    wide = await mintChain({ domains: ['example.com', 'www.example.com', '*.a.example.com'], ...lasting });
  });

  test.each<[names: readonly string[], isAccepted: boolean]>([
    [['example.com'], true],
    [['www.example.com', 'example.com'], true],
    [['example.com', 'shop.example.com'], false],
    [['b.a.example.com'], false],
  ])('asked for %j, accepted is %s', (names, isAccepted) => {
    expect(asked(names, names)).toEqual(isAccepted ? [names, true] : ['NamesChanged', false]);
  });
});

describe('hostile chains', () => {
  /** Layers of authorities of which each has signed each of the next layer: paths multiply from layer to
   *  layer. */
  async function mintLayers(layers: number, width: number): Promise<{ chain: string; key: string }> {
    let above: readonly Authority[] = [await mintAuthority('Layer 0', lasting)];
    const all: string[] = [];
    for (let layer = 1; layer <= layers; layer += 1) {
      const first = await mintAuthority(`Layer ${layer}`, lasting, above[0]);
      const copies = await Promise.all(
        Array.from({ length: width - 1 }, (_, index) =>
          mintAuthority(
            `Layer ${layer}`,
            { notBefore, notAfter: new Date(notAfter.getTime() + index * 1000) },
            above[0],
            { keys: first.keys },
          ),
        ),
      );
      above = [first, ...copies];
      all.push(...above.map(pem));
    }
    const { certificates, key: own } = await mintChain({
      domains,
      ...lasting,
      ...(above[0] && { issuer: above[0] }),
    });
    return { chain: [certificates[0], ...all].join(''), key: own };
  }

  test.each([
    [16, 3],
    [7, 7],
    [24, 2],
  ])('%i layers of %i cross-signed authorities are judged within a second, with a whole path', async (layers, width) => {
    const { chain, key: own } = await mintLayers(layers, width);
    const computedMs = countComputing();
    const verdict = buildBundle({ chain, key: own }, now);
    expect(computedMs()).toBeLessThan(1000);
    expect(verdict.ok && verdict.bundle.chain.split('BEGIN').length - 1).toBe(layers + 1);
  });
});
