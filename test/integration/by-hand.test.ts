// What a person does by hand, with the production bundles: import, export, pause, resume, revoke.
import { createHash, X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { mintChain } from '../minting/certificates.ts';
import { deploymentUsing } from '../minting/workloads.ts';
import { clusterName, prefix, type Sandbox, startSandbox } from '../sandbox/sandbox.ts';

const dayMs = 86_400_000;
let sandbox: Sandbox;
let minted: Awaited<ReturnType<typeof mintChain>>;
/** What export answered, which alone may hold keys. */
const exported: unknown[] = [];

beforeAll(async () => {
  sandbox = await startSandbox({
    namespaces: ['edge'],
    manifests: deploymentUsing('edge', 'web', 'shop-tls'),
    certificates: [
      {
        name: 'shop',
        domains: ['shop.example.com'],
        issuer: 'default',
        key: 'ecdsa-p256',
        targets: [{ cluster: clusterName, namespace: 'edge', secret: 'shop-tls', format: 'ployst' }],
      },
    ],
  });
  minted = await mintChain({
    domains: ['shop.example.com'],
    notBefore: new Date(Date.now() - dayMs),
    notAfter: new Date(Date.now() + 89 * dayMs),
  });
  await sandbox.keepSecrets({ [`${prefix}/import/shop`]: minted.chain + minted.key });
});
afterAll(() => sandbox.stop());

async function call(name: string, event: object) {
  const { answer, error } = await sandbox.lambda.invoke(name, event);
  if (error) throw new Error(error.errorMessage);
  return answer;
}

function storedChain(): string {
  const secret = sandbox.secretsManager.vault.find(`${prefix}/certificates/shop`);
  const version = secret?.versions.get(secret.labels.get('AWSCURRENT') ?? '');
  return String(JSON.parse(version?.value.text ?? '{}')['tls.crt'] ?? '');
}

function accountSecret() {
  const { vault } = sandbox.secretsManager;
  const secret = vault.secrets.find(({ name }) => name.startsWith(`${prefix}/accounts/`));
  if (!secret) throw new Error('no account is kept');
  const version = secret.versions.get(secret.labels.get('AWSCURRENT') ?? '');
  return { secret, account: JSON.parse(version?.value.text ?? '{}') };
}

/** What the CA answered to revokeCert since a call of the journal. */
function revocations(since: number) {
  const calls = sandbox.journal.calls.slice(since).filter(({ action }) => action === 'revokeCert');
  return calls.map(({ status }) => status);
}

/** SHA-256 of the DER of the first certificate, hex. */
function fingerprintOf(pem: string): string {
  return createHash('sha256').update(new X509Certificate(pem).raw).digest('hex');
}

describe('a certificate that another tool got', () => {
  it('M04 is delivered and rolled like one that was ordered', async () => {
    expect(await call('import', { certificate: 'shop' })).toMatchObject({ outcome: 'imported' });
    await sandbox.queues.deploy.untilEmpty();
    const secret = sandbox.kubernetes.find('secrets', 'edge', 'shop-tls');
    expect(secret?.metadata.annotations?.['certrelay.dev/fingerprint']).toBe(fingerprintOf(minted.chain));
    expect(sandbox.kubernetes.find('deployments', 'edge', 'web')?.metadata.generation).toBe(2);
    expect(await call('issue', {})).toMatchObject({ summary: { certificates: 1, keep: 1 } });
    expect(sandbox.journal.count({ action: 'newOrder' })).toBe(0);
  });

  it('M02 is exported as the very Secret that deploy wrote', async () => {
    const question = { certificates: ['shop'], format: 'manifest', key: true };
    const answer = await call('export', question);
    exported.push(answer);
    const manifest = parse(Object(answer).certificates[0].manifest);
    const secret = sandbox.kubernetes.find('secrets', 'edge', 'shop-tls');
    const { name, namespace, labels, annotations } = secret?.metadata ?? {};
    expect(manifest.metadata).toEqual({ name, namespace, labels, annotations });
    expect(manifest).toMatchObject({ type: secret?.type, data: secret?.data });
  });

  it('D14 comes back from its export: files and key are what was imported', async () => {
    const answer = await call('export', { certificates: ['shop'], format: 'pem', key: true });
    exported.push(answer);
    const files = { 'fullchain.pem': minted.chain, 'privkey.pem': minted.key };
    expect(answer).toMatchObject({ certificates: [{ files }] });
  });
});

describe('a pause', () => {
  it('M06 stands in the plan with its words, is no obstacle to delivery, and ends with resume', async () => {
    await call('pause', { certificates: ['shop'], reason: 'the zone moves' });
    const event = { certificates: ['shop'], force: true };
    expect(await call('issue', event)).toMatchObject({
      certificates: [
        { decision: 'wait', reason: 'Paused', message: expect.stringContaining('the zone moves') },
      ],
    });
    expect(await call('deploy', {})).toMatchObject({ certificates: [{ decision: 'unchanged' }] });
    await call('pause', { certificates: ['shop'], resume: true });
    expect(await call('issue', event)).toMatchObject({ certificates: [{ outcome: 'issued' }] });
  });
});

describe('a revocation', () => {
  const reason = { certificate: 'shop', reason: 'superseded' };

  it('of what is in use is refused, and with replace made after another one is stored and delivered', async () => {
    const old = storedChain();
    await expect(call('revoke', reason)).rejects.toThrow('set "replace": true');
    const begun = sandbox.journal.calls.length;
    const fingerprint = fingerprintOf(old);
    expect(await call('revoke', { ...reason, replace: true, wait: 'delivered' })).toMatchObject({
      outcome: 'revoked',
      fingerprint,
    });
    const actions = sandbox.journal.calls.slice(begun).map(({ action }) => action);
    expect(actions.indexOf('revokeCert')).toBeGreaterThan(actions.lastIndexOf('PutSecretValue'));
    expect(actions.indexOf('revokeCert')).toBeGreaterThan(actions.lastIndexOf('patch secrets'));
  });

  it('asked for again is done already, as the CA says', async () => {
    const begun = sandbox.journal.calls.length;
    expect(await call('revoke', { ...reason, version: 'previous' })).toMatchObject({ outcome: 'revoked' });
    expect(revocations(begun)).toEqual([400]);
  });

  it('is signed with the certificate’s own key where another account ordered it', async () => {
    sandbox.secretsManager.vault.remove(accountSecret().secret);
    const begun = sandbox.journal.calls.length;
    expect(await call('revoke', { ...reason, replace: true, wait: 'delivered' })).toMatchObject({
      outcome: 'revoked',
    });
    expect(revocations(begun)).toEqual([403, 200]);
  });
});

describe('an account', () => {
  it('K11 of kube-lego is found at the CA by its key, whatever its old URL says', async () => {
    const { secret, account } = accountSecret();
    sandbox.secretsManager.vault.remove(secret);
    const dead = 'https://acme-v01.api.letsencrypt.org/acme/reg/1';
    const value = JSON.stringify({ 'tls.key': account.key, 'acme-registration-url': dead });
    await sandbox.keepSecrets({ [`${prefix}/import/kube-lego`]: value });
    await call('import', { account: { issuer: 'default', secret: `${prefix}/import/kube-lego` } });
    await call('issue', { certificates: ['shop'], force: true });
    expect(accountSecret().account).toMatchObject({ key: account.key, url: account.url });
  });
});

it.each([
  ['import', { certificat: 'shop' }, 'unknown field "certificat"'],
  ['import', {}, 'set either "certificate"'],
  ['import', { certificate: 'shop', privateKey: 'x' }, 'unknown field "privateKey"'],
  ['import', { account: { issuer: 'default', secret: 'a' }, secret: 'b' }, '"secret" needs "certificate"'],
  ['export', { certificates: ['shop'], format: 'jks' }, 'format: Invalid option'],
  ['export', { certificates: ['shop'], format: 'manifest' }, 'add "key": true'],
  ['export', { certificates: ['shop'], target: 'a/b/c' }, '"target" needs "format": "manifest"'],
  ['export', {}, 'certificates: '],
  ['revoke', { certificate: 'shop' }, 'reason: Invalid option'],
  ['revoke', { certificate: 'shop', reason: 'cACompromise' }, '"keyCompromise"|"affiliationChanged"'],
  ['revoke', { certificate: 'shop', reason: 'superseded', force: true }, 'unknown field "force"'],
  [
    'revoke',
    { certificate: 'shop', reason: 'superseded', version: 'previous', replace: true },
    'leave out "version"',
  ],
  ['probe', { certificate: 'shop' }, 'unknown field "certificate"'],
  ['pause', { certificate: 'shop' }, 'unknown field "certificate"'],
  ['pause', { certificates: ['shop'], resume: true, reason: 'x' }, '"resume" ends one'],
])('C08 %s called with %j says what is wrong', async (name, event, message) => {
  await expect(call(name, event)).rejects.toThrow(message);
});

it('P21 what was logged holds no key, though export answered with some', () => {
  const lines = sandbox.lambda.logs.map(({ line }) => line).join('\n');
  const secret = minted.key.split('\n')[1] ?? '';
  expect(JSON.stringify(exported)).toContain(secret);
  expect(lines.length).toBeGreaterThan(1000);
  expect(lines).not.toContain(secret);
  expect(lines).not.toContain('PRIVATE KEY');
});
