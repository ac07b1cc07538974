// A certificate that is exchanged is revoked last: when the other one is delivered everywhere and served
// everywhere.
import { describe, expect, it } from 'vitest';
import { readCertificate } from '../../lib/certificate/x509.ts';
import { describeProgress } from '../../lib/policy/delivery/progress.ts';
import type { ProbeResult } from '../../lib/policy/serving/served.ts';
import { parseRevokeEvent } from '../../lib/requests/requests.ts';
import type { ServedWord } from '../../lib/state/delivery.ts';
import { dayMs } from '../issue/harness.ts';
import { targetOf } from '../minting/targets.ts';
import { type Otherwise, open } from './harness.ts';

const nowhere = { name: '*.shop.example.com', address: undefined };
const targets = [targetOf(), targetOf({ namespace: 'edge' })];
const address = '203.0.113.7';
/** What an order takes by the harness's clock. */
const orderMs = 50;

function finding(served: ServedWord, more: Partial<ProbeResult> = {}): ProbeResult {
  return { name: 'shop.example.com', address, served, message: `it is ${served}`, ...more };
}

/** The certificate with two targets. `deliver` is what the deploy function would write of them. */
async function openDelivered(otherwise: Otherwise = {}) {
  const opened = await open({ ...otherwise, spec: { targets, ...otherwise.spec } });
  const deliver = async (...steps: readonly ('applied' | 'rolled-out')[]) => {
    const { current = '' } = (await opened.harness.store.describe('shop')) ?? {};
    await opened.harness.store.record('shop', { deployed: describeProgress(current, targets, steps) });
  };
  /** Carried out one after the other while the run waits; then its time is up. */
  const waits: (() => unknown)[] = [];
  const ending = new AbortController();
  const { clock } = opened.harness;
  opened.ports.clock = {
    now: () => clock.now(),
    after: (...timer) => clock.after(...timer),
    timeout: (ms) => clock.timeout(ms),
    async sleep(ms, signal) {
      const next = waits.shift();
      if (next) await next();
      else ending.abort(new Error('time is up'));
      await clock.sleep(ms, signal);
    },
  };
  return { ...opened, deliver, waits, signal: ending.signal };
}

