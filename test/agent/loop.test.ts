// How an agent goes on: its waits, its end, and what it does before and after each pass.
import { describe, expect, test } from 'vitest';
import { repeatReconcile } from '../../lib/agent/loop.ts';
import { reconcile } from '../../lib/agent/reconcile.ts';
import { cutInventory } from '../../lib/agent/scope.ts';
import type { AgentRecord } from '../../lib/ports/agents.ts';
import { type Cluster, ClusterError } from '../../lib/ports/cluster.ts';
import { StoreError } from '../../lib/ports/store.ts';
import { readAgentSettings } from '../../lib/settings/agent.ts';
import { FakeClock } from '../fakes/clock.ts';
import { FakeLog } from '../fakes/log.ts';
import { targetOf } from '../minting/targets.ts';

const start = '2026-11-22T10:00:00Z';

describe('the loop', () => {
  /** The waits after passes that end as told, with the same dice each time. */
  async function waitsAfter(passes: readonly boolean[], dice: number, longestRetryMs?: number) {
    const clock = new FakeClock(start);
    const stop = new AbortController();
    let done = 0;
    const pass = async () => {
      if (done === passes.length - 1) stop.abort();
      return passes[done++] ?? true;
    };
    const options = { intervalMs: 300_000, longestRetryMs, clock, random: () => dice, stop: stop.signal };
    await repeatReconcile(pass, options);
    return { waits: clock.slept, done };
  }

  test('W11 waits after failures anywhere up to 100 ms, 200 ms and so on to the limit that is set', async () => {
    const failed = Array.from({ length: 9 }, () => false);
    const { waits } = await waitsAfter([...failed, true], 1, 5_000);
    expect(waits).toEqual([100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
    expect((await waitsAfter([false, false, true], 0.25)).waits).toEqual([25, 50]);
    expect((await waitsAfter([...failed, true], 1, 900_000)).waits.at(-1)).toBe(25_600);
  });

  test('W11 comes to the interval where no limit is set: what always fails costs no more passes than what is well', async () => {
    const { waits } = await waitsAfter([...Array.from({ length: 20 }, () => false), true], 1);
    expect(waits.slice(-2)).toEqual([300_000, 300_000]);
  });

  test('W11 keeps no two agents in step, and begins anew after a success', async () => {
    expect((await waitsAfter([true, true], 0)).waits).toEqual([150_000]);
    expect((await waitsAfter([true, true], 0.999)).waits[0]).toBeCloseTo(449_700);
    expect((await waitsAfter([false, true, false, true], 1)).waits).toEqual([100, 450_000, 100]);
  });

  test('W20 ends with the pass under way, and begins no other', async () => {
    expect(await waitsAfter([true, true, true], 0)).toMatchObject({ done: 3 });
  });
});

describe('a pass', () => {
  /** Runs one whose API server is silent for some calls. */
  async function run(
    silentCalls: number,
    deliver: () => Promise<readonly Error[]> = async () => [],
    end?: { readonly after: number; readonly reason: Error },
  ) {
    const ending = new AbortController();
    const clock = new FakeClock(start);
    const log = new FakeLog();
    const [noted, order]: [AgentRecord[], string[]] = [[], []];
    const silence = new ClusterError('Unreachable', 'no answer');
    let left = silentCalls;
    const cluster = {
      readSecret: async () => {
        order.push('knock');
        if (order.length === end?.after) {
          ending.abort(end.reason);
          throw end.reason;
        }
        if (left-- > 0) throw silence;
        throw new ClusterError('Forbidden', 'the agent may not read it');
      },
      close: async () => {},
    } as unknown as Cluster;
    const ports = {
      connect: async () => cluster,
      registry: {
        list: async () => [],
        record: async (record: AgentRecord) => void noted.push(record),
      },
      deliver: async () => {
        order.push('deliver');
        return deliver();
      },
      probe: async () => {
        order.push('probe');
        return [];
      },
      clock,
      log,
    };
    const { signal } = ending;
    const knock = { namespace: 'shop', secret: 'shop-tls' };
    const failures = await reconcile(ports, {
      cluster: 'edge',
      version: 'v7',
      reachableBy: knock,
      signal,
      cleanUpSignal: signal,
    });
    return { failures, noted, order, clock };
  }

  test('W09 waits for the API server every 200 ms, for any answer, and then goes on', async () => {
    const { order, failures, clock } = await run(3);
    expect(order).toEqual(['knock', 'knock', 'knock', 'knock', 'deliver', 'probe']);
    expect(clock.slept).toEqual([200, 200, 200]);
    expect(failures).toEqual([]);
  });

  test('W09 waits no longer than a minute', async () => {
    const { order, failures, clock } = await run(Number.POSITIVE_INFINITY);
    expect(order).not.toContain('deliver');
    expect(failures).toMatchObject([{ code: 'Unreachable' }]);
    expect(clock.slept.length).toBe(300);
  });

  test.each<[string, Error, RegExp]>([
    [
      'its time is up',
      new DOMException('The operation was aborted due to timeout', 'TimeoutError'),
      /^the API server of cluster edge did not answer in the time of this pass: check it/,
    ],
    ['it is asked to end', new Error('the agent was asked to end'), /^the agent was asked to end$/],
  ])('that waits for the API server until %s says so', async (_, reason, words) => {
    const { noted, order } = await run(Number.POSITIVE_INFINITY, undefined, { after: 3, reason });
    expect(order).toEqual(['knock', 'knock', 'knock']);
    expect(noted).toMatchObject([{ problem: expect.stringMatching(words) }]);
  });

  test('W12 W14 says that it lives, of which version it is, and what failed, also where all of it did', async () => {
    expect((await run(0)).noted).toEqual([
      { cluster: 'edge', version: 'v7', problem: undefined, lastSeen: new Date(start) },
    ]);
    const failing = await run(0, async () => {
      throw new StoreError('Failed', 'AWS does not answer');
    });
    expect(failing.noted).toMatchObject([{ problem: 'AWS does not answer' }]);
    expect(failing.failures).toHaveLength(1);
  });
});

describe('its settings', () => {
  const publicKey = 'A'.repeat(43);
  const least = { CERTRELAY_CLUSTER: 'edge', CERTRELAY_SIGNING_KEY: publicKey };

  test('W10 W21 come from the environment; without an interval it makes one pass', () => {
    expect(readAgentSettings(least)).toMatchObject({
      cluster: 'edge',
      publicKeys: [publicKey],
      intervalMs: undefined,
      longestRetryMs: undefined,
      version: 'unknown',
    });
    expect(
      readAgentSettings({
        ...least,
        CERTRELAY_SIGNING_KEY: `${publicKey} ${'B'.repeat(43)}`,
        CERTRELAY_AGENT_INTERVAL: '300',
        CERTRELAY_AGENT_LONGEST_RETRY: '5',
        CERTRELAY_AGENT_VERSION: 'abc123',
      }),
    ).toMatchObject({ publicKeys: [publicKey, 'B'.repeat(43)], intervalMs: 300_000, longestRetryMs: 5000 });
  });

  test('W02 without a cluster or a key it does not start, and every mistake is named', () => {
    expect(() => readAgentSettings({ CERTRELAY_AGENT_INTERVAL: '0' })).toThrow(
      /CERTRELAY_CLUSTER.*CERTRELAY_SIGNING_KEY.*CERTRELAY_AGENT_INTERVAL/,
    );
    expect(() => readAgentSettings({ ...least, CERTRELAY_SIGNING_KEY: `${publicKey} short` })).toThrow(
      /CERTRELAY_SIGNING_KEY/,
    );
  });
});

test('of an inventory it takes its own cluster’s targets, with the settings of the cluster', () => {
  const spec = { domains: ['shop.example.com'], issuer: 'default', key: 'ecdsa-p256' } as const;
  const inventory = {
    issuers: {},
    clusters: { edge: { agent: true, timeoutSeconds: 9 }, depot: { agent: true }, lab: { inCluster: true } },
    certificates: [
      { ...spec, name: 'shop', targets: [targetOf({ cluster: 'edge' }), targetOf({ cluster: 'depot' })] },
      { ...spec, name: 'api', targets: [targetOf({ cluster: 'depot' })] },
    ],
  } as const;
  expect(cutInventory(inventory, 'edge', { inCluster: true })).toEqual({
    issuers: {},
    clusters: { edge: { inCluster: true, timeoutSeconds: 9 } },
    certificates: [{ ...spec, name: 'shop', targets: [targetOf({ cluster: 'edge' })] }],
  });
  for (const cluster of ['lab', 'nowhere', '__proto__']) {
    expect(() => cutInventory(inventory, cluster, { inCluster: true })).toThrow(/does not say "agent: true"/);
  }
});
