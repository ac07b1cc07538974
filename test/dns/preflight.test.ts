// The facts that an order depends on, gathered from real DNS questions and Route 53 calls.
import { createHash } from 'node:crypto';
import type { ResourceRecordSet } from '@aws-sdk/client-route-53';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connectDns } from '../../lib/adapters/dns/connection.ts';
import { keyTag } from '../../lib/policy/dns/dnssec.ts';
import { judgePreflight } from '../../lib/policy/dns/preflight.ts';
import { FakeLog } from '../fakes/log.ts';
import { create, type Setting, startSetting } from '../route53/harness.ts';
import { fixedZone } from '../sandbox/dns/answer.ts';
import type { HostedZone } from '../sandbox/route53/hosted-zone.ts';

let setting: Setting;
let hosted: HostedZone;
let zone: string;
beforeEach(async () => {
  setting = await startSetting();
  hosted = setting.route53.createZone('example.com');
  zone = hosted.id;
});
afterEach(() => setting.stop());

const name = 'shop.example.com';
const challenge = `_acme-challenge.${name}`;
const ca = { identities: ['ca.example'], accountUrl: 'https://ca.example/acct/1' };

function connect() {
  const { dns, route53 } = setting.open();
  const preflight = dns.createPreflight(route53.findZone, 'acme.example.com');
  return (...domains: readonly string[]) => preflight(domains, 'all', setting.signal);
}

async function gather(...domains: readonly string[]) {
  const { names } = await connect()(...domains);
  return names;
}

const records = (at: string, type: ResourceRecordSet['Type'], ...values: readonly string[]) =>
  create({ Name: at, Type: type, TTL: 60, ResourceRecords: values.map((Value) => ({ Value })) });
const asked = (type: string) =>
  setting.journal.find({ service: 'dns', action: type }).map(({ resource }) => resource);

test('a name in a zone that is delegated, without CAA, has no finding', async () => {
  const facts = await connect()(name, `*.${name}`);
  expect(judgePreflight(facts, ca)).toEqual([]);
  expect(facts.names[0]).toEqual({
    domain: name,
    aliases: { kind: 'ends', names: [challenge] },
    recordName: challenge,
    zone: {
      kind: 'found',
      id: zone,
      name: 'example.com',
      delegationSet: [1, 2, 3, 4].map((n) => `ns-${n}.sandbox.example`),
      live: expect.arrayContaining([1, 2, 3, 4].map((n) => `ns-${n}.sandbox.example`)),
    },
    caa: { kind: 'none' },
  });
});

test('what names have in common is asked once in a run, and bounded at once', async () => {
  const domains = Array.from({ length: 60 }, (_, n) => `n${n}.example.com`);
  let [open, most] = [0, 0];
  setting.journal.before(async ({ service }) => {
    if (service !== 'dns') return;
    most = Math.max(most, ++open);
    await new Promise((resolve) => setImmediate(resolve));
  });
  setting.journal.after(({ service }) => {
    if (service === 'dns') open -= 1;
  });
  const preflight = connect();
  await preflight(...domains);
  await preflight(...domains, '*.n1.example.com');
  expect(asked('NS')).toEqual(['example.com']);
  expect(asked('CAA').filter((at) => at === 'example.com' || at === 'com')).toHaveLength(2);
  expect(asked('CNAME').filter((at) => at !== 'example.com')).toHaveLength(60);
  expect(asked('CNAME')).toHaveLength(61);
  expect([setting.count('ListHostedZones'), setting.count('GetHostedZone')]).toEqual([1, 1]);
  // Each of twenty names asks for its alias and its CAA.
  expect(most).toBeLessThanOrEqual(40);
});

