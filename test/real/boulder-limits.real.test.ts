// Let's Encrypt's rate limits, counted by its own server, and what runs make of its refusals.
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type DnsStub, startDnsStub } from '../fakes/dns-server.ts';
import { describeWithBoulder, startBoulderHarness } from './boulder-harness.ts';
import type { OwnBoulder } from './parts/own-boulder.ts';
import { logged, newDomain, type SandboxHarness } from './sandbox-harness.ts';

const minuteMs = 60_000;

describeWithBoulder('Boulder with the limits of Let’s Encrypt', () => {
  /** The CA sees another server for this domain, one that knows nothing. */
  const unseen = newDomain();
  let stub: DnsStub;
  let boulder: OwnBoulder;
  let harness: SandboxHarness;
  let stop: () => Promise<void>;

  beforeAll(async () => {
    stub = await startDnsStub();
    const dns = { [unseen]: stub.address };
    ({ boulder, harness, stop } = await startBoulderHarness({ limits: 'prod', dns }));
  });
  afterAll(async () => {
    await stop?.();
    await stub?.stop();
  });

  test('the sixth order of one set of names is refused by the CA, and its words and Retry-After reach log, error and state', async () => {
    const domain = await harness.want('set');
    await spendSet('set');
    const sixth = await harness.issue('set', { force: true });
    const words = /rateLimited: too many certificates \(5\) already issued for this exact set of identifiers/;
    expect(sixth.error?.errorMessage).toMatch(words);
    expect(sixth.error?.errorMessage).toContain('https://letsencrypt.org/docs/rate-limits/');
    const { error, failures, nextAttempt, order } = harness.state('set');
    expect({ error, failures, order }).toEqual({ error: 'rateLimited', failures: 1, order: undefined });
    expect(Math.abs(Number(nextAttempt) - retryDate(sixth.error?.errorMessage))).toBeLessThan(minuteMs);
    expect(logged(sixth, 'certificate failed')).toMatchObject([
      { reason: 'rateLimited', problem: expect.stringMatching(words), until: nextAttempt?.toISOString() },
    ]);
    expect(harness.txtSets(domain)).toEqual([]);
    // Nothing is due but by force, and force is told the same again.
    const again = await harness.issue('set', { force: true });
    expect(again.error?.errorMessage).toMatch(words);
  });

  test('a renewal inside its ARI window is exempt from the limit that its set has spent, and one outside is not', async () => {
    await harness.want('window');
    await spendSet('window');
    const { serial } = harness.held('window');
    await moveIntoWindow('window');
    const inside = await harness.issue('window');
    expect(inside.error).toBeUndefined();
    expect(inside.answer).toMatchObject({ certificates: [{ reason: 'RenewalDue', outcome: 'issued' }] });
    const replaced = await boulder.ctl(
      'sql',
      `SELECT replaced FROM replacementOrders WHERE serial = '${serial}'`,
    );
    expect(replaced).toMatch(/\| +1 \|/);
    const outside = await harness.issue('window', { force: true });
    expect(outside.error?.errorMessage).toMatch(/rateLimited: too many certificates \(5\)/);
  });

  test('a name that fails five times is refused at the sixth order; nothing of it stays in DNS', async () => {
    await harness.want('failing', {}, unseen);
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      const { error } = await harness.issue('failing', { force: attempt > 1 });
      expect(error?.errorMessage).toContain(`${unseen}: `);
      expect(error?.errorMessage).toMatch(/DNS problem: NXDOMAIN looking up TXT/);
      expect(harness.state('failing')).toMatchObject({ failures: attempt });
    }
    const sixth = await harness.issue('failing', { force: true });
    expect(sixth.error?.errorMessage).toMatch(/rateLimited: too many failed authorizations \(5\) for/);
    expect(harness.state('failing')).toMatchObject({ failures: 6, error: 'rateLimited' });
    const changes = harness.changes;
    expect((await harness.issue('failing')).answer).toMatchObject({
      certificates: [{ decision: 'wait', reason: 'BackingOff' }],
    });
    expect(harness.changes).toBe(changes);
    expect(harness.txtSets(unseen)).toEqual([]);
  });

  test('a name that the CA has paused waits for a person, who is told the page to visit', async () => {
    const domain = await harness.want('paused');
    await harness.want('neighbour');
    await harness.issue('neighbour');
    await boulder.ctl(
      'sql',
      `INSERT INTO paused (registrationID, identifierType, identifierValue, pausedAt)
       SELECT id, 0, '${domain}', NOW() FROM registrations`,
    );
    const page = 'https://unpause.bench.example/sfe/v1/unpause?jwt=';
    const refused = await harness.issue('paused');
    expect(refused.error?.errorMessage).toContain(page);
    const { answer } = await harness.issue('paused', { force: true });
    expect(answer).toMatchObject({
      certificates: [{ decision: 'wait', reason: 'Paused', message: expect.stringContaining(page) }],
    });
    expect(Object(answer).certificates[0]).not.toHaveProperty('until');

    await boulder.ctl('sql', 'UPDATE paused SET unpausedAt = NOW()');
    await harness.sandbox.lambda.invoke('pause', { certificates: ['paused'], resume: true });
    expect((await harness.issue('paused', { force: true })).answer).toMatchObject({
      certificates: [{ outcome: 'issued' }],
    });
  });

  /** Five orders, as many as one set of names may have at once. */
  async function spendSet(name: string): Promise<void> {
    for (let order = 1; order <= 5; order += 1) {
      const { answer } = await harness.issue(name, { force: order > 1 });
      expect(answer).toMatchObject({ certificates: [{ outcome: 'issued' }] });
    }
  }

  /** The CA then believes that it issued the certificate so long ago that the instant drawn in its window has
   *  passed, and that half of the window after it is left. It reckons from when it issued, which is an hour
   *  after `notBefore`: two thirds of the lifetime, one hundredth before and after. */
  async function moveIntoWindow(name: string): Promise<void> {
    const { serial, fingerprint } = harness.held(name);
    const share = Number.parseInt(fingerprint.slice(0, 12), 16) / 16 ** 12;
    const age = 2 / 3 - 0.01 + 0.02 * ((share + 1) / 2);
    const back = (column: string) => `${column} = ${column} - INTERVAL @back SECOND`;
    await boulder.ctl(
      'sql',
      `SELECT TIMESTAMPDIFF(SECOND, issued, expires) * ${age} - TIMESTAMPDIFF(SECOND, issued, UTC_TIMESTAMP())
       INTO @back FROM certificates WHERE serial = '${serial}';
       UPDATE certificates SET ${back('issued')}, ${back('expires')} WHERE serial = '${serial}'`,
    );
    harness.forgetAsking(name);
  }
});

