// A name whose DNS is with somebody else, from the CNAME that its owner is told to create to the stored
// certificate.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { verifyBundle } from '../../lib/certificate/bundle.ts';
import { fixedZone } from '../sandbox/dns/answer.ts';
import { prefix, type Sandbox, startSandbox } from '../sandbox/sandbox.ts';

const domains = ['shop.customer.net', '*.shop.customer.net'];
let sandbox: Sandbox;
/** CNAMEs in the customer's zone. */
const aliases = new Map<string, string>();

beforeAll(async () => {
  sandbox = await startSandbox({
    zones: ['example.com', 'acme.example.com'],
    dns: { delegationZone: 'acme.example.com' },
    certificates: [
      { name: 'customer', domains },
      { name: 'own', domains: ['own.example.com'] },
    ],
  });
  sandbox.dns.serve(() => [
    fixedZone('customer.net.', [
      { name: 'customer.net.', type: 'NS', data: 'ns1.customer.net' },
      ...Array.from(aliases, ([name, data]) => ({ name, type: 'CNAME' as const, data })),
    ]),
  ]);
});
afterAll(() => sandbox.stop());

const texts = () =>
  ['example.com', 'acme.example.com'].flatMap((zone) =>
    sandbox.route53.list(zone).filter(({ type }) => type === 'TXT'),
  );

it('W19 prints the CNAME to create, and once it is there issues through it and leaves nothing behind', async () => {
  const first = await sandbox.lambda.invoke('issue', {});
  expect(first.answer).toMatchObject({
    certificates: [{ reason: 'PreflightFailed' }, { outcome: 'issued' }],
  });
  const [, owner = '', target = ''] =
    /create the record "(\S+) CNAME (\S+)"/.exec(Object(first.answer).certificates[0].message) ?? [];
  expect(owner).toBe('_acme-challenge.shop.customer.net.');
  expect(target).toBe('_acme-challenge.shop-customer-net.acme.example.com.');

  aliases.set(owner, target);
  const { answer } = await sandbox.lambda.invoke('issue', { certificates: ['customer'] });
  expect(answer).toMatchObject({ certificates: [{ name: 'customer', outcome: 'issued' }] });
  const written = sandbox.journal.find({ action: 'ChangeResourceRecordSets', principal: 'issue' });
  expect(written.slice(-2).map(({ detail }) => Object(detail)[0].name)).toEqual([
    target.slice(0, -1),
    target.slice(0, -1),
  ]);
  expect(texts()).toEqual([]);

  const secret = sandbox.secretsManager.vault.find(`${prefix}/certificates/customer`);
  const version = secret?.versions.get(secret.labels.get('AWSCURRENT') ?? '');
  const value: unknown = JSON.parse(version?.value.text ?? '{}');
  const { 'tls.crt': chain, 'tls.key': key } = Object(value);
  expect(verifyBundle({ chain, key, domains })).toMatchObject({ ok: true });
});