describe('CAA', () => {
  test('is taken from the closest name that has any, with flags, tags and parameters', async () => {
    await setting.write(
      zone,
      records('example.com', 'CAA', '0 issue "a.example"'),
      records(
        'eu.example.com',
        'CAA',
        '0 issue "ca.example; accounturi=https://ca.example/acct/1; validationmethods=dns-01"',
        '128 issuewild ";"',
        '0 iodef "mailto:a@example.com"',
        '0 tbs "unknown"',
      ),
    );
    const [near, far] = await gather('*.shop.eu.example.com', name);
    expect(near?.caa).toMatchObject({ kind: 'found', at: 'eu.example.com' });
    const found = near?.caa.kind === 'found' ? near.caa.records : [];
    expect(found.map(({ flags, tag, value }) => `${flags} ${tag} ${value}`).toSorted()).toEqual([
      '0 iodef mailto:a@example.com',
      '0 issue ca.example; accounturi=https://ca.example/acct/1; validationmethods=dns-01',
      '0 tbs unknown',
      '128 issuewild ;',
    ]);
    expect(far?.caa).toMatchObject({ kind: 'found', at: 'example.com' });
    expect(asked('CAA')).toEqual(
      expect.arrayContaining(['shop.eu.example.com', 'eu.example.com', name, 'example.com']),
    );
    expect(asked('CAA')).not.toContain('com');
  });

  test("of an alias is that of its target, and not of the target's parents", async () => {
    const other = setting.route53.createZone('example.net').id;
    await setting.write(zone, records(name, 'CNAME', 'www.example.net.'));
    await setting.write(zone, records('api.example.com', 'CNAME', 'bare.example.net.'));
    await setting.write(
      other,
      records('www.example.net', 'CAA', '0 issue "net.example"'),
      records('example.net', 'CAA', '0 issue "parent.example"'),
      records('bare.example.net', 'A', '192.0.2.1'),
    );
    const [aliased, bare] = await gather(name, 'api.example.com');
    expect(aliased?.caa).toMatchObject({ kind: 'found', at: name, records: [{ value: 'net.example' }] });
    expect(bare?.caa).toEqual({ kind: 'none' });
  });

  test.each([
    ['SERVFAIL', { kind: 'error', code: 'SERVFAIL', status: 0 } as const, true],
    ['REFUSED', { kind: 'error', code: 'REFUSED', status: 0 } as const, false],
    ['an answer that is no DNS', { kind: 'malformed' } as const, false],
  ])('that %s hides is no CAA that is not there', async (title, fault, isServfail) => {
    setting.faults.set('dns', 'CAA', fault, 10, (at) => at === 'example.com');
    const [facts] = await gather(name);
    expect(facts?.caa).toEqual({
      kind: 'unanswered',
      isServfail,
      ...(title === 'REFUSED' && { isRefused: true }),
      problem: expect.stringContaining('did not answer CAA example.com'),
    });
  });
});

