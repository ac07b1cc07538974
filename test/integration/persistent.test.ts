// dns-persist-01 through the packaged functions: one record that stays, and orders that write nothing.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fixedZone } from '../sandbox/dns/answer.ts';
import type { HostedZone } from '../sandbox/route53/hosted-zone.ts';
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts';

const domains = ['shop.example.com', '*.shop.example.com', 'blog.example.com'];
let sandbox: Sandbox;
let zone: HostedZone;

beforeAll(async () => {
  sandbox = await startSandbox({
    zones: [],
    issuer: { challenge: 'dns-persist-01', caaIdentity: 'ca.sandbox.example' },
    certificates: [{ name: 'shop', domains }],
  });
  zone = sandbox.route53.createZone('example.com');
  // Each order has to be proved anew.
  sandbox.authority.settings.authorizationReuse = false;
});
afterAll(() => sandbox.stop());

const order = () => sandbox.lambda.invoke('issue', { certificates: ['shop'], force: true });
const changes = () => sandbox.journal.find({ action: 'ChangeResourceRecordSets', principal: 'issue' }).length;
const texts = () => zone.list().filter(({ type }) => type === 'TXT');

it('takes dns-01 where the CA does not offer it, and leaves nothing behind', async () => {
  const { answer } = await order();
  expect(answer).toMatchObject({ summary: { issued: 1 } });
  expect(answer).toMatchObject({
    certificates: [
      { warnings: [expect.stringMatching(/^dns-01 was used .*does not offer dns-persist-01$/)] },
    ],
  });
  expect(changes()).toBe(2);
  expect(texts()).toEqual([]);
});

it('provisions the records once; later orders write nothing to Route 53', async () => {
  sandbox.authority.settings.persistentChallenges = true;
  const before = changes();
  const { answer } = await order();
  expect(answer).toMatchObject({ summary: { issued: 1 } });
  expect(JSON.stringify(answer)).not.toContain('warnings');
  expect(changes() - before).toBe(1);
  const records = texts();
  expect(records.map(({ name }) => name).sort()).toEqual([
    '_validation-persist.blog.example.com.',
    '_validation-persist.shop.example.com.',
  ]);
  const shop = records.find(({ name }) => name.includes('shop'))?.values ?? [];
  expect(shop.some((value) => value.endsWith('; policy=wildcard"'))).toBe(true);

  expect((await order()).answer).toMatchObject({ summary: { issued: 1 } });
  expect(changes() - before).toBe(1);
  expect(texts()).toEqual(records);
});

it('writes a record again that somebody has taken away', async () => {
  const [first] = texts();
  if (!first) throw new Error('there is no record');
  zone.change([{ action: 'DELETE', set: first }], 0);
  const before = changes();
  expect((await order()).answer).toMatchObject({ summary: { issued: 1 } });
  expect(changes() - before).toBe(1);
});

it('puts the hashed value of the newer draft beside the older one, once', async () => {
  sandbox.authority.settings.persistentDraft = 2;
  const before = changes();
  expect((await order()).answer).toMatchObject({ summary: { issued: 1 } });
  expect(changes() - before).toBe(1);
  const blog = texts().find(({ name }) => name.includes('blog'))?.values ?? [];
  expect(blog.map((value) => value.replace(/https:\/\/[^/]+/, 'https://ca')).toSorted()).toEqual([
    expect.stringMatching(
      /^"ca\.sandbox\.example; accounturi=https:\/\/ca\/account-hash\/sha-256\/[\w-]{43}"$/,
    ),
    expect.stringMatching(/^"ca\.sandbox\.example; accounturi=https:\/\/ca\/acme\/acct\/\d+"$/),
  ]);

  expect((await order()).answer).toMatchObject({ summary: { issued: 1 } });
  expect(changes() - before).toBe(1);
});

it('looks at DNS before each order, although the last one has just been proved', async () => {
  zone.isDelegated = false;
  const { answer } = await sandbox.lambda.invoke('issue', {
    certificates: ['shop'],
    force: true,
    dryRun: true,
  });
  zone.isDelegated = true;
  expect(answer).toMatchObject({
    certificates: [
      {
        warnings: expect.arrayContaining([
          expect.stringMatching(/^_validation-persist\.shop\.example\.com\. CNAME: /),
        ]),
      },
    ],
  });
});

it('goes on where the zone has moved with records that prove as much, in other words', async () => {
  const end = Math.floor(Date.now() / 1_000) + 86_400;
  const moved = texts().flatMap(({ name, values }) =>
    values
      .map((value) => value.slice(1, -1))
      .filter((text) => text.includes('sha-256'))
      .map((text) => ({ name, type: 'TXT' as const, data: [Buffer.from(`${text}; persistUntil=${end}`)] })),
  );
  zone.isDelegated = false;
  const servers = ['ns1.elsewhere.example'];
  sandbox.dns.serve(() => [
    fixedZone('example.com.', [
      ...servers.map((data) => ({ name: 'example.com.', type: 'NS' as const, data })),
      ...moved,
    ]),
  ]);
  expect((await order()).answer).toMatchObject({
    summary: { issued: 1 },
    certificates: [{ warnings: [expect.stringMatching(/^example\.com\. NS: DNS leads to ns1\.elsewhere/)] }],
  });
});
