// Whether CAA records let a CA issue: RFC 8659, and the parameters of RFC 8657.
import { describe, expect, test } from 'vitest';
import { type CaaRecord, findCaaObstacle } from '../../lib/policy/dns/caa.ts';

const ca = {
  identities: ['ca.example', 'Other-Name.example'],
  accountUrl: 'https://ca.example/acme/acct/7',
};

/** Records as in a zone file: `0 issue "ca.example"`. */
function records(...texts: readonly string[]): readonly CaaRecord[] {
  return texts.map((text) => {
    const [, flags, tag = '', value = ''] = /^(\d+) (\w+) "(.*)"$/.exec(text) ?? [];
    return { flags: Number(flags), tag, value };
  });
}

const passing: readonly [string, readonly string[]][] = [
  ['no records', []],
  ['the CA by its name', ['0 issue "ca.example"']],
  ['the CA by another of its names', ['0 issue "other-name.example"']],
  ['the CA in other letters', ['0 issue "CA.Example"']],
  ['the CA among others', ['0 issue "a.example"', '0 issue "ca.example"']],
  ['only who is told of misuse', ['0 iodef "mailto:ops@example.com"', '128 iodef "mailto:ops@example.com"']],
  ['a critical property that is known', ['128 issue "ca.example"']],
  ['the flag 1, which RFC 8659 reserves', ['1 tbs "x"', '0 issue "ca.example"']],
  [
    'a critical property about whom a CA may write to',
    ['128 contactemail "ops@example.com"', '128 contactphone "1"', '0 issue "ca.example"'],
  ],
  ['a property that nobody knows and nobody must', ['0 tbs "unknown"', '0 issue "ca.example"']],
  ['our account', ['0 issue "ca.example; accounturi=https://ca.example/acme/acct/7"']],
  [
    'our account on a second record',
    [
      '0 issue "ca.example; accounturi=https://ca.example/acme/acct/8"',
      '0 issue "ca.example;accounturi=https://ca.example/acme/acct/7"',
    ],
  ],
  ['our method', ['0 issue "ca.example; validationmethods=http-01,dns-01"']],
  [
    'a critical property about mail or mark certificates',
    ['128 issuemail ";"', '1 issuevmc ";"', '0 issuemail ";"', '0 issue "ca.example"'],
  ],
  [
    'our account by its URL in the first version of ACME',
    ['0 issue "ca.example; accounturi=https://ca.example/acme/reg/7"'],
  ],
  ['our method by its number', ['0 issue "ca.example; validationmethods=ca-tbr-19,ca-tbr-7"']],
  ['our method in other letters', ['0 issue "ca.example; validationmethods=DNS-01"']],
  ["a parameter of the CA's own", ['0 issue "ca.example; policy=ev"']],
  ['a semicolon and no parameter', ['0 issue "ca.example;"']],
];

const refused: readonly [string, readonly string[], string, string][] = [
  ['nobody', ['0 issue ";"'], '0 issue ";"', 'add 0 issue "ca.example"'],
  ['nobody, by an empty value', ['0 issue ""'], 'do not name this CA', 'add 0 issue "ca.example"'],
  ['another CA', ['0 issue "a.example"'], '0 issue "a.example"', 'add 0 issue "ca.example"'],
  ['a CA below ours', ['0 issue "sub.ca.example"'], 'do not name this CA', 'add'],
  [
    'a critical property that nobody knows',
    ['0 issue "ca.example"', '128 tbs "x"'],
    '128 tbs "x"',
    'flags to 0',
  ],
  [
    'another account',
    ['0 issue "ca.example; accounturi=https://ca.example/acme/acct/70"'],
    'another account',
    `set accounturi=${ca.accountUrl}`,
  ],
  [
    'another account by its URL in the first version of ACME',
    ['0 issue "ca.example; accounturi=https://ca.example/acme/reg/70"'],
    'another account',
    'remove accounturi',
  ],
  [
    'our number at another CA',
    ['0 issue "ca.example; accounturi=https://other.example/acme/acct/7"'],
    'another account',
    'remove accounturi',
  ],
  [
    'the number of another method',
    ['0 issue "ca.example; validationmethods=ca-tbr-22"'],
    'by dns-01',
    'add dns-01 to its validationmethods',
  ],
  [
    'two accounts on one record',
    [`0 issue "ca.example; accounturi=${ca.accountUrl}; accounturi=${ca.accountUrl}"`],
    'another account',
    'remove accounturi',
  ],
  [
    'another method',
    ['0 issue "ca.example; validationmethods=http-01"'],
    'by dns-01',
    'add dns-01 to its validationmethods',
  ],
  [
    'a method beside one that is none',
    ['0 issue "ca.example; validationmethods=dns-01,http 01"'],
    'do not name this CA',
    'add',
  ],
  [
    'a method beside an empty one',
    ['0 issue "ca.example; validationmethods=dns-01,"'],
    'by dns-01',
    'remove validationmethods',
  ],
  ['a parameter without a value', ['0 issue "ca.example; dns-01"'], 'do not name this CA', 'add'],
];