describe('the delegation', () => {
  test('to servers under names of our own is to those of AWS, where they have their addresses', async () => {
    await setting.write(zone, records('ns1.example.com', 'A', '127.0.0.1'), {
      ...records('example.com', 'NS', 'ns1.example.com.'),
      Action: 'UPSERT',
    });
    const facts = await connect()(name);
    expect(judgePreflight(facts, ca)).toEqual([]);
  });

  test("to somebody else's servers is a finding that names the NS record", async () => {
    setting.route53.createZone('example.org', { delegated: false });
    setting.serveElsewhere('example.org', ['ns1.elsewhere.example']);
    const findings = judgePreflight(await connect()('shop.example.org'), ca);
    expect(findings).toMatchObject([{ blocks: true, record: 'example.org. NS' }]);
    expect(findings[0]?.message).toContain('ns1.elsewhere.example');
  });

  test('of a zone that no parent knows is a finding too', async () => {
    setting.route53.createZone('example.org', { delegated: false });
    setting.serveElsewhere('org', ['ns.org']);
    const findings = judgePreflight(await connect()('shop.example.org'), ca);
    expect(findings).toMatchObject([{ blocks: true, record: 'example.org. NS' }]);
    expect(findings[0]?.message).toContain('does not lead to hosted zone example.org');
  });

  test.each([
    ['does not know', [], false],
    ['delegates elsewhere', ['ns.elsewhere.example'], true],
  ])('of a longer zone of ours that the shorter one %s', async (_title, servers, blocks) => {
    const unused = setting.route53.createZone('sub.example.com', { delegated: false });
    if (servers.length > 0) setting.serveElsewhere('sub.example.com', servers);
    const log = new FakeLog();
    const { dns, route53 } = setting.open({ log });
    const facts = await dns.createPreflight(route53.findZone)(
      ['shop.sub.example.com'],
      'all',
      setting.signal,
    );
    expect(judgePreflight(facts, ca)).toMatchObject([{ blocks, record: 'sub.example.com. NS' }]);
    const value = { name: '_acme-challenge.shop.sub.example.com', value: 'x' };
    await route53.records.present([value], setting.signal);
    expect(setting.texts(blocks ? 'sub.example.com' : 'example.com')).toHaveLength(1);
    const lines = log.lines.filter(({ event }) => event === 'hosted zone not used');
    expect(lines).toMatchObject(
      blocks
        ? []
        : [{ level: 'warn', fields: { zone: 'sub.example.com', id: unused.id, writtenTo: 'example.com' } }],
    );
  });

  test('of a longer zone of ours that is in use costs no look at the shorter one', async () => {
    const sub = setting.route53.createZone('sub.example.com');
    const facts = await connect()('shop.sub.example.com');
    expect(judgePreflight(facts, ca)).toEqual([]);
    expect(facts.names[0]?.zone).toMatchObject({ id: sub.id });
    expect(asked('NS')).toEqual(['sub.example.com']);
    expect(setting.count('GetHostedZone')).toBe(1);
  });

  test.each([
    ['a parent of the name', 'eu.example.com', 'make a hosted zone eu.example.com'],
    ['the name', 'shop.eu.example.com', 'make a hosted zone shop.eu.example.com'],
    ['its challenge', '_acme-challenge.shop.eu.example.com', 'remove the NS records at _acme-challenge'],
  ])('of %s to somebody else is an obstacle', async (_title, at, remedy) => {
    await setting.write(zone, records(at, 'NS', 'ns.elsewhere.example.'));
    const findings = judgePreflight(await connect()('shop.eu.example.com', name), ca);
    expect(findings).toMatchObject([{ domain: 'shop.eu.example.com', blocks: true, record: `${at}. NS` }]);
    expect(findings[0]?.message).toContain(`delegates ${at} to ns.elsewhere.example`);
    expect(findings[0]?.message).toContain(remedy);
  });

  test('is seen through a server that answers the name, and one that says no zone costs a question a label', async () => {
    setting.serveElsewhere('eu.example.com', ['ns.elsewhere.example']);
    await setting.write(zone, records('eu.example.com', 'NS', 'ns.elsewhere.example.'));
    const findings = judgePreflight(await connect()('shop.eu.example.com'), ca);
    expect(findings).toMatchObject([{ blocks: true, record: 'eu.example.com. NS' }]);
    expect(asked('NS').toSorted()).toEqual(['eu.example.com', 'example.com']);
  });

  test('that the hosted zone no longer has, but a resolver remembers, is none', async () => {
    setting.serveElsewhere('eu.example.com', ['ns.elsewhere.example']);
    expect(judgePreflight(await connect()('shop.eu.example.com'), ca)).toEqual([]);
    // Of a zone below one that is delegated away, the hosted zone has no records either.
    setting.serveElsewhere('shop.eu.example.com', ['ns.elsewhere.example']);
    await setting.write(zone, records('eu.example.com', 'NS', 'ns.elsewhere.example.'));
    expect(judgePreflight(await connect()('shop.eu.example.com'), ca)).toMatchObject([{ blocks: true }]);
  });

  test.each([
    ['the zone itself', 'example.com'],
    ["somebody else's zone", 'other.example'],
  ])('is not taken from a wildcard that is an alias for %s', async (_title, target) => {
    setting.serveElsewhere('other.example', ['ns.elsewhere.example']);
    setting.route53.createZone('sub.example.com', { delegated: false });
    await setting.write(zone, records('*.example.com', 'CNAME', `${target}.`));
    const findings = judgePreflight(await connect()(name, 'eu.sub.example.com'), ca);
    expect(findings).toMatchObject([{ blocks: false, record: 'sub.example.com. NS' }]);
    expect(findings[0]?.message).toContain('is written to example.com');
  });

  test('that cannot be judged does not reject: a denied call is a finding that does not block', async () => {
    setting.faults.set('route53', 'GetHostedZone', { kind: 'error', code: 'AccessDenied', status: 403 });
    const findings = judgePreflight(await connect()(name), ca);
    expect(findings).toMatchObject([{ blocks: false }]);
    expect(findings[0]?.message).toContain('needs route53:GetHostedZone');
  });
});