describeWithBoulder('Boulder with limits that pass within a minute', () => {
  let harness: SandboxHarness;
  let stop: () => Promise<void>;

  beforeAll(async () => {
    ({ harness, stop } = await startBoulderHarness({ limits: 'fast' }));
  });
  afterAll(() => stop?.());

  test('a limit is waited out across runs: the order is made again once the CA allows it, not before, and by no hand', async () => {
    const domain = await harness.want('first');
    await spendUntilRefused('first');
    await harness.want('second', { domains: [domain] });
    const refused = await harness.issue('second');
    expect(refused.error?.errorMessage).toMatch(/rateLimited: too many certificates \(5\)/);
    const { nextAttempt } = harness.state('second');
    const waiting = await harness.issue('second');
    expect(waiting.answer).toMatchObject({
      certificates: [{ decision: 'wait', reason: 'BackingOff', until: nextAttempt?.toISOString() }],
    });

    await harness.sandbox.queues.issue.untilEmpty();
    expect(harness.held('second')).toMatchObject({ names: [domain] });
    expect(harness.state('second')).toMatchObject({ failures: undefined, nextAttempt: undefined });
    const lines = harness.sandbox.lambda.logs
      .map(({ line }) => line)
      .filter((line) => line.includes('"second"'));
    expect(lines.filter((line) => line.includes('"certificate failed"'))).toHaveLength(1);
    expect(lines.filter((line) => line.includes('"order created"'))).toHaveLength(1);
  });

  /** Orders until the CA refuses, and once more as soon as it may: then no order is left for ten seconds. */
  async function spendUntilRefused(name: string): Promise<void> {
    for (let isRefused = false; ; ) {
      const { error } = await harness.issue(name, { force: true });
      if (isRefused && !error) return;
      if (!error) continue;
      isRefused = true;
      await delay(retryDate(error.errorMessage) - Date.now() + 1_000);
    }
  }
});

/** The instant that the CA's words name. */
function retryDate(message = ''): number {
  const [, date] = /retry after (\S+ \S+) UTC/.exec(message) ?? [];
  return Date.parse(`${date}Z`);
}
