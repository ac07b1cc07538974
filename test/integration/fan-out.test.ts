// A deploy of everything in an installation with two clusters: each cluster gets an invocation of its own,
// and no target is delivered twice.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startQuietSandbox } from '../bench/quiet-sandbox.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';

let sandbox: Sandbox;
beforeAll(async () => {
  const targets = ['lab', 'prod'].map((cluster) => ({ cluster, namespace: 'shop', secret: 'shop-tls' }));
  sandbox = await startQuietSandbox({
    namespaces: ['shop'],
    eks: { prod: { name: 'prod', region: 'eu-central-1' } },
    certificates: [{ name: 'shop', domains: ['shop.example.com'], issuer: 'default', targets }],
  });
});
afterAll(() => sandbox.stop());

it('the invocation that hands the clusters on delivers to none of them itself', async () => {
  const { lambda } = sandbox;
  expect(await lambda.invoke('issue', {})).toMatchObject({ error: undefined });
  const all = await lambda.invoke('deploy', {});
  expect(all.error).toBeUndefined();
  expect(all.answer).toMatchObject({ handedOn: ['lab', 'prod'], certificates: [] });
  const own = await lambda.invoke('deploy', { clusters: ['lab'] });
  expect(own.answer).toMatchObject({
    handedOn: [],
    certificates: [{ targets: [{ target: 'lab/shop/shop-tls', outcome: 'delivered' }] }],
  });
});

it('a cluster’s message comes again only for what status could not tell', async () => {
  const { lambda, faults } = sandbox;
  const body = JSON.stringify({ clusters: ['lab'] });
  const batch = { Records: [{ messageId: 'm1', body, eventSource: 'aws:sqs' }] };
  faults.set('kubernetes', '*', { kind: 'error', code: 'Forbidden', status: 403 }, Infinity);
  expect((await lambda.invoke('deploy', batch)).answer).toEqual({ batchItemFailures: [] });
  const denied = { kind: 'error', code: 'AccessDeniedException', status: 400 } as const;
  faults.set('secretsmanager', 'TagResource', denied, Infinity);
  const again = { batchItemFailures: [{ itemIdentifier: 'm1' }] };
  await sandbox.setCertificates([
    {
      name: 'shop',
      domains: ['shop.example.com'],
      issuer: 'default',
      targets: [{ cluster: 'lab', namespace: 'shop', secret: 'other' }],
    },
  ]);
  expect((await lambda.invoke('deploy', batch)).answer).toEqual(again);
  faults.clear();
});
