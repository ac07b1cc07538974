// The main job with a real CA in place of the sandbox's: registered, ordered, stored, delivered, and then
// nothing due.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readCertificate } from '../../lib/certificate/x509.ts';
import { deploymentUsing } from '../minting/workloads.ts';
import { fixedZone } from '../sandbox/dns/answer.ts';
import { nameServers } from '../sandbox/dns/server.ts';
import { prefix, type Sandbox, startSandbox } from '../sandbox/sandbox.ts';
import { postDomains } from '../sandbox/webhook-call.ts';
import { locateBoulderForSandbox, type RealAuthority, startPebbleForSandbox } from './authorities.ts';
import { servedFingerprint, whileServing } from './handshake.ts';
import { locate } from './parts/locate.ts';

const pebbleLacks = locate('pebble') ? undefined : 'run test/real/install pebble';
const startBoulder = locateBoulderForSandbox();

describeMainJob('Pebble', () => startPebbleForSandbox(), pebbleLacks);
describeMainJob(
  'a Pebble that refuses one nonce in five',
  () => startPebbleForSandbox({ PEBBLE_WFE_NONCEREJECT: '20' }),
  pebbleLacks,
);
describeMainJob(
  'Boulder',
  () => startBoulder?.() ?? Promise.reject(new Error('there is no Boulder')),
  startBoulder
    ? undefined
    : 'set BOULDER_DIRECTORY, BOULDER_DIRECTORY_CA, BOULDER_ROOTS and BOULDER_DNS to a running one',
);

/** @param lacks What to do first; the suite is skipped with that in its title. */
function describeMainJob(name: string, start: () => Promise<RealAuthority>, lacks: string | undefined): void {
  const title = `the main job with ${name} as its CA${lacks === undefined ? '' : `: ${lacks}`}`;
  describe.skipIf(lacks !== undefined)(title, () => {
    let authority: RealAuthority;
    let sandbox: Sandbox;

    beforeAll(async () => {
      authority = await start();
      const { domain, dnsPort } = authority;
      sandbox = await startSandbox({
        realAuthority: authority,
        dnsPort,
        zones: [domain],
        registration: {
          zones: [domain],
          issuer: 'default',
          targets: [{ cluster: 'lab', namespace: 'edge', secret: '{name}-tls' }],
        },
        namespaces: ['edge'],
        manifests: deploymentUsing('edge', 'web', 'shop-tls'),
      });
      // CAA is asked for up to the public suffix (RFC 8659 §3), where the sandbox has no zone.
      const suffix = `${domain.slice(domain.indexOf('.') + 1)}.`;
      const servers = nameServers.map((data) => ({ name: suffix, type: 'NS' as const, data }));
      sandbox.dns.serve(() => [fixedZone(suffix, servers)]);
    });
    afterAll(async () => {
      await sandbox?.stop();
      await authority?.stop();
    });

    test('a registered apex with its wildcard is ordered, stored, delivered, and the workload rolled', async () => {
      const { domain, roots } = authority;
      const body = { name: 'shop', domains: [domain, `*.${domain}`] };
      expect(await postDomains(sandbox.httpApi, body, sandbox.webhookSecret)).toMatchObject({ status: 202 });
      await settled();

      const { kubernetes } = sandbox;
      const secret = kubernetes.find('secrets', 'edge', 'shop-tls');
      const { fingerprint } = stored('shop');
      expect(secret?.metadata.annotations).toMatchObject({ 'certrelay.dev/fingerprint': fingerprint });
      const delivered = { chain: decode(secret?.data, 'tls.crt'), key: decode(secret?.data, 'tls.key') };
      const served = await whileServing(delivered, (port) =>
        Promise.all([domain, `www.${domain}`].map((name) => servedFingerprint({ port, name, roots }))),
      );
      expect(served, 'trusted under both names').toEqual([fingerprint, fingerprint]);
      expect(kubernetes.find('deployments', 'edge', 'web')?.metadata.generation).toBe(2);
    });

    test('the TXT values of both names were one change, and one more took them away', () => {
      const name = `_acme-challenge.${authority.domain}`;
      expect(changes()).toEqual([
        [{ action: 'CREATE', name, type: 'TXT' }],
        [{ action: 'DELETE', name, type: 'TXT' }],
      ]);
      expect(txtSets()).toEqual([]);
    });

    test('one pass orders keys of every family, and their TXT values are one change too', async () => {
      const { domain, roots } = authority;
      const keys = ['ecdsa-p256', 'ecdsa-p384', 'rsa-2048', 'rsa-3072'];
      await sandbox.setCertificates(
        keys.map((key) => ({ name: key, domains: [`${key}.${domain}`, `www.${key}.${domain}`], key })),
      );
      const before = changes().length;
      expect((await sandbox.lambda.invoke('issue', {})).answer).toMatchObject({
        summary: { certificates: 5, issued: 4, keep: 1 },
      });
      expect(changes().slice(before)).toHaveLength(2);
      expect(txtSets()).toEqual([]);
      for (const keyType of keys) {
        const { chain, key, fingerprint } = stored(keyType);
        expect(readCertificate(chain).keyType).toBe(keyType);
        const visit = (port: number) => servedFingerprint({ port, name: `www.${keyType}.${domain}`, roots });
        expect(await whileServing({ chain, key }, visit)).toBe(fingerprint);
      }
      await settled();
    });

    test('a second pass of both functions finds nothing to do, and notes no more than that it was', async () => {
      const before = sandbox.journal.calls.length;
      expect((await sandbox.lambda.invoke('issue', {})).answer).toMatchObject({
        summary: { certificates: 5, keep: 5 },
      });
      const { answer } = await sandbox.lambda.invoke('deploy', { certificates: ['shop'] });
      expect(answer).toMatchObject({ certificates: [{ decision: 'unchanged' }] });
      const made = sandbox.journal.calls.slice(before).filter(({ service }) => service !== 'sqs');
      expect(made.map(({ principal, action }) => `${principal} ${action}`)).toEqual([
        // The first, the third and the last are about the installation itself.
        'issue DescribeSecret',
        'issue ListSecrets',
        'issue TagResource',
        'deploy DescribeSecret',
        'deploy GetSecretValue',
        'deploy GetSecretValue',
        'certrelay get secrets',
        'deploy DescribeSecret',
      ]);
    });

    /** Both queues are empty: orders are stored, deliveries are done. */
    async function settled(): Promise<void> {
      await sandbox.queues.issue.untilEmpty();
      await sandbox.queues.deploy.untilEmpty();
    }

    function stored(name: string) {
      const secret = sandbox.secretsManager.vault.mustFind(`${prefix}/certificates/${name}`);
      const value = secret.versions.get(secret.labels.get('AWSCURRENT') ?? '')?.value.text ?? '{}';
      const { 'tls.crt': chain = '', 'tls.key': key = '' }: Record<string, string> = JSON.parse(value);
      return { chain, key, fingerprint: readCertificate(chain).fingerprint };
    }

    function changes(): readonly unknown[] {
      return sandbox.journal.find({ action: 'ChangeResourceRecordSets' }).map(({ detail }) => detail);
    }

    function txtSets(): readonly unknown[] {
      return sandbox.route53.list(authority.domain).filter(({ type }) => type === 'TXT');
    }
  });
}

function decode(data: unknown, key: string): string {
  return Buffer.from(String(Object(data)[key]), 'base64').toString();
}
