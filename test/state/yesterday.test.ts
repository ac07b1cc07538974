// Tags as the version before wrote them: each means today what it meant then, is written the same, and what
// is no text of ours is not there.
import { describe, expect, it } from 'vitest';
import { decodeState, encodeState } from '../../lib/state/codec/tags.ts';
import type { CertificateState } from '../../lib/state/state.ts';

const version = '068a34f7e5df1a09034f8bee7ff7f337c4f931efb782e7b15b4cd8cc206077b6';
const at = new Date('2026-11-22T10:05:00.250Z');
const when = '2026-11-22T10:05:00.250Z';
const other = '4b3f5c1e-0000-4000-8000-000000000001';
const target = 'lab/shop/shop-tls';
const directory = 'https://ca.example/directory?of=second';
const encodedDirectory = 'https://ca.example/directory=3Fof=3Dsecond';
const arn = 'arn:aws:acm:us-east-1:123456789012:certificate/0a242aac-2050-4a90-a17c-92474663e2ed';

const written: readonly (readonly [tags: Readonly<Record<string, string>>, state: CertificateState])[] = [
  [
    { version, names: 'n', key: 'ecdsa-p256' },
    { version, names: 'n', key: 'ecdsa-p256' },
  ],
  [
    { source: 'discovery', place: 'lab/shop' },
    { source: 'discovery', place: { cluster: 'lab', namespace: 'shop' } },
  ],
  [{ domains: 'a.example.com/=2A.b.example.com' }, { domains: ['a.example.com', '*.b.example.com'] }],
  [
    { order: 'https://ca.example/o/1', orderFor: `${encodedDirectory}=20` },
    { order: 'https://ca.example/o/1', orderFor: { directory } },
  ],
  [{ orderFor: `${encodedDirectory}=20tlsserver` }, { orderFor: { directory, profile: 'tlsserver' } }],
  [{ txt: 'abcdefgh-_345678' }, { txt: ['abcdefgh', '-_345678'] }],
  [
    { orders: `${encodedDirectory}=20example.com=2Cexample.org=201795341100=2C1795341101` },
    {
      orders: {
        directory,
        registeredDomains: ['example.com', 'example.org'],
        times: [new Date(1_795_341_100_000), new Date(1_795_341_101_000)],
      },
    },
  ],
  [
    { failures: '1', error: 'rateLimited', nextAttempt: when },
    { failures: 1, error: 'rateLimited', nextAttempt: at },
  ],
  [
    { pausedSince: when, pauseReason: 'the=20zone=20moves' },
    { pausedSince: at, pauseReason: 'the zone moves' },
  ],
  [{ revoked: `${version}/${other}`.slice(0, 256) }, { revoked: [version, other] }],
  [{ revoking: other }, { revoking: other }],
  [
    { deployed: `${version}/99f350de/ra-` },
    { deployed: { version, targets: '99f350de', phases: ['rolled-out', 'applied', 'none'] } },
  ],
  [
    { deployed: `${version}/99f350de/-/3/${when}` },
    { deployed: { version, targets: '99f350de', phases: ['none'], retry: { failures: 3, after: at } } },
  ],
  [
    { deliveryHeld: `${version}=20=2A=20it=20was=20taken=20back=20by=20hand` },
    { freeze: { version, target: '*', reason: 'it was taken back by hand' } },
  ],
  [
    { deliveryHeld: `${other}=20${target}=20Deployment=20web:=200=20of=202` },
    { freeze: { version: other, target, reason: 'Deployment web: 0 of 2' } },
  ],
  [{ resumed: `${other}/${when}` }, { resumed: { version: other, at } }],
  [
    { acm: `${arn}+${arn.replace('us-east-1', 'us-west-2')}` },
    { acm: [arn, arn.replace('us-east-1', 'us-west-2')] },
  ],
  [
    { served: `${version}/served`, probedAt: when },
    { served: { version, word: 'served' }, probedAt: at },
  ],
  [
    { served: `${version}/stale/0a1b2c3d/sou-pm`, notServedSince: when },
    {
      served: {
        version,
        word: 'stale',
        targets: {
          addresses: '0a1b2c3d',
          words: ['served', 'stale', 'unreachable', undefined, 'unprobed', 'mismatch'],
        },
      },
      notServedSince: at,
    },
  ],
  [
    { 'tags-disagree': when, 'grace-until': when },
    { tagsDisagree: at, graceUntil: at },
  ],
  [
    { 'agent-report/edge': `${version}/54161da2/r@served@@${when}` },
    {
      reports: {
        edge: {
          deployed: { version, targets: '54161da2', phases: ['rolled-out'] },
          served: { word: 'served' },
          probedAt: at,
        },
      },
    },
  ],
  [
    {
      'agent-report/edge': `@mismatch/0a1b2c3d/m@${when}@@=21${when}=21${other}=20${target}=20it=20hung=3F@2`,
    },
    {
      reports: {
        edge: {
          served: { word: 'mismatch', targets: { addresses: '0a1b2c3d', words: ['mismatch'] } },
          notServedSince: at,
          freeze: { version: other, target, reason: 'it hung?@2' },
          resumedAt: at,
        },
      },
    },
  ],
  [{ 'agent/edge': `${version}/x/y/renewal/z` }, { signatures: { edge: `${version}/x/y/renewal/z` } }],
];

const withKeys = (tags: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(tags).map(([key, value]) => [`certrelay:${key}`, value]));

describe('what the version before wrote', () => {
  it.each(written)('%o is read as %o, and written the same', (tags, state) => {
    expect(decodeState(new Map(Object.entries(withKeys(tags))))).toEqual(state);
    expect(encodeState(state)).toEqual(withKeys(tags));
  });

  it('earlier agents say of a hold alone what and where', () => {
    const tags = new Map([['certrelay:agent-report/edge', `@@@@${other}=20${target}=20it=20hung`]]);
    expect(decodeState(tags).reports).toEqual({
      edge: { freeze: { version: other, target, reason: 'it hung' } },
    });
  });
});

describe('what is no text of ours is not there:', () => {
  it.each([
    ['place', 'nowhere'],
    ['orderFor', 'nothing'],
    ['txt', 'short'],
    ['orders', 'https://ca.example=20example.com=20now'],
    ['orders', 'https://ca.example=20example.com=201795341100=20more'],
    ['authorizations', when],
    ['authorizations', `${when}/${when}/dns-01/no-hash/classic`],
    ['authorizations', `tomorrow/${when}/dns-01/${version}/`],
    ['authorizations', `${when}/${when}/dns 01/${version}/`],
    ['deployed', version],
    ['deployed', `/99f350de/r`],
    ['deliveryHeld', `${version}=20nothing-more`],
    ['resumed', version],
    ['resumed', `${version}/tomorrow`],
    ['served', `${version}/splendid`],
    ['served', 'served'],
  ])('%s: %s', (key, value) => {
    expect(decodeState(new Map([[`certrelay:${key}`, value]]))).toEqual({});
  });

  it('letters of no step count as none, and a wait that cannot be read is none', () => {
    const tags = new Map([['certrelay:deployed', `v/k/rX/soon/${when}`]]);
    expect(decodeState(tags)).toEqual({
      deployed: { version: 'v', targets: 'k', phases: ['rolled-out', 'none'] },
    });
  });

  it('a report that nobody can read is a report of nothing', () => {
    const tags = new Map([['certrelay:agent-report/edge', 'any@thing@at@all@here']]);
    expect(decodeState(tags)).toEqual({ reports: { edge: {} } });
  });
});