test('a role that is refused is an obstacle; a delegation set that is denied is none', async () => {
  const roleArn = 'arn:aws:iam::210987654321:role/certrelay-dns';
  const { dns, route53 } = setting.open({ roles: [{ match: 'example.com', roleArn }] });
  const facts = await dns.createPreflight(route53.findZone)([name], 'all', setting.signal);
  expect(judgePreflight(facts, ca)).toMatchObject([
    { blocks: true, record: `${challenge}. TXT`, message: expect.stringContaining(roleArn) },
  ]);
});

test('for an order that may need no proof, CAA alone is asked, and Route 53 is not', async () => {
  await setting.write(zone, records('example.com', 'CAA', '0 issue "a.example"'));
  const { dns, route53 } = setting.open();
  const facts = await dns.createPreflight(route53.findZone)([name], 'caa', setting.signal);
  expect(judgePreflight(facts, ca)).toMatchObject([{ blocks: true, record: 'example.com. CAA' }]);
  expect([asked('CNAME'), asked('NS'), setting.count('ListHostedZones')]).toEqual([[], [], 0]);
});

test('a persistent record is looked at under its own name, and read only where DNS leads elsewhere', async () => {
  setting.route53.createZone('example.org', { delegated: false });
  setting.serveElsewhere('example.org', ['ns.elsewhere.example']);
  const { dns, route53 } = setting.open();
  const look = dns.createPreflight(route53.findZone);
  const { names } = await look([name, 'shop.example.org'], 'lasting', setting.signal);
  expect(names.map(({ recordName }) => recordName)).toEqual([
    '_validation-persist.shop.example.com',
    '_validation-persist.shop.example.org',
  ]);
  expect(asked('TXT')).toEqual(['_validation-persist.shop.example.org']);
  expect(judgePreflight({ names }, ca)).toMatchObject([{ blocks: true, record: 'example.org. NS' }]);
});

