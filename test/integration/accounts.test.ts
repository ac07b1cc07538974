// Certificates whose names have their hosted zones in several AWS accounts, through the functions as they are
// deployed.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readDnsRole } from '../infra/policies.ts';
import { prefix, type Sandbox, startSandbox } from '../sandbox/sandbox.ts';

const [net, closed] = ['210987654321', '333333333333'].map((account) => ({
  account,
  arn: `arn:aws:iam::${account}:role/certrelay-dns`,
})) as [Role, Role];
interface Role {
  readonly account: string;
  readonly arn: string;
}

let sandbox: Sandbox;
beforeAll(async () => {
  const issue = 'arn:aws:iam::123456789012:role/issue';
  const statements = await readDnsRole();
  sandbox = await startSandbox({
    zones: ['example.com'],
    roles: [
      { arn: net.arn, trust: { principals: [issue], externalId: 'shared' }, statements },
      { arn: closed.arn, trust: { principals: [issue], externalId: 'shared' }, statements },
    ],
    dns: {
      zones: [
        { match: 'example.net', roleArn: net.arn, externalId: 'shared' },
        { match: 'example.org', roleArn: closed.arn, externalId: 'mistaken' },
      ],
    },
    certificates: [
      { name: 'both', domains: ['shop.example.com', '*.shop.example.com', 'shop.example.net'] },
      { name: 'other', domains: ['other.example.com', 'other.example.net'] },
      { name: 'refused', domains: ['shop.example.com', 'shop.example.org'] },
    ],
  });
  sandbox.route53.createZone('example.net', { account: net.account });
  sandbox.route53.createZone('example.org', { account: closed.account });
});
afterAll(() => sandbox.stop());

const texts = (zone: string) => sandbox.route53.list(zone).filter(({ type }) => type === 'TXT');

describe('one pass', () => {
  it('issues one certificate for names in two accounts, each changed by its own credentials, and leaves nothing', async () => {
    const { answer } = await sandbox.lambda.invoke('issue', { certificates: ['both'] });
    expect(answer).toMatchObject({ certificates: [{ name: 'both', outcome: 'issued' }] });
    const changed = sandbox.journal.find({ action: 'ChangeResourceRecordSets' });
    const by = changed.map(({ principal, detail }) => [principal, Object(detail)[0].name].join(' '));
    expect([...new Set(by)].toSorted()).toEqual([
      'certrelay-dns _acme-challenge.shop.example.net',
      'issue _acme-challenge.shop.example.com',
    ]);
    expect([...texts('example.com'), ...texts('example.net')]).toEqual([]);
    expect(sandbox.journal.count({ action: 'AssumeRole', principal: 'issue' })).toBe(1);
    const secret = sandbox.secretsManager.vault.find(`${prefix}/certificates/both`);
    expect(secret?.labels.has('AWSCURRENT')).toBe(true);
  });

  it('does without STS where nothing is to be ordered', async () => {
    const before = sandbox.journal.count({ service: 'sts' });
    const { answer } = await sandbox.lambda.invoke('issue', { certificates: ['both'] });
    expect(answer).toMatchObject({ certificates: [{ name: 'both', decision: 'keep' }] });
    expect(sandbox.journal.count({ service: 'sts' })).toBe(before);
  });

  it('with a role that is refused fails the certificates of its names alone, and says what to change', async () => {
    const { answer, error } = await sandbox.lambda.invoke('issue', { certificates: ['other', 'refused'] });
    const said = JSON.stringify(answer) + (error?.errorMessage ?? '');
    for (const word of [closed.arn, 'trust policy', 'arn:aws:iam::123456789012:role/issue', 'externalId']) {
      expect(said).toContain(word);
    }
    const { vault } = sandbox.secretsManager;
    const isIssued = (name: string) =>
      vault.find(`${prefix}/certificates/${name}`)?.labels.has('AWSPREVIOUS') ?? false;
    expect(['other', 'refused'].map(isIssued)).toEqual([true, false]);
    expect([...texts('example.com'), ...texts('example.net'), ...texts('example.org')]).toEqual([]);
  });
});
