// Where certificates go whose targets only their values name: `status` cannot judge these one by one.
import { expect, it, onTestFinished } from 'vitest';
import { answering, certrelay, startScriptedLambda } from './harness.ts';

const target = 'lab/edge/customer';
const customer = { name: 'customer', source: 'webhook', health: 'Progressing', targets: [] };

it('list names the targets that a certificate was delivered to', async () => {
  const { env } = await answering({ certificates: [{ ...customer, deliveredTo: [target, 'lab/edge/b'] }] });
  expect((await certrelay('list', { env })).out).toMatch(/^customer +webhook +lab\/edge\/customer \+1$/m);
});

it('why tells the targets that deploy knows of', async () => {
  const rows = [{ target, outcome: 'planned', action: 'create', message: 'the Secret is missing' }];
  const lambda = await startScriptedLambda((name) => ({
    body: JSON.stringify({
      ok: true,
      failures: [],
      certificates: [name === 'deploy' ? { name: 'customer', targets: rows } : customer],
    }),
  }));
  onTestFinished(() => lambda.stop());
  const { out } = await certrelay('why customer', { env: lambda.env });
  expect(out).toMatch(/\nTarget lab\/edge\/customer\n {2}now +planned: create: the Secret is missing\n/);
});
