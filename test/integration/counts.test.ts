// What runs, passes and deliveries cost in calls and connections. `npm run bench` measures the same, and
// times.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { workloadKinds } from '../../lib/certificate/rollout-spec.ts';
import { otherKinds } from '../../lib/policy/kubernetes/objects.ts';
import { deliverySandbox, measureDelivery, renew } from '../bench/delivery.ts';
import { acmeBudget, measureIssuance } from '../bench/issuance.ts';
import { startQuietSandbox } from '../bench/quiet-sandbox.ts';
import { measureIdlePass, stock } from '../bench/stock.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';

let sandbox: Sandbox;

describe('ordering over a known account', () => {
  beforeAll(async () => {
    sandbox = await startQuietSandbox();
    await measureIssuance(sandbox, 1, 'first');
  });
  afterAll(() => sandbox.stop());

  it.each([
    1, 10, 50,
  ])('of %i costs 4 ACME requests a certificate and 2 a name, 1 nonce, 2 connections and 2 changes of the zone', async (count) => {
    const run = await measureIssuance(sandbox, count, `run${count}`);
    expect(run.acmeRequests).toBeLessThanOrEqual(acmeBudget(count));
    expect(run.nonceRequests).toBe(1);
    expect(run.connections).toBeLessThanOrEqual(2);
    expect(run.route53Changes).toBe(2);
  });
});

describe('a pass that finds nothing due', () => {
  beforeAll(async () => {
    sandbox = await startQuietSandbox();
  });
  afterAll(() => sandbox.stop());

  it.each([
    [1, 1],
    [100, 1],
    [101, 2],
    [1_000, 10],
  ])('over %i lists %i pages and reads no value, within 256 MB', async (count, pages) => {
    await stock(sandbox, count);
    const pass = await measureIdlePass(sandbox, count);
    expect(pass.others).toEqual([]);
    expect(pass.listPages).toBe(pages);
    expect(pass.peakMemoryMb).toBeLessThanOrEqual(256);
  });
});

describe('delivering to two namespaces of one cluster', () => {
  beforeAll(async () => {
    sandbox = await startQuietSandbox(deliverySandbox);
  });
  afterAll(() => sandbox.stop());

  it('costs 3 calls a target, and a list a kind that may use Secrets and namespace, where the certificate is new; 1 where not; and always one connection', async () => {
    // Of the kinds that cannot be restarted, this cluster has no Rollouts.
    const lists = 2 * (workloadKinds.length + otherKinds.length - 1);
    for (const occasion of ['first', 'renewal']) {
      await renew(sandbox);
      const delivery = await measureDelivery(sandbox);
      expect(delivery, occasion).toMatchObject({ perTarget: [3, 3], lists, connections: 1 });
    }
    const again = await measureDelivery(sandbox);
    expect(again).toMatchObject({ perTarget: [1, 1], lists: 0, repeatedLists: 0, connections: 1 });
  });
});