describe('with replace', () => {
  it('it is revoked after the last rollout and after no address serves it any more; the answer says when', async () => {
    let word: ServedWord = 'stale';
    const { harness, revoke, chain, deliver, waits, signal } = await openDelivered({
      look: () => [finding(word)],
    });
    const old = await chain();
    const seen: number[] = [];
    const look = () => seen.push(harness.ca.revoked.length);
    waits.push(
      async () => [look(), await deliver('rolled-out', 'applied')],
      async () => [look(), await deliver('rolled-out', 'rolled-out')],
      look,
      () => {
        look();
        word = 'served';
      },
    );
    const answer = await revoke({ replace: true }, signal);
    expect(seen).toEqual([0, 0, 0, 0]);
    expect(answer).toMatchObject({
      outcome: 'revoked',
      times: { stored: orderMs, delivered: orderMs + 750, served: orderMs + 1500 },
    });
    expect(harness.ca.revoked).toEqual([old]);
  });

  it('it waits when time is up, says for what, and the same call goes on without another order', async () => {
    let word: ServedWord = 'stale';
    const { harness, revoke, deliver, waits, signal } = await openDelivered({ look: () => [finding(word)] });
    const waiting = (what: string) => ({ outcome: 'waiting', message: expect.stringContaining(what) });
    const undelivered =
      'not delivered yet to lab/shop/shop-tls, lab/edge/shop-tls: send the same request again';
    expect(await revoke({ replace: true }, signal)).toMatchObject(waiting(undelivered));
    const orders = harness.ca.count('newOrder');
    await deliver('rolled-out', 'applied');
    expect(await revoke({ replace: true }, AbortSignal.abort())).toMatchObject(waiting('no time to check'));
    await deliver('rolled-out', 'rolled-out');
    waits.push(() => {
      word = 'served';
    });
    expect(await revoke({ replace: true })).toMatchObject({ outcome: 'revoked' });
    expect([harness.ca.count('newOrder'), harness.ca.revoked.length]).toEqual([orders, 1]);
  });

  it.each<[what: string, outcome: string, look: readonly ProbeResult[], request?: object]>([
    ['another certificate is served', 'waiting', [finding('served'), finding('mismatch')]],
    ['an address does not answer', 'waiting', [finding('unreachable')]],
    ['nobody could look at an address', 'waiting', [finding('unprobed')]],
    [
      'a wildcard has no address, and another name is served',
      'revoked',
      [finding('served'), finding('unprobed', { address: undefined })],
    ],
    [
      'one address is served, and nobody could look at another',
      'waiting',
      [finding('served'), finding('unprobed', { address: '2001:db8::7' })],
    ],
    [
      'there are more addresses than are looked at',
      'waiting',
      [finding('served'), finding('unprobed', { address: undefined, unlooked: 55 })],
    ],
    ['there are only wildcards, or names without address', 'waiting', [finding('unprobed', nowhere)]],
    ['there is nothing to look at', 'waiting', []],
    ['there is nothing to look at, and nobody is to wait for it', 'revoked', [], { wait: 'delivered' }],
    ['another is served, and nobody is to wait for it', 'revoked', [finding('stale')], { wait: 'delivered' }],
  ])('where %s it is %s', async (_, outcome, look, request = {}) => {
    const { revoke, deliver, ports, signal } = await openDelivered({ look: () => look });
    const { orderAnew } = ports;
    ports.orderAnew = async (name) => {
      const said = await orderAnew(name);
      await deliver('rolled-out', 'rolled-out');
      return said;
    };
    const answer = await revoke({ replace: true, ...request }, signal);
    expect(answer).toMatchObject({ outcome });
    if (answer.outcome === 'waiting') expect(answer.message).toContain('"wait": "delivered"');
  });

  it('but nobody may look at what is served, it waits until somebody says that delivery is enough', async () => {
    const { harness, revoke, deliver, waits, signal } = await openDelivered({ spec: { probe: false } });
    waits.push(() => deliver('rolled-out', 'rolled-out'));
    const message = expect.stringMatching(/"probe: false" \(set "wait": "delivered" to go on without/);
    expect(await revoke({ replace: true }, signal)).toMatchObject({ outcome: 'waiting', message });
    expect(harness.ca.revoked).toEqual([]);
    expect(await revoke({ replace: true, wait: 'delivered' })).toMatchObject({ outcome: 'revoked' });
  });

  it.each([
    ['it is seen to be served', 'revoked', [finding('served')]],
    ['nobody could look', 'waiting', [finding('unprobed', nowhere)]],
  ])('of a certificate without targets: where %s it is %s', async (_, outcome, look) => {
    const { revoke, signal } = await openDelivered({ look: () => look, spec: { targets: [] } });
    expect(await revoke({ replace: true }, signal)).toMatchObject({ outcome });
  });

  it('one good answer of an address is not enough, for one of its servers may have the old one yet', async () => {
    const { harness, revoke, questions } = await open({ spec: { targets: [] } });
    await revoke({ replace: true });
    const { fingerprint, keyType } = readCertificate((await harness.current('shop'))?.chain ?? '');
    expect(questions).toMatchObject([{ fingerprint, keyType, handshakes: 4 }]);
  });

  it('a successor that the CA issued for a short time only takes its place all the same', async () => {
    const { harness, revoke, chain } = await open();
    const old = await chain();
    harness.ca.issuesOtherwise = (now) => ({
      notBefore: new Date(now.getTime() - 2 * dayMs),
      notAfter: new Date(now.getTime() + dayMs),
    });
    expect(await revoke({ replace: true })).toMatchObject({ outcome: 'revoked' });
    expect(harness.ca.revoked).toEqual([old]);
    expect(harness.state('shop').error).toBe('DueAgain');
  });

  it('and no wait at all it is revoked as soon as the other one is stored', async () => {
    const { revoke, signal } = await openDelivered({ look: () => [finding('stale')] });
    const answer = await revoke({ replace: true, wait: 'none' }, signal);
    expect(answer).toMatchObject({ outcome: 'revoked', times: { stored: orderMs, revoked: orderMs } });
  });
});

describe('a drill', () => {
  const staging = 'https://acme-staging-v02.api.letsencrypt.org/directory';
  const production = 'https://acme-v02.api.letsencrypt.org/directory';
  const drill = parseRevokeEvent({ certificate: 'shop', reason: 'superseded', drill: true });

  it('is the whole exchange with a CA for tests, and tells its times', async () => {
    const { harness, revoke } = await open({
      issuer: { directory: staging },
      look: () => [finding('served')],
    });
    const times = { stored: expect.any(Number), served: expect.any(Number), revoked: expect.any(Number) };
    expect(await revoke(drill)).toMatchObject({ outcome: 'revoked', times });
    expect(harness.ca.revoked).toHaveLength(1);
  });

  it('is not over where nobody could look: it says so and waits', async () => {
    const { harness, revoke } = await open({ issuer: { directory: staging }, look: () => [] });
    const ending = new AbortController();
    const sleep = harness.clock.sleep.bind(harness.clock);
    harness.clock.sleep = async (...wait) => {
      if (wait[1] === ending.signal) ending.abort(new Error('time is up'));
      return sleep(...wait);
    };
    const message = expect.stringContaining('what is served could not be probed');
    expect(await revoke(drill, ending.signal)).toMatchObject({ outcome: 'waiting', message });
    expect(harness.ca.revoked).toEqual([]);
    expect(await revoke({ ...drill, wait: 'delivered' })).toMatchObject({ outcome: 'revoked' });
  });

  it('is refused with any other CA, before anything is ordered', async () => {
    const { harness, revoke } = await open({ issuer: { directory: production } });
    const orders = harness.ca.count('newOrder');
    expect(await revoke(drill)).toMatchObject({ outcome: 'refused', reason: 'NotForTests' });
    expect([harness.ca.revoked.length, harness.ca.count('newOrder')]).toEqual([0, orders]);
  });
});
