// What stands before an order: each fact with its finding, and the record to change.
import { describe, expect, test } from 'vitest';
import type { ChainFacts } from '../../lib/policy/dns/dnssec.ts';
import { hashedAccountUri } from '../../lib/policy/dns/persistent-record.ts';
import { heedProblems, judgePreflight, type PreflightProblem } from '../../lib/policy/dns/preflight.ts';
import type { NameFacts, Unanswered } from '../../lib/policy/dns/preflight-facts.ts';
import type { PlanEntry } from '../../lib/policy/issuance/plan.ts';

const ca = { identities: ['ca.example'], accountUrl: 'https://ca.example/acme/acct/7' };
const challenge = '_acme-challenge.shop.example.com';
const delegationSet = ['ns-1.aws.example', 'ns-2.aws.example'];
const zone = { kind: 'found', id: 'Z1', name: 'example.com', delegationSet, live: delegationSet } as const;
const good: NameFacts = {
  domain: 'shop.example.com',
  aliases: { kind: 'ends', names: [challenge] },
  recordName: challenge,
  zone,
  caa: { kind: 'found', at: 'example.com', records: [{ flags: 0, tag: 'issue', value: 'ca.example' }] },
};
const silence: Unanswered = {
  kind: 'unanswered',
  problem: 'ns did not answer (ETIMEOUT)',
  isServfail: false,
};
const broken: Unanswered = { kind: 'unanswered', problem: 'ns did not answer (ESERVFAIL)', isServfail: true };
const refused: Unanswered = {
  kind: 'unanswered',
  problem: 'ns did not answer (EREFUSED)',
  isServfail: false,
  isRefused: true,
};
const movedChain: ChainFacts = {
  zone: 'example.com',
  ds: [{ keyTag: 7, algorithm: 13, digestType: 2, digest: Buffer.from('ab', 'hex') }],
  keys: [],
};

function judge(change: Partial<NameFacts>, delegationZone?: string) {
  return judgePreflight({ names: [{ ...good, ...change }], delegationZone }, ca);
}

test('a name with nothing before it has no finding', () => {
  expect(judge({})).toEqual([]);
  expect(judge({ caa: { kind: 'none' } })).toEqual([]);
});

