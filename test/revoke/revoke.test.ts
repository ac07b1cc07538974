// Revoking: never what is in use, and with replace only once another certificate is stored.
import { describe, expect, it } from 'vitest';
import { EventError } from '../../lib/ports/events.ts';
import { StoreError } from '../../lib/ports/store.ts';
import type { RevokeRequest } from '../../lib/requests/requests.ts';
import { FakeEventBus } from '../fakes/event-bus.ts';
import { dayMs, type Harness } from '../issue/harness.ts';
import { open } from './harness.ts';

describe('the certificate in use', () => {
  it('is not revoked; the refusal says how it would be', async () => {
    const { harness, revoke } = await open();
    const { current = '' } = (await harness.store.describe('shop')) ?? {};
    for (const request of [{}, { version: current }]) {
      expect(await revoke(request)).toMatchObject({ outcome: 'refused', reason: 'InUse' });
    }
    expect(harness.ca.revoked).toEqual([]);
  });

  it('is revoked with replace, after another one with a new key was ordered and stored', async () => {
    const { harness, revoke, chain } = await open();
    const old = await harness.current('shop');
    const inUse: string[] = [];
    const revokeAtCa = harness.ca.revoke.bind(harness.ca);
    harness.ca.revoke = async (...certificate) => {
      inUse.push(await chain());
      await revokeAtCa(...certificate);
    };
    const answer = await revoke({ replace: true, reason: 'keyCompromise' });
    expect(answer).toMatchObject({ outcome: 'revoked', reason: 'keyCompromise' });
    expect(harness.ca.revoked).toEqual([old?.chain]);
    const now = await harness.current('shop');
    expect(inUse).toEqual([now?.chain]);
    expect(now?.key).not.toBe(old?.key);
    expect(harness.state('shop').revoking).toBeUndefined();
  });

  it.each([
    ['failed', (harness: Harness) => harness.ca.unwelcome.add('shop.example.com')],
    [
      'is put off, because it is paused',
      (harness: Harness) => harness.store.record('shop', { pausedSince: new Date(0) }),
    ],
  ])('stays unrevoked where the order %s', async (_, hinder) => {
    const { harness, revoke, chain } = await open();
    const old = await chain();
    await hinder(harness);
    const answer = await revoke({ replace: true }).catch((error: Error) => error);
    const message = expect.stringMatching(/no TXT record found|paused since/);
    expect(answer).toMatchObject({ message });
    expect([harness.ca.revoked, await chain()]).toEqual([[], old]);
  });

  it('is the leaf of the key, however its chain was stored', async () => {
    const { harness, revoke } = await open();
    const old = await harness.current('shop');
    if (!old) throw new Error('nothing was stored');
    const parts = old.chain.split(/(?<=-----END CERTIFICATE-----\n)/).filter(Boolean);
    await harness.store.put('shop', { ...old, chain: parts.toReversed().join('') }, 'by-hand');
    expect(parts.length).toBeGreaterThan(1);
    expect(await revoke({ replace: true })).toMatchObject({ outcome: 'revoked' });
    expect(harness.ca.revoked).toEqual([old.chain]);
  });

  it('is exchanged once: a call that was cut off before it revoked is taken up there', async () => {
    const { harness, revoke, chain } = await open();
    const old = await chain();
    harness.ca.failures.next('revoke', new Error('cut off'));
    await expect(revoke({ replace: true })).rejects.toThrow('cut off');
    const orders = harness.ca.count('newOrder');
    expect(await revoke({ replace: true })).toMatchObject({ outcome: 'revoked' });
    expect(harness.ca.revoked).toEqual([old]);
    expect(harness.ca.count('newOrder')).toBe(orders);
    expect(await chain()).not.toBe(old);
  });

  it('does not come to rest on an exchange whose certificate has expired meanwhile', async () => {
    const { harness, revoke } = await open();
    harness.ca.failures.next('revoke', new Error('cut off'));
    await expect(revoke({ replace: true })).rejects.toThrow('cut off');
    harness.clock.pass(90 * dayMs);
    expect(await revoke({ replace: true })).toMatchObject({ reason: 'Expired' });
    await harness.run();
    expect(await revoke({ replace: true })).toMatchObject({ outcome: 'revoked' });
  });
});

describe('an earlier version', () => {
  it('is revoked by its name or its id, and nothing is ordered', async () => {
    const { harness, revoke, chain } = await open();
    const old = await chain();
    await harness.run({ certificates: ['shop'], force: true });
    const { previous = '', current } = (await harness.store.describe('shop')) ?? {};
    for (const version of ['previous', previous]) {
      expect(await revoke({ version })).toMatchObject({ outcome: 'revoked', version: previous, current });
    }
    expect(harness.ca.revoked).toEqual([old, old]);
    expect((await harness.run()).report.certificates).toMatchObject([{ decision: 'keep' }]);
  });

  it('put back into use after that, is ordered anew', async () => {
    const { harness, revoke } = await open();
    await harness.run({ certificates: ['shop'], force: true });
    await revoke({ version: 'previous' });
    const { previous = '' } = (await harness.store.describe('shop')) ?? {};
    harness.store.kept.get('shop')?.stages.set('AWSCURRENT', previous);
    expect((await harness.run()).report.certificates).toMatchObject([
      { reason: 'Revoked', outcome: 'issued' },
    ]);
    expect((await harness.run()).report.certificates).toMatchObject([{ decision: 'keep' }]);
  });
});