describe('aliases', () => {
  test('lead to the zone of ours at their end', async () => {
    const acme = setting.route53.createZone('acme.example.net').id;
    const target = '_acme-challenge.shop.acme.example.net';
    setting.serveElsewhere('customer.com', ['ns1.customer.com'], { '_acme-challenge.customer.com': target });
    const [facts] = await gather('customer.com');
    expect(facts).toMatchObject({
      aliases: { kind: 'ends', names: ['_acme-challenge.customer.com', target] },
      recordName: target,
      zone: { kind: 'found', id: acme },
    });
  });

  test('that lead nowhere, or to no zone of ours, are findings with the CNAME to create', async () => {
    setting.serveElsewhere('customer.com', ['ns1.customer.com'], {
      '_acme-challenge.a.customer.com': '_acme-challenge.a.customer.com',
    });
    const findings = judgePreflight(await connect()('a.customer.com', 'b.customer.com'), ca);
    expect(findings.map(({ domain, blocks, record }) => ({ domain, blocks, record }))).toEqual([
      { domain: 'a.customer.com', blocks: true, record: '_acme-challenge.a.customer.com. CNAME' },
      { domain: 'b.customer.com', blocks: true, record: '_acme-challenge.b.customer.com. CNAME' },
    ]);
    for (const { domain, message } of findings) {
      const target = `${domain.replaceAll('.', '-')}.acme.example.com.`;
      expect(message).toContain(`"_acme-challenge.${domain}. CNAME _acme-challenge.${target}"`);
    }
  });

  test('of our own zone that lead to a stranger are obstacles, with the record to remove', async () => {
    await setting.write(
      zone,
      records(challenge, 'CNAME', 'shop.dns.stranger.example.'),
      records('_acme-challenge.b.example.com', 'CNAME', '_acme-challenge.b.stranger.example.'),
    );
    setting.serveElsewhere('stranger.example', ['ns.stranger.example']);
    const findings = judgePreflight(await connect()(name, 'b.example.com'), ca);
    expect(findings.map(({ blocks, record }) => `${record} ${blocks}`)).toEqual([
      `${challenge}. CNAME true`,
      '_acme-challenge.b.example.com. CNAME true',
    ]);
    expect(findings[0]?.message).toContain(
      `remove the record "${challenge}. CNAME shop.dns.stranger.example." from hosted zone example.com`,
    );
    expect(findings[1]?.message).toContain(
      'remove the record "_acme-challenge.b.example.com. CNAME _acme-challenge.b.stranger.example."',
    );
  });

  test('of our own zone that lead to a server without an answer are told by the zone itself', async () => {
    setting.route53.createZone('acme.example.net');
    await setting.write(
      zone,
      records(challenge, 'CNAME', 'shop.dns.silent.example.'),
      records('_acme-challenge.b.example.com', 'CNAME', '_acme-challenge.b.acme.example.net.'),
    );
    setting.faults.set('dns', 'CNAME', { kind: 'error', code: 'REFUSED', status: 0 }, 10, (at) =>
      at.includes('acme.example.net'),
    );
    const findings = judgePreflight(await connect()(name, 'b.example.com'), ca);
    expect(findings.map(({ blocks, record }) => `${record} ${blocks}`)).toEqual([
      `${challenge}. CNAME true`,
      '_acme-challenge.b.example.com. CNAME false',
    ]);
    expect(findings[0]?.message).toContain('remove the record');
  });

  test('that a wildcard of our own zone makes are none', async () => {
    await setting.write(zone, records('*.example.com', 'CNAME', 'web.stranger.example.'));
    setting.serveElsewhere('stranger.example', ['ns.stranger.example']);
    const facts = await connect()(name, 'example.com');
    expect(judgePreflight(facts, ca)).toEqual([]);
    expect(facts.names[0]?.aliases).toMatchObject({ names: [challenge, 'web.stranger.example'] });
    await expect(
      setting.connect().present([{ name: challenge, value: 'x' }], setting.signal),
    ).resolves.toEqual({ failed: new Map() });
  });

  test('of our own zone that lead to another zone of ours are none, and cost no look at records', async () => {
    await setting.write(zone, records(challenge, 'CNAME', '_acme-challenge.shop.acme.example.net.'));
    setting.route53.createZone('acme.example.net');
    expect(judgePreflight(await connect()(name), ca)).toEqual([]);
    expect(setting.count('ListResourceRecordSets')).toBe(0);
  });

  test('that DNS does not answer are said to be unanswered, after the patience of two questions', async () => {
    setting.faults.set('dns', 'CNAME', { kind: 'error', code: 'SERVFAIL', status: 0 }, 10);
    const [facts] = await gather(name);
    expect(facts).toMatchObject({ aliases: { kind: 'unanswered', isServfail: true }, recordName: challenge });
  });
});

test('without any hosted zone nothing can be ordered, even if DNS does not answer', async () => {
  const empty = await startSetting();
  try {
    const { dns, route53 } = empty.open();
    const facts = await dns.createPreflight(route53.findZone)([name], 'all', empty.signal);
    expect(facts.names[0]?.aliases.kind).toBe('unanswered');
    const findings = judgePreflight(facts, ca).filter(({ blocks }) => blocks);
    expect(findings).toMatchObject([{ record: `${challenge}. CNAME` }]);
    expect(findings[0]?.message).toContain('no public hosted zone of this AWS account');
  } finally {
    await empty.stop();
  }
});

test('a name whose hosted zone is gone, so that its servers refuse it, cannot be ordered', async () => {
  const facts = await connect()('www.gone.net');
  expect(facts.names[0]).toMatchObject({ aliases: { isRefused: true }, zone: { kind: 'none' } });
  const problems = judgePreflight(facts, ca);
  expect(problems).toMatchObject([{ blocks: true, record: '_acme-challenge.www.gone.net. CNAME' }]);
  expect(problems[0]?.message).toMatch(
    /^no public hosted zone .* holds _acme-challenge\.www\.gone\.net: create the record "/,
  );
});

