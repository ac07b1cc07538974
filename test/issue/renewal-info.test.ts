// Renewal when the CA says (RFC 9773): asked as often as it wants, never in the way, and named in the order.
import { describe, expect, it } from 'vitest';
import { AcmeError } from '../../lib/ports/acme.ts';
import { Harness, specOf } from './harness.ts';

const shop = specOf('shop', ['shop.example.com', '*.shop.example.com']);
const hourMs = 3_600_000;

/** A certificate that was issued six hours ago, and its id at the CA. */
async function issued() {
  const harness = new Harness([shop]);
  await harness.run();
  harness.clock.pass(6 * hourMs);
  return { harness, id: harness.state('shop').certificateId ?? 'none' };
}

function inHours(harness: Harness, hours: number): Date {
  return new Date(harness.clock.now().getTime() + hours * hourMs);
}

describe('a window that the CA suggests', () => {
  it('moved to now renews at the next pass, and the order says what it replaces', async () => {
    const { harness, id } = await issued();
    harness.ca.windows.set(id, {
      start: inHours(harness, -2),
      end: inHours(harness, -1),
      retryAfterMs: hourMs,
    });
    const { report } = await harness.run();
    expect(report.certificates).toMatchObject([{ reason: 'RenewalDue', outcome: 'issued' }]);
    expect(harness.ca.replaced).toEqual([id]);
  });

  it('moved to now ends the wait for the CA’s limits, which do not count in it; a refusal in it is waited for', async () => {
    const { harness, id } = await issued();
    const problem = { type: 'rateLimited', detail: 'too many orders', status: 429, identifiers: [] };
    const refuse = () =>
      harness.ca.failures.next(
        'newOrder',
        new AcmeError('Problem', 'ca refused', { problem, retryAfterMs: 48 * hourMs }),
      );
    harness.ca.windows.set(id, {
      start: inHours(harness, 5),
      end: inHours(harness, 9),
      retryAfterMs: hourMs,
    });
    refuse();
    await harness.run({ certificates: ['shop'], force: true });
    // So much of it is past that what is drawn in it is, too.
    harness.ca.windows.set(id, { start: new Date(0), end: inHours(harness, 3), retryAfterMs: hourMs });
    refuse();
    harness.clock.pass(hourMs);
    expect((await harness.run()).report.certificates).toMatchObject([{ outcome: 'failed' }]);
    harness.clock.pass(hourMs);
    expect((await harness.run()).report.certificates).toMatchObject([{ reason: 'BackingOff' }]);
    harness.clock.pass(48 * hourMs);
    expect((await harness.run()).report.certificates).toMatchObject([{ outcome: 'issued' }]);
    expect(harness.ca.replaced).toEqual([id]);
  });

  it('is kept on tags: until the CA wants to be asked again a pass makes no call, and judges by it', async () => {
    const { harness, id } = await issued();
    harness.ca.windows.set(id, {
      start: inHours(harness, 5),
      end: inHours(harness, 6),
      retryAfterMs: 6 * hourMs,
    });
    const { report } = await harness.run();
    const [renewsAt] = report.certificates.map((line) => line.renewsAt);
    expect(renewsAt?.getTime()).toBeGreaterThan(inHours(harness, 5).getTime());
    expect(renewsAt?.getTime()).toBeLessThan(inHours(harness, 6).getTime());
    const calls = harness.ca.calls.length;
    harness.clock.pass(6 * hourMs - 1_000);
    expect((await harness.run()).report.certificates).toMatchObject([{ reason: 'RenewalDue' }]);
    expect(harness.ca.calls.slice(calls)).not.toContain('renewalInfo');
  });

  it('and that another run writes down only after the certificate was replaced is not the new one’s', async () => {
    const { harness, id } = await issued();
    const window = { start: inHours(harness, -2), end: inHours(harness, -1) };
    harness.ca.windows.set(id, { ...window, retryAfterMs: hourMs });
    await harness.run();
    const { windowOf } = harness.state('shop');
    const late = { windowStart: window.start, windowEnd: window.end, windowOf };
    await harness.store.record('shop', late);
    expect(windowOf).toBe(id);
    expect((await harness.run()).report.certificates).toMatchObject([{ decision: 'keep' }]);
  });

  it('comes with an explanation that reaches the log, and the report of every pass until the certificate is replaced', async () => {
    const { harness, id } = await issued();
    const explanationUrl = 'https://ca.example/incident';
    const [start, end] = [inHours(harness, 5), inHours(harness, 6)];
    harness.ca.windows.set(id, { start, end, retryAfterMs: 24 * hourMs, explanationUrl });
    const lines = [];
    for (const hours of [0, 4, 4, 1]) {
      harness.clock.pass(hours * hourMs);
      lines.push(...(await harness.run()).report.certificates);
    }
    expect(lines).toMatchObject([
      { decision: 'keep', explanationUrl },
      { decision: 'keep', explanationUrl },
      { reason: 'RenewalDue', outcome: 'issued', explanationUrl },
      { decision: 'keep' },
    ]);
    expect(lines.at(-1)).not.toHaveProperty('explanationUrl');
    expect(harness.log.lines.filter(({ event }) => event === 'CA explained a renewal')).toMatchObject([
      { fields: { explanationUrl } },
    ]);
  });

  it('whose explanation is too long for tags tells it once', async () => {
    const { harness, id } = await issued();
    const window = { start: inHours(harness, 5), end: inHours(harness, 6), retryAfterMs: 24 * hourMs };
    for (const length of [500, 501]) {
      const explanationUrl = 'https://ca.example/'.padEnd(length, 'x');
      harness.ca.windows.set(id, { ...window, explanationUrl });
      await harness.store.record('shop', { askAfter: null });
      expect((await harness.run()).report.certificates).toMatchObject([{ explanationUrl }]);
      expect(harness.state('shop').explanationUrl).toBe(length > 500 ? undefined : explanationUrl);
    }
  });
});