it('a stolen key that renewals keep: the one in its place has another, and each version with it can be revoked', async () => {
  const { harness, revoke } = await open({ spec: { rotateKey: 'never' } });
  const { current: first = '' } = (await harness.store.describe('shop')) ?? {};
  const older = await harness.current('shop');
  await harness.run({ certificates: ['shop'], force: true });
  const stolen = await harness.current('shop');
  expect(stolen?.key).toBe(older?.key);
  const reason = 'keyCompromise';
  expect(await revoke({ version: 'previous', reason })).toMatchObject({ reason: 'SameKey' });
  expect(await revoke({ replace: true, wait: 'none', reason })).toMatchObject({ outcome: 'revoked' });
  expect(await revoke({ version: first, reason })).toMatchObject({ outcome: 'revoked' });
  expect(harness.ca.revoked).toEqual([stolen?.chain, older?.chain]);
  expect((await harness.current('shop'))?.key).not.toBe(stolen?.key);
});

describe('nothing is revoked where', () => {
  type Opened = Awaited<ReturnType<typeof open>>;

  it.each<[reason: string, what: string, request: Partial<RevokeRequest>, before?: (o: Opened) => unknown]>([
    ['Unknown', 'no certificate is called "nobody"', { certificate: 'nobody' }],
    ['Unknown', 'did you mean "shop"?', { certificate: 'shopp' }],
    ['Unknown', 'no such version', { version: 'previous' }, ({ harness }) => forget(harness)],
    ['Unknown', 'contains no certificate', { version: 'x'.repeat(32) }],
    ['Expired', 'expired at', { replace: true }, ({ harness }) => harness.clock.pass(90 * dayMs)],
    [
      'UnknownIssuer',
      'add one',
      { replace: true },
      ({ harness }) => Reflect.deleteProperty(harness.inventory.issuers, 'default'),
    ],
    [
      'SameKey',
      'new key',
      { replace: true, reason: 'keyCompromise' },
      ({ harness, ports }) => {
        ports.orderAnew = async () => {
          const same = await harness.current('shop');
          if (same) await harness.store.put('shop', same, 'same');
          return 'issued';
        };
      },
    ],
    [
      'NotReplaced',
      'nothing was due',
      { replace: true },
      ({ ports }) => {
        ports.orderAnew = async () => 'nothing was due';
      },
    ],
  ])('%s: %s', async (reason, message, request, before) => {
    const opened = await open();
    await before?.(opened);
    const answer = await opened.revoke(request);
    expect(answer).toMatchObject({ outcome: 'refused', reason, message: expect.stringContaining(message) });
    expect(opened.harness.ca.revoked).toEqual([]);
  });
});

function forget(harness: Harness): void {
  harness.store.kept.get('shop')?.stages.delete('AWSPREVIOUS');
}

describe('events', () => {
  it('tell of a revocation before it is recorded, and with the same id if it is called again after a crash', async () => {
    const bus = new FakeEventBus();
    const { harness, revoke } = await open({ putEvents: bus.put });
    const { store } = harness;
    const { current: version } = (await store.describe('shop')) ?? {};
    await revoke();
    expect(bus.events).toEqual([]);
    bus.afterPut = () => store.failures.next('record', new StoreError('Failed', 'killed'));
    const request = { replace: true, wait: 'none', reason: 'superseded' } as const;
    await expect(revoke(request)).rejects.toThrow('killed');
    bus.afterPut = () => undefined;
    await revoke(request);
    expect(bus.events).toMatchObject(
      Array(2).fill({
        type: 'Certificate Revoked',
        arn: store.arnOf('shop'),
        certificate: 'shop',
        domains: ['shop.example.com'],
        version,
        reason: 'superseded',
        message: `version ${version} of certificate shop was revoked: superseded`,
      }),
    );
    expect(new Set(bus.events.map(({ id }) => id)).size).toBe(1);
  });

  it('that the bus refuses are owed beside what another function owes meanwhile', async () => {
    const owed = { kind: 'registered', at: new Date('2026-11-22T10:00:00Z') } as const;
    const { harness, revoke } = await open({
      putEvents: async (announcements) => {
        await harness.store.record('shop', { owedEvents: [owed] });
        return announcements.map(() => new EventError('EventFailed', 'the bus is closed'));
      },
    });
    await revoke({ replace: true, wait: 'none' });
    expect(harness.state('shop').owedEvents).toMatchObject([owed, { kind: 'revoked' }]);
  });
});
