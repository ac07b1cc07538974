// Moving from another tool with the production bundles: a Secret is imported where it stands, and delivered
// when somebody asks.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { mintChain } from '../minting/certificates.ts';
import { deploymentUsing } from '../minting/workloads.ts';
import { clusterName, type Sandbox, startSandbox } from '../sandbox/sandbox.ts';

const dayMs = 86_400_000;
const from = { cluster: clusterName, namespace: 'edge', secret: 'left-tls' };
let sandbox: Sandbox;

beforeAll(async () => {
  const manifests = deploymentUsing('edge', 'web', 'left-tls');
  sandbox = await startSandbox({ namespaces: ['edge'], manifests, certificates: [] });
  const validity = {
    notBefore: new Date(Date.now() - dayMs),
    notAfter: new Date(Date.now() + 89 * dayMs),
  };
  const left = await mintChain({ domains: ['left.example.com'], ...validity });
  sandbox.kubernetes.create({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'left-tls', namespace: 'edge' },
    type: 'kubernetes.io/tls',
    stringData: { 'tls.crt': left.chain, 'tls.key': left.key },
  });
});
afterAll(() => sandbox.stop());

async function call(name: string, event: object) {
  const { answer, error } = await sandbox.lambda.invoke(name, event);
  if (error) throw new Error(error.errorMessage);
  return Object(answer);
}

/** What changes in the cluster when something is delivered. */
function seen() {
  const { kubernetes } = sandbox;
  return [
    kubernetes.find('secrets', 'edge', 'left-tls')?.metadata.labels,
    kubernetes.find('deployments', 'edge', 'web')?.metadata.generation,
  ];
}

it('an import from a cluster changes nothing there, whatever runs, until deploy is asked for it', async () => {
  const { certificate, outcome } = await call('import', { from });
  expect(outcome).toBe('imported');
  await sandbox.queues.deploy.untilEmpty();
  const held = {
    certificates: [
      {
        targets: [
          {
            outcome: 'held',
            message: expect.stringMatching(
              /imported from Secret .*\/edge\/left-tls, and an import alone delivers nothing; .*certrelay resume /,
            ),
          },
        ],
      },
    ],
  };
  expect(await call('deploy', {})).toMatchObject(held);
  expect(await call('status', {})).toMatchObject({ certificates: [{ health: 'Suspended' }] });
  const resume = { certificates: [certificate], resume: true };
  expect(await call('deploy', { ...resume, dryRun: true })).toMatchObject({
    certificates: [
      {
        targets: [
          { outcome: 'planned', action: 'apply', message: expect.stringContaining('Deployment web') },
        ],
      },
    ],
  });
  expect(seen()).toEqual([undefined, 1]);
  expect(await call('deploy', resume)).toMatchObject({
    certificates: [{ targets: [{ outcome: 'delivered' }] }],
  });
  expect(seen()).toEqual([expect.objectContaining({ 'app.kubernetes.io/managed-by': 'certrelay' }), 2]);
  expect(await call('deploy', {})).toMatchObject({ certificates: [{ decision: 'unchanged' }] });
});