type Case = readonly [string, Partial<NameFacts>, { blocks: boolean; record: string }, readonly RegExp[]];
const cases: readonly Case[] = [
  [
    'no zone',
    { zone: { kind: 'none' } },
    { blocks: true, record: `${challenge}. CNAME` },
    [
      /holds _acme-challenge.shop.example.com:/,
      /create the record "_acme-challenge.shop.example.com. CNAME _acme-challenge.shop-example-com.acme.example.net."$/,
    ],
  ],
  [
    'an alias that leads to no zone',
    { aliases: { kind: 'ends', names: [challenge, '_acme-challenge.x.example'] }, zone: { kind: 'none' } },
    { blocks: true, record: `${challenge}. CNAME` },
    [/is an alias for _acme-challenge.x.example, which no public hosted zone .*: create the record/],
  ],
  [
    'aliases in a circle',
    { aliases: { kind: 'circle', names: [challenge, 'a.example', challenge] }, zone: { kind: 'none' } },
    { blocks: true, record: `${challenge}. CNAME` },
    [
      /form a circle \(_acme-challenge.shop.example.com → a.example → /,
      /make it "_acme-challenge.shop.example.com. CNAME /,
    ],
  ],
  [
    'too many aliases',
    { aliases: { kind: 'too long', names: [challenge, 'a.example'] } },
    { blocks: true, record: `${challenge}. CNAME` },
    [/more than a CA follows/],
  ],
  [
    'aliases that SERVFAIL hides',
    { aliases: broken },
    { blocks: true, record: `${challenge}. CNAME` },
    [/ESERVFAIL.*DNSSEC/],
  ],
  [
    'aliases that silence hides',
    { aliases: silence },
    { blocks: false, record: `${challenge}. CNAME` },
    [/ETIMEOUT.*reached/],
  ],
  [
    'aliases that a server refuses',
    { aliases: refused },
    { blocks: false, record: `${challenge}. CNAME` },
    [/EREFUSED.*does not have; check the NS records/],
  ],
  [
    'no zone, and servers that refuse the name',
    { aliases: refused, zone: { kind: 'none' }, caa: refused },
    { blocks: true, record: `${challenge}. CNAME` },
    [
      /^no public hosted zone .* holds _acme-challenge.shop.example.com: create the record "/,
      /whether a CNAME there leads to one is unknown: ns did not answer \(EREFUSED\)$/,
    ],
  ],
  [
    'no zone, and names that SERVFAIL hides',
    { aliases: broken, zone: { kind: 'none' } },
    { blocks: true, record: `${challenge}. CNAME` },
    [/^no public hosted zone .*ESERVFAIL/],
  ],
  [
    'no zone, and servers that do not answer',
    { aliases: silence, zone: { kind: 'none' }, caa: silence },
    { blocks: false, record: `${challenge}. CNAME` },
    [/^no public hosted zone .*ETIMEOUT/],
  ],
  [
    'several zones of which DNS leads to none',
    { zone: { kind: 'unclear', problem: 'two zones example.com' } },
    { blocks: true, record: 'shop.example.com. NS' },
    [/^two zones example.com$/],
  ],
  [
    'a zone that AWS does not tell of',
    { zone: { kind: 'unknown', problem: 'AWS denied route53:GetHostedZone' } },
    { blocks: false, record: `${challenge}. TXT` },
    [/^AWS denied/],
  ],
  [
    'zones that AWS does not let us see',
    { zone: { kind: 'denied', problem: 'AWS refused to let x assume the role y' } },
    { blocks: true, record: `${challenge}. TXT` },
    [/^AWS refused/],
  ],
  [
    'a delegation as only a private network sees it',
    { zone: { ...zone, live: { kind: 'private', problem: 'DNS here answers ns.corp for example.com' } } },
    { blocks: false, record: 'example.com. NS' },
    [/^DNS here answers ns.corp .*only this network.* CERTRELAY_RESOLVERS/],
  ],
  [
    'a zone that nothing delegates to',
    { zone: { ...zone, live: [] } },
    { blocks: true, record: 'example.com. NS' },
    [
      /does not lead to hosted zone example.com \(Z1\)/,
      /set the NS records of example.com.* ns-1.aws.example, ns-2.aws.example$/,
    ],
  ],
  [
    'a zone that is delegated elsewhere',
    { zone: { ...zone, live: ['ns.elsewhere.example'] } },
    { blocks: true, record: 'example.com. NS' },
    [
      /leads to ns.elsewhere.example for example.com, none of which is in the delegation set of hosted zone Z1/,
    ],
  ],
  [
    'a server too many, which a CA may ask',
    { zone: { ...zone, live: [...delegationSet, 'ns.old.example'] } },
    { blocks: false, record: 'example.com. NS' },
    [/leads to ns.old.example for example.com, which are not in/],
  ],
  [
    'a delegation that SERVFAIL hides',
    { zone: { ...zone, live: broken } },
    { blocks: true, record: 'example.com. NS' },
    [/ESERVFAIL/],
  ],
  [
    'a zone that moved, with DS records left behind',
    { brokenChains: [movedChain] },
    { blocks: true, record: 'example.com. DS' },
    [/key tag 7 algorithm 13 digest type 2 ab.* has no DNSKEY.*at its registrar/],
  ],
  [
    'a zone that moved, as a resolver of the operator remembers it',
    { brokenChains: [{ ...movedChain, confirmed: false }] },
    { blocks: false, record: 'example.com. DS' },
    [/has no DNSKEY.*\(DNSSEC; unless a resolver only remembers old records\)/],
  ],
  [
    'no zone at all, and aliases that silence hides',
    { aliases: silence, zone: { kind: 'no zones' } },
    { blocks: true, record: `${challenge}. CNAME` },
    [/no public hosted zone of this AWS account/],
  ],
  [
    'a name that is delegated away below the zone',
    { zone: { ...zone, cut: { at: 'shop.example.com', servers: ['ns.elsewhere.example'] } } },
    { blocks: true, record: 'shop.example.com. NS' },
    [/delegates shop.example.com to ns.elsewhere.example, so .* is not seen; make a hosted zone/],
  ],
  [
    'a longer zone that DNS does not lead to',
    { zone: { ...zone, unused: [{ id: 'Z2', name: 'shop.example.com' }] } },
    { blocks: false, record: 'shop.example.com. NS' },
    [
      /does not lead to hosted zone shop.example.com \(Z2\), so the TXT value is written to example.com \(Z1\)/,
    ],
  ],
  [
    'a CNAME of our own into a stranger’s zone',
    {
      aliases: { kind: 'ends', names: [challenge, 'x.stranger.example'] },
      ownAlias: { zone: { id: 'Z1', name: 'example.com' }, target: 'x.stranger.example' },
    },
    { blocks: true, record: `${challenge}. CNAME` },
    [/remove the record "_acme-challenge.shop.example.com. CNAME x.stranger.example." .* or make it "/],
  ],
  [
    'CAA for another CA',
    { caa: { kind: 'found', at: 'example.com', records: [{ flags: 0, tag: 'issue', value: 'a.example' }] } },
    { blocks: true, record: 'example.com. CAA' },
    [
      /0 issue "a.example" do not name this CA for shop.example.com; at example.com, add 0 issue "ca.example"$/,
    ],
  ],
  [
    'CAA that SERVFAIL hides',
    { caa: broken },
    { blocks: true, record: 'shop.example.com. CAA' },
    [/ESERVFAIL.*refuses/],
  ],
  [
    'CAA that silence hides',
    { caa: silence },
    { blocks: false, record: 'shop.example.com. CAA' },
    [/ETIMEOUT/],
  ],
];
test.each(cases)('%s is one finding that names the record', (_title, change, expected, messages) => {
  const findings = judge(change, 'acme.example.net');
  expect(findings).toMatchObject([{ domain: 'shop.example.com', ...expected }]);
  for (const message of messages) expect(findings[0]?.message).toMatch(message);
});

test('a server fewer than the delegation set has is no finding', () => {
  expect(judge({ zone: { ...zone, live: delegationSet.slice(1) } })).toEqual([]);
});

test('what SERVFAIL hides of CAA holds an order back where CNAMEs only are refused', () => {
  expect(judge({ aliases: refused, caa: broken }).map(({ blocks }) => blocks)).toEqual([false, true]);
});

test('what was not asked is no finding', () => {
  const unasked = { kind: 'unasked' } as const;
  expect(judge({ aliases: unasked, zone: unasked })).toEqual([]);
});

test('CAA as only a private network sees it does not hold an order back', () => {
  const live = { kind: 'private', problem: 'DNS here answers ns.corp' } as const;
  const records = [{ flags: 0, tag: 'issue', value: ';' }];
  const findings = judge({ zone: { ...zone, live }, caa: { kind: 'found', at: 'example.com', records } });
  expect(findings.map(({ record, blocks }) => `${record} ${blocks}`)).toEqual([
    'example.com. NS false',
    'example.com. CAA false',
  ]);
});

test('CAA does not hold back an order at a CA that does not say that it reads CAA', () => {
  const caa = (value: string, flags = 0, tag = 'issue') =>
    ({ kind: 'found', at: 'example.com', records: [{ flags, tag, value }] }) as const;
  const at = (identities: readonly string[], facts: NameFacts['caa']) =>
    judgePreflight({ names: [{ ...good, caa: facts }] }, { identities }).map(({ blocks }) => blocks);
  expect(at([], caa(';'))).toEqual([false]);
  expect(at(['ca.example'], caa(';'))).toEqual([true]);
  expect(at([], caa('x', 128, 'tbs'))).toEqual([]);
  expect(at(['ca.example'], caa('x', 128, 'tbs'))).toEqual([true]);
});

test('DNSSEC does not hold back an order at a CA that does not say that it reads CAA', () => {
  const names = [{ ...good, brokenChains: [movedChain] }];
  expect(judgePreflight({ names }, { identities: [] })).toMatchObject([
    { blocks: false, record: 'example.com. DS' },
  ]);
});

describe('an entry that orders', () => {
  const entry: PlanEntry = { name: 'shop', decision: 'order', reason: 'Missing', message: 'none is stored' };
  const finding = (record: string, blocks: boolean): PreflightProblem => ({
    domain: 'shop.example.com',
    blocks,
    record,
    message: `change ${record}`,
  });
  const [ns, caa] = [finding('a. NS', true), finding('a. CAA', false)];

  test('stays as it is without a finding', () => {
    expect(heedProblems(entry, [], false)).toEqual(entry);
  });

  test('waits, without an end, with each obstacle once, and says why it would order', () => {
    expect(heedProblems(entry, [ns, caa, ns, finding('b. NS', true)], false)).toEqual({
      name: 'shop',
      decision: 'wait',
      reason: 'PreflightFailed',
      message: 'a. NS: change a. NS; b. NS: change b. NS; an order is due: none is stored',
      warnings: ['a. CAA: change a. CAA'],
    });
  });

  test('goes on where it is forced, and every finding is a warning', () => {
    const warnings = ['a. NS: change a. NS', 'a. CAA: change a. CAA'];
    expect(heedProblems(entry, [ns, caa], true)).toEqual({ ...entry, warnings });
  });

  test.each([
    [3, /^c0\.: change c0\.; c1\.: change c1\.; c2\.: change c2\.; an order is due: none is stored$/],
    [
      4,
      /^4 records are in the way: c0\., c1\., c2\., c3\.; the first: c0\.: change c0\.; an order is due: none is stored$/,
    ],
    [
      40,
      /^40 records are in the way: c0\., c1\., c2\., c3\., c4\. and 35 more; the first: c0\.: change c0\.; an order/,
    ],
  ])('condenses %i obstacles: how many, the first few, and what to do about the first', (count, words) => {
    const many = Array.from({ length: count }, (_, index) => finding(`c${index}.`, true));
    expect(heedProblems(entry, many, false).message).toMatch(words);
  });

  test('names ten of eleven warnings', () => {
    const many = Array.from({ length: 11 }, (_, index) => finding(`c${index}.`, false));
    expect(heedProblems(entry, many, false).warnings?.slice(9)).toEqual(['c9.: change c9.', 'and 1 more']);
  });
});

describe('a persistent record', () => {
  const account = { accountUrl: ca.accountUrl, thumbprint: 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs' };
  const moved: NameFacts = {
    ...good,
    challenge: '_validation-persist.shop.example.com',
    zone: { ...zone, live: ['ns.elsewhere.example'] },
  };
  const blocks = (texts: readonly string[], change: Partial<NameFacts> = {}) =>
    judgePreflight(
      { names: [{ ...moved, ...change, texts }] },
      { ...ca, ...account },
      new Date('2027-01-01T00:00:00Z'),
    ).map((problem) => problem.blocks);

  test('of the account where DNS leads makes a zone elsewhere a doubt only', () => {
    expect(blocks([`ca.example; accounturi=${ca.accountUrl}`])).toEqual([false]);
    expect(blocks([])).toEqual([true]);
    expect(blocks(['ca.example; accounturi=https://ca.example/acme/acct/8'])).toEqual([true]);
    expect(blocks([`ca.example; accounturi=${ca.accountUrl}`], { domain: '*.shop.example.com' })).toEqual([
      true,
    ]);
  });

  test('of a CA of the newer draft has to have the hash of the account', () => {
    const newer = { ...account, accountHashPrefix: 'https://ca.example/account-hash/' };
    const blocksAt = (text: string) =>
      judgePreflight(
        { names: [{ ...moved, texts: [text] }] },
        { ...ca, ...newer },
        new Date('2027-01-01T00:00:00Z'),
      ).map((problem) => problem.blocks);
    const uri = hashedAccountUri(newer.accountHashPrefix, moved.domain, {
      url: newer.accountUrl,
      thumbprint: newer.thumbprint,
    });
    expect(blocksAt(`ca.example; accounturi=${uri}`)).toEqual([false]);
    expect(blocksAt(`ca.example; accounturi=${ca.accountUrl}`)).toEqual([true]);
  });

  test('does not help where no hosted zone takes it', () => {
    expect(blocks([`ca.example; accounturi=${ca.accountUrl}`], { zone: { kind: 'none' } })).toEqual([true]);
  });
});

describe('several names', () => {
  test('have their findings in their order, a wildcard by its own property', () => {
    const records = [
      { flags: 0, tag: 'issue', value: 'ca.example' },
      { flags: 0, tag: 'issuewild', value: ';' },
    ];
    const names = ['shop.example.com', '*.shop.example.com'].map((domain) => ({
      ...good,
      domain,
      caa: { kind: 'found' as const, at: 'shop.example.com', records },
      zone: { ...zone, live: [] },
    }));
    const findings = judgePreflight({ names }, ca).map(({ domain, record }) => `${domain}: ${record}`);
    expect(findings).toEqual([
      'shop.example.com: example.com. NS',
      '*.shop.example.com: example.com. NS',
      '*.shop.example.com: shop.example.com. CAA',
    ]);
  });
});
