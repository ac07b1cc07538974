// What `serverless remove` says of what stays, and how each of it is removed.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { finishRemoval } from '../../infra/deploy/uninstall.ts';
import { Faults } from '../sandbox/faults.ts';
import { Journal } from '../sandbox/journal.ts';
import { startSecretsManager } from '../sandbox/secrets-manager/server.ts';

const inventoryText = `
issuers:
  default: { directory: letsencrypt-staging, agreeToTerms: true, challenge: dns-persist-01 }
clusters:
  lab: { kubeconfig: { secret: "{prefix}/clusters/lab" } }
  unused: { kubeconfig: { secret: "{prefix}/clusters/unused" } }
  far: { eks: { name: far, region: eu-west-1, roleArn: 'arn:aws:iam::210987654321:role/clusters' } }
  edge: { agent: true }
dns: { zones: [{ match: example.org, roleArn: 'arn:aws:iam::310987654321:role/dns' }] }
certificates:
  - name: shop
    domains: [shop.example.com]
    targets:
      - { cluster: lab, namespace: shop, secret: shop-tls }
      - { cluster: edge, namespace: shop, secret: shop-tls }
      - { acm: { region: us-east-1 } }
discovery: { places: [far/shop], zones: [example.com] }
`;

/** The lines, for an installation with these AWS secrets. */
async function remove(names: readonly string[], text: string | undefined, isAllowed = true) {
  const faults = new Faults();
  const service = await startSecretsManager({ journal: new Journal(), faults });
  const folder = await mkdtemp(join(tmpdir(), 'certrelay-removed-'));
  onTestFinished(async () => {
    await service.stop();
    await rm(folder, { recursive: true });
  });
  await mkdir(join(folder, 'infra'));
  if (text !== undefined) await writeFile(join(folder, 'infra', 'certificates.yaml'), text);
  const credentials = { accessKeyId: 'any', secretAccessKey: 'any' };
  const config = { endpoint: service.url, region: 'eu-west-1', credentials, maxAttempts: 1 };
  const { SecretsManagerClient, CreateSecretCommand } = await import('@aws-sdk/client-secrets-manager');
  const client = new SecretsManagerClient(config);
  for (const [index, Name] of names.entries()) {
    const ClientRequestToken = `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
    await client.send(new CreateSecretCommand({ Name, SecretString: 'x', ClientRequestToken }));
  }
  client.destroy();
  const denied = { kind: 'error', code: 'AccessDeniedException', status: 400 } as const;
  if (!isAllowed) faults.set('secretsmanager', 'ListSecrets', denied, 10);
  const provider = { getAwsSdkV3Config: async () => config, getRegion: () => 'eu-west-1' };
  return finishRemoval(provider, 'certrelay', folder);
}

it('names what stays, with its number and price, and the command that removes each', async () => {
  const certificates = Array.from({ length: 120 }, (_, index) => `certrelay/certificates/c-${index}`);
  const lines = await remove(
    [
      ...certificates,
      'certrelay/accounts/a',
      'certrelay/clusters/lab',
      'certrelay/webhook',
      'certrelay-prod/certificates/other',
      'certrelays',
    ],
    inventoryText,
  );
  expect(lines.filter((line) => line.startsWith('- '))).toEqual([
    '- 123 AWS secrets under certrelay/ in eu-west-1, about 49.20 USD a month (certificates with their private keys: 120; ACME accounts: 1; made by you, such as kubeconfigs: 1; the secret of the webhook: 1)',
    '- Kubernetes Secrets, served until their certificates end, in cluster edge, far, lab',
    '- Roles, and a ServiceAccount whose token never expires, if you made them as docs/clusters.md says, in cluster far, lab',
    '- Agents, in cluster edge',
    '- Certificates in ACM, in region us-east-1',
    expect.stringMatching(/^- TXT records _validation-persist/),
    '- Roles in other accounts, or made for Certrelay: arn:aws:iam::210987654321:role/clusters, arn:aws:iam::310987654321:role/dns',
  ]);
  const text = lines.join('\n');
  expect(text).toContain("--filters 'Key=name,Values=certrelay/'");
  expect(text).toContain('delete-secret --region eu-west-1 --recovery-window-in-days 30 --secret-id');
  expect(text).toContain('get-resources --region us-east-1');
  expect(text).toContain('--selector app.kubernetes.io/managed-by=certrelay');
  expect(text).toContain('--service-account certrelay/certrelay | kubectl delete -f -');
  expect(text).toContain('kubectl delete -f infra/service-account.yaml');
  expect(text).toContain('delete-stack --stack-name certrelay-agent-edge');
});

it('says so where it may not list them, or has no inventory, and the removal goes well', async () => {
  const lines = await remove(['certrelay/webhook'], undefined, false);
  expect(lines[1]).toMatch(
    /^- AWS secrets under certrelay\/: they could not be counted \(AccessDeniedException/,
  );
  expect(lines.join('\n')).toContain('infra/certificates.yaml could not be read');
});

it('names nothing that there is not', async () => {
  const plain =
    'issuers: { default: { directory: letsencrypt-staging, agreeToTerms: true } }\ncertificates: []\n';
  expect((await remove([], plain)).filter((line) => line.startsWith('- '))).toEqual([]);
});