describe('a CA that does not answer about renewal', () => {
  it('leaves the certificate to its lifetime, and is asked again in six hours', async () => {
    const { harness } = await issued();
    const asked = [];
    for (const hours of [0, 5.9, 0.1]) {
      harness.clock.pass(hours * hourMs);
      expect((await harness.run()).report.certificates).toMatchObject([{ reason: 'Current' }]);
      asked.push(harness.ca.count('renewalInfo'));
    }
    expect(asked).toEqual([1, 1, 2]);
  });

  it('now may answer in an hour, and stops nothing', async () => {
    const { harness } = await issued();
    harness.ca.failures.next('renewalInfo', new AcmeError('Unreachable', 'no answer from ca.example'));
    const { report, failures } = await harness.run();
    expect([report.summary, failures]).toEqual([{ certificates: 1, keep: 1 }, []]);
    harness.clock.pass(hourMs);
    await harness.run();
    expect(harness.ca.count('renewalInfo')).toBe(2);
  });

  it('is not asked about a certificate that has ended, nor on a dry run', async () => {
    const { harness } = await issued();
    await harness.run({ dryRun: true });
    expect(harness.ca.count('renewalInfo')).toBe(0);
    harness.clock.pass(90 * 24 * hourMs);
    await harness.run();
    expect(harness.ca.count('renewalInfo')).toBe(0);
  });
});

describe('a CA that does not answer', () => {
  it('is asked for a part of the pass’s time, and keeps no certificate of another from being renewed', async () => {
    const many = Array.from({ length: 40 }, (_, n) => {
      return { ...specOf(`a${n}`, [`a${n}.example.com`]), issuer: 'other' };
    });
    const harness = new Harness([shop, ...many], {}, { other: {} });
    await harness.run();
    harness.clock.pass(6 * hourMs);
    const window = { start: inHours(harness, -2), end: inHours(harness, -1), retryAfterMs: hourMs };
    harness.ca.windows.set(harness.state('shop').certificateId ?? 'none', window);
    let asked = 0;
    const hanging = async (_id: string, signal: AbortSignal) => {
      asked += 1;
      return new Promise<never>((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
        if (asked === 16) setImmediate(() => harness.clock.pass(750));
      });
    };
    Object.assign(harness.cas.get('other') ?? {}, { renewalInfo: hanging });
    const workUntil = new Date(harness.clock.now().getTime() + 3_000);
    const { report, failures } = await harness.run({}, { workUntil });
    expect(failures).toEqual([]);
    expect(report.summary).toEqual({ certificates: 41, issued: 1, keep: 40 });
    // Those that there was no time to begin with are not put off: the next pass asks.
    expect(asked).toBe(16);
    const putOff = many.filter(({ name }) => (harness.state(name).askAfter ?? 0) > harness.clock.now());
    expect(putOff).toHaveLength(16);
  });
});

it.each<[string, number | undefined, number]>([
  ['in three hours', 3 * hourMs, 3 * hourMs],
  ['in a second, which is taken for a minute', 1_000, hourMs / 60],
  ['in a week, which is taken for a day', 168 * hourMs, 24 * hourMs],
  ['nobody knows when, which is in an hour', undefined, hourMs],
])('a CA that refuses to answer is asked again when it says: %s', async (_, retryAfterMs, ms) => {
  const { harness } = await issued();
  const problem = { type: 'rateLimited', detail: 'too many requests', status: 429, identifiers: [] };
  harness.ca.failures.next('renewalInfo', new AcmeError('Problem', 'ca refused', { problem, retryAfterMs }));
  const before = harness.clock.now().getTime();
  await harness.run();
  expect((harness.state('shop').askAfter?.getTime() ?? 0) - before).toBe(ms);
});