describe('DNSSEC', () => {
  const key = { flags: 257, algorithm: 13, key: Buffer.alloc(64, 7) };
  const other = { ...key, key: Buffer.alloc(64, 8) };
  /** The DS record of a key of example.com, as its parent has it. */
  const signer = (signed: typeof key) => {
    const data = Buffer.concat([Buffer.of(1, 1, 3, 13), signed.key]);
    const owner = Buffer.from('\u0007example\u0003com\u0000', 'latin1');
    const digest = createHash('sha256').update(owner).update(data).digest();
    return { keyTag: keyTag(signed), algorithm: 13, digestType: 2, digest };
  };
  const soa = { mname: 'ns.com', rname: 'x.com', serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 1 };
  /** The root and `com.`, which is signed, with DS records of example.com. */
  const serveParent = (...signed: readonly (typeof key)[]) => {
    serveAbove([{ name: 'com.', type: 'DS', data: signer(key) }], signed);
  };
  const serveAbove = (
    ofCom: Parameters<typeof fixedZone>[1],
    signed: readonly (typeof key)[],
    referral: readonly string[] = [],
  ) =>
    setting.dns.serve(() => [
      fixedZone('.', [
        { name: '.', type: 'SOA', data: soa },
        { name: '.', type: 'NS', data: 'ns-1.sandbox.example' },
        { name: 'com.', type: 'NS', data: 'ns-1.sandbox.example' },
        ...ofCom,
      ]),
      fixedZone('com.', [
        { name: 'com.', type: 'SOA', data: soa },
        { name: 'com.', type: 'NS', data: 'ns-1.sandbox.example' },
        ...signed.map((one) => ({ name: 'example.com.', type: 'DS' as const, data: signer(one) })),
        { name: 'flat.com.', type: 'DS', data: signer(key) },
        ...referral.map((data) => ({ name: 'example.com.', type: 'NS' as const, data })),
      ]),
    ]);
  const sign = (...keys: readonly (typeof key)[]) => {
    hosted.signingKeys = keys;
  };
  /** As on a machine without CERTRELAY_RESOLVERS: its resolver, then the servers of parent and zone. */
  const connectAsUsual = () => {
    const { route53 } = setting.open();
    const network = { resolver: setting.dns.address, port: setting.dns.port };
    const dns = connectDns({ network, clock: setting.clock, log: new FakeLog() });
    return (about: 'all' | 'caa', domain = name) =>
      dns.createPreflight(route53.findZone)([domain], about, setting.signal);
  };

  test('of a zone that is not signed costs one question', async () => {
    expect(judgePreflight(await connect()(name, 'b.example.com'), ca)).toEqual([]);
    expect([asked('DS'), asked('DNSKEY')]).toEqual([['example.com'], []]);
  });

  test('of a zone whose key fits is fine, and costs two', async () => {
    serveParent(key);
    sign(other, key);
    expect(judgePreflight(await connectAsUsual()('all'), ca)).toEqual([]);
    expect([asked('DS'), asked('DNSKEY')]).toEqual([['example.com'], ['example.com']]);
  });

  test.each([
    ['all', 'the zone has no DNSKEY', []],
    ['all', "the zone's DNSKEY records are others", [other]],
    ['caa', 'the zone has no DNSKEY', []],
  ] as const)('of a zone that moved is an obstacle, asked for %s: %s', async (about, words, keys) => {
    serveParent(key);
    sign(...keys);
    const findings = judgePreflight(await connectAsUsual()(about), ca);
    expect(findings).toMatchObject([{ blocks: true, record: 'example.com. DS' }]);
    expect(findings[0]?.message).toContain(words);
    expect(findings[0]?.message).toContain(`key tag ${keyTag(key)}`);
  });

  test.each([
    ['no DS records', []],
    ['DS records of an algorithm that validators do not know', [{ ...signer(key), algorithm: 200 }]],
  ])('of a zone below one with %s is not looked at: all of it is insecure', async (_title, above) => {
    serveAbove(
      above.map((data) => ({ name: 'com.', type: 'DS', data })),
      [key],
    );
    sign(other);
    expect(judgePreflight(await connectAsUsual()('all'), ca)).toEqual([]);
    expect(judgePreflight(await connect()(name), ca)).toEqual([]);
  });

  test('of a name that is no zone, but has DS records, is not looked at', async () => {
    serveParent();
    expect(judgePreflight(await connectAsUsual()('caa', 'flat.com'), ca)).toEqual([]);
    expect(asked('DS')).toContain('flat.com');
  });

  test.each([
    ['to other servers, which nobody has asked, is a doubt', ['ns-1.new.example'], [false]],
    [
      'to the servers that were asked is an obstacle',
      [1, 2, 3, 4].map((n) => `ns-${n}.sandbox.example`),
      [true],
    ],
  ] as const)('of a zone that its parent refers %s', async (_title, referral, blocks) => {
    serveAbove([{ name: 'com.', type: 'DS', data: signer(key) }], [key], referral);
    sign(other);
    // The resolver remembers where the zone was, and its old keys; the servers of the parent do not.
    setting.journal.before(({ service, action }) => {
      if (service === 'dns' && action === 'DNSKEY') hosted.isDelegated = asked('DNSKEY').length !== 2;
    });
    const { brokenChains } = (await connectAsUsual()('caa')).names[0] ?? {};
    expect((brokenChains ?? []).map(({ confirmed }) => confirmed !== false)).toEqual(blocks);
  });

  describe('of a zone between a name and its registered domain', () => {
    const host = 'shop.dept.example.com';
    beforeEach(() => {
      setting.route53.createZone('example.net');
      const to = '_acme-challenge.shop.example.net';
      const digest = Buffer.alloc(32, 1);
      serveParent(key);
      // Somebody else has example.com, with the DS record of a zone below it whose keys are gone.
      hosted.isDelegated = false;
      setting.dns.serve(() => [
        fixedZone('dept.example.com.', [
          { name: 'dept.example.com.', type: 'SOA', data: soa },
          { name: 'dept.example.com.', type: 'NS', data: 'ns-1.sandbox.example' },
          { name: `_acme-challenge.${host}.`, type: 'CNAME', data: `${to}.` },
        ]),
        fixedZone('example.com.', [
          { name: 'example.com.', type: 'SOA', data: soa },
          { name: 'example.com.', type: 'NS', data: 'ns-1.sandbox.example' },
          { name: 'example.com.', type: 'DNSKEY', data: key },
          { name: 'dept.example.com.', type: 'NS', data: 'ns-1.sandbox.example' },
          {
            name: 'dept.example.com.',
            type: 'DS',
            data: { keyTag: 1, algorithm: 13, digestType: 2, digest },
          },
        ]),
      ]);
    });

    test('is an obstacle although the challenge is delegated past it', async () => {
      const findings = judgePreflight(await connectAsUsual()('all', `*.${host}`), ca);
      expect(findings).toMatchObject([{ blocks: true, record: 'dept.example.com. DS' }]);
      expect(asked('DS')).toEqual(expect.arrayContaining(['example.net', host]));
      expect(asked('DS')).not.toContain(`*.${host}`);
    });
  });

  test('that only a chosen resolver has seen is a doubt, because it may remember old records', async () => {
    serveParent(key);
    sign(other);
    const findings = judgePreflight(await connect()(name), ca);
    expect(findings).toMatchObject([{ blocks: false, record: 'example.com. DS' }]);
  });

  test('that a server does not answer holds nothing back', async () => {
    serveParent(key);
    setting.faults.set('dns', 'DNSKEY', { kind: 'error', code: 'SERVFAIL', status: 0 }, 100);
    expect(judgePreflight(await connectAsUsual()('all'), ca)).toEqual([]);
    setting.faults.clear();
    setting.faults.set('dns', 'DS', { kind: 'malformed' }, 100);
    expect(judgePreflight(await connectAsUsual()('all'), ca)).toEqual([]);
  });
});

test('the end of the run ends it', async () => {
  const run = new AbortController();
  const reason = new Error('out of time');
  const { dns, route53 } = setting.open();
  setting.journal.before(({ service }) => {
    if (service === 'dns') run.abort(reason);
  });
  setting.faults.set('dns', 'CAA', { kind: 'drop' }, 10);
  const gathering = dns.createPreflight(route53.findZone)([name], 'all', run.signal);
  await expect(gathering).rejects.toBe(reason);
});