describe('a name', () => {
  test.each(passing)('is let through by %s', (_title, texts) => {
    expect(findCaaObstacle(records(...texts), false, ca)).toBeUndefined();
  });

  test.each(refused)('is stopped by %s, with the record to change', (_title, texts, problem, remedy) => {
    const obstacle = findCaaObstacle(records(...texts), false, ca);
    expect(obstacle?.problem).toContain(problem);
    expect(obstacle?.remedy).toContain(remedy);
  });
});

describe('issuewild', () => {
  const cases: readonly [readonly string[], { name: boolean; wildcard: boolean }][] = [
    [['0 issue "ca.example"'], { name: true, wildcard: true }],
    [['0 issue "ca.example"', '0 issuewild ";"'], { name: true, wildcard: false }],
    [['0 issue ";"', '0 issuewild "ca.example"'], { name: false, wildcard: true }],
    [['0 issuewild "a.example"'], { name: true, wildcard: false }],
    [['0 issuewild "ca.example; validationmethods=http-01"'], { name: true, wildcard: false }],
  ];
  test.each(cases)('%j: for a wildcard alone, and there instead of issue', (texts, passes) => {
    const set = records(...texts);
    expect(findCaaObstacle(set, false, ca) === undefined).toBe(passes.name);
    expect(findCaaObstacle(set, true, ca) === undefined).toBe(passes.wildcard);
  });

  test('is the record to add where it is the one that stops the wildcard', () => {
    const obstacle = findCaaObstacle(records('0 issue "ca.example"', '0 issuewild ";"'), true, ca);
    expect(obstacle?.remedy).toBe('add 0 issuewild "ca.example"');
  });
});

test('a CA that does not say its names is only stopped by what stops every CA', () => {
  const unnamed = { identities: [], accountUrl: ca.accountUrl };
  expect(
    findCaaObstacle(records('0 issue "a.example; validationmethods=http-01"'), false, unnamed),
  ).toBeUndefined();
  expect(findCaaObstacle(records('0 issue ";"'), false, unnamed)?.remedy).toContain('names the CA');
  expect(findCaaObstacle(records('128 tbs "x"'), false, unnamed)).toBeUndefined();
});

describe("Let's Encrypt", () => {
  const accountUrl = 'https://acme-v02.api.letsencrypt.org/acme/acct/7';
  const letsEncrypt = { identities: ['letsencrypt.org'], accountUrl };
  const staging = { ...letsEncrypt, accountUrl: 'https://acme-staging-v02.api.letsencrypt.org/acme/acct/7' };

  test.each([
    ['https://acme-v01.api.letsencrypt.org/acme/reg/7', letsEncrypt, true],
    ['https://acme-v01.api.letsencrypt.org/acme/reg/8', letsEncrypt, false],
    ['https://acme-staging.api.letsencrypt.org/acme/reg/7', staging, true],
    ['https://acme-staging.api.letsencrypt.org/acme/reg/7', letsEncrypt, false],
    ['https://acme-v01.api.letsencrypt.org/acme/reg/7', staging, false],
  ])('the account %s is ours by its older URL, or is not', (uri, ca, isOurs) => {
    const obstacle = findCaaObstacle(records(`0 issue "letsencrypt.org; accounturi=${uri}"`), false, ca);
    expect(obstacle === undefined).toBe(isOurs);
  });

  test('does not know who may be written to, and so refuses that where it is critical', () => {
    const refuses = (flags: number) =>
      findCaaObstacle(
        records('0 issue "letsencrypt.org"', `${flags} contactemail "a@example.com"`),
        false,
        letsEncrypt,
      )?.problem;
    expect(refuses(128)).toContain('128 contactemail "a@example.com" is marked critical');
    expect(refuses(0)).toBeUndefined();
  });

  test('reads the flag 1 as critical', () => {
    const set = records('0 issue "letsencrypt.org"', '1 tbs "x"');
    expect(findCaaObstacle(set, false, letsEncrypt)?.remedy).toContain('flags to 0');
  });

  test.each([
    ['ca-tbr-7', false],
    ['DNS-01', false],
    ['dns-01', true],
  ])('reads no label but the names of challenges: %s', (label, isOurs) => {
    const set = records(`0 issue "letsencrypt.org; validationmethods=${label}"`);
    expect(findCaaObstacle(set, false, letsEncrypt) === undefined).toBe(isOurs);
  });
});

test('dns-persist-01 has a number of its own', () => {
  const set = records('0 issue "ca.example; validationmethods=ca-tbr-22"');
  expect(findCaaObstacle(set, false, { ...ca, methods: ['dns-persist-01', 'dns-01'] })).toBeUndefined();
});

describe('before there is an account', () => {
  const unknown = { identities: ca.identities };

  test('records for one account are not judged, and methods are', () => {
    const account = '0 issue "ca.example; accounturi=https://ca.example/acme/acct/8"';
    expect(findCaaObstacle(records(account), false, unknown)).toBeUndefined();
    const both = '0 issue "ca.example; accounturi=https://ca.example/acme/acct/8; validationmethods=http-01"';
    expect(findCaaObstacle(records(both), false, unknown)?.remedy).toContain('validationmethods');
  });

  test('two accounts on one record are an obstacle for every account', () => {
    const twice = '0 issue "ca.example; accounturi=https://a.example/1; accounturi=https://a.example/2"';
    expect(findCaaObstacle(records(twice), false, unknown)?.problem).toContain('another account');
  });
});
