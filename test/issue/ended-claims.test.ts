// Runs that end without a certificate and keep their claim: the next run goes on at once, and an order that
// the CA only takes long for is looked at now and then, as no failure.
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { AcmeError, type Order } from '../../lib/ports/acme.ts';
import { DnsError } from '../../lib/ports/dns.ts';
import { StoreError } from '../../lib/ports/store.ts';
import { dayMs, Harness, specOf } from './harness.ts';

const shop = specOf('shop', ['shop.example.com']);
const minuteMs = 60_000;
let harness: Harness;
/** What the CA says instead of an answer. */
const refused = (status: number, type: string) =>
  new AcmeError('Problem', `HTTP ${status}`, {
    problem: { type, detail: 'not now', status, identifiers: [] },
  });
beforeEach(() => {
  harness = new Harness([shop]);
});

describe('a claim whose run has ended keeps nobody waiting', () => {
  it('after time ran out: the queue goes on at once, and the next run with the same order', async () => {
    const time = new AbortController();
    const answer = harness.ca.answerChallenge.bind(harness.ca);
    harness.ca.answerChallenge = async () => {
      time.abort(new Error('out of time'));
      time.signal.throwIfAborted();
    };
    await harness.run({}, { signal: time.signal });
    expect(harness.sent).toMatchObject([{ names: ['shop'], delaySeconds: 0 }]);
    harness.ca.answerChallenge = answer;
    expect((await harness.run()).report.certificates).toMatchObject([
      { reason: 'Resume', outcome: 'issued' },
    ]);
    expect(harness.ca.count('newOrder')).toBe(1);
  });

  it('after the certificate could not be stored: only the back-off holds, and force lifts it', async () => {
    harness.store.failures.next('put', new StoreError('Denied', 'secretsmanager:PutSecretValue is missing'));
    await harness.run();
    expect((await harness.run()).report.certificates).toMatchObject([{ reason: 'BackingOff' }]);
    const { report } = await harness.run({ certificates: ['shop'], force: true });
    expect(report.certificates).toMatchObject([{ reason: 'Resume', outcome: 'issued' }]);
    expect([harness.ca.count('newOrder'), harness.ca.count('finalize')]).toEqual([1, 1]);
  });

  it('after TXT values could not be removed: the next run removes them', async () => {
    harness.records.failures.next('cleanUp', new DnsError('Throttled', 'Rate exceeded'));
    await harness.run();
    expect(harness.records.values.size).toBe(1);
    await harness.run();
    expect([harness.records.values.size, harness.pending('shop')]).toEqual([0, undefined]);
    expect(harness.ca.count('newOrder')).toBe(1);
  });

  it('after its state could not be recorded: the next run records it', async () => {
    const record = harness.store.record.bind(harness.store);
    harness.store.record = async (name, state) => {
      if ('version' in state) throw new StoreError('Throttled', 'Rate exceeded');
      return record(name, state);
    };
    await harness.run();
    harness.store.record = record;
    expect((await harness.run()).report.certificates).toMatchObject([{ reason: 'Resume', outcome: 'kept' }]);
    expect(harness.ca.count('newOrder')).toBe(1);
  });

  it('but where nothing can be recorded it waits for its deadline: no second order follows at once', async () => {
    harness.store.record = async () => {
      throw new StoreError('Denied', 'secretsmanager:TagResource is missing');
    };
    for (let pass = 0; pass < 3; pass += 1) await harness.run({ certificates: ['shop'] });
    expect(harness.ca.count('newOrder')).toBe(1);
    expect(harness.sent[0]).toMatchObject({ names: ['shop'], delaySeconds: 900 });
  });

  it('and if it cannot be given back, that is logged, and the claim ends by itself', async () => {
    harness.store.failures.next('put', new StoreError('Denied', 'secretsmanager:PutSecretValue is missing'));
    const claim = harness.store.claim.bind(harness.store);
    let claims = 0;
    harness.store.claim = async (...given) => {
      claims += 1;
      if (claims > 1) throw new StoreError('Throttled', 'Rate exceeded');
      return claim(...given);
    };
    await harness.run();
    expect(harness.log.events()).toContain('claim not given back');
    harness.store.claim = claim;
    expect((await harness.run()).report.certificates).toMatchObject([{ reason: 'InFlight' }]);
    harness.clock.pass(16 * minuteMs);
    expect((await harness.run()).report.certificates).toMatchObject([{ outcome: 'issued' }]);
  });
});

it.each([
  ['readOrder', 403],
  ['readOrder', 429],
  ['downloadCertificate', 403],
  ['downloadCertificate', 404],
  ['downloadCertificate', 429],
] as const)('a finalized order outlives that %s meets HTTP %s: the next run stores its certificate', async (method, status) => {
  const { ca } = harness;
  const finalize = ca.finalize.bind(ca);
  ca.finalize = async (...given) => {
    if (method === 'readOrder') ca.failures.next(method, refused(status, 'unauthorized'));
    return { ...(await finalize(...given)), status: 'processing', certificate: undefined };
  };
  if (method !== 'readOrder') ca.failures.next(method, refused(status, 'unauthorized'));
  expect((await harness.run()).report.certificates).toMatchObject([{ outcome: 'failed' }]);
  expect(harness.pending('shop')).toBeDefined();
  harness.clock.pass(60 * minuteMs);
  expect((await harness.run()).report.certificates).toMatchObject([{ outcome: 'issued' }]);
  expect([ca.count('newOrder'), ca.count('finalize')]).toEqual([1, 1]);
});

describe('an order that the CA takes long for', () => {
  let isDone: boolean;
  beforeEach(() => {
    isDone = false;
    const { ca } = harness;
    const finalize = ca.finalize.bind(ca);
    const read = ca.readOrder.bind(ca);
    const slow = (order: Order): Order =>
      isDone || order.status !== 'valid' ? order : { ...order, status: 'processing', certificate: undefined };
    ca.finalize = async (...given) => slow(await finalize(...given));
    ca.readOrder = async (url) => slow(await read(url));
  });

  /** What one more run makes of it, with the calls to the CA. */
  async function look(request = {}) {
    const { ca, clock } = harness;
    const [calls, slept] = [ca.calls.length, clock.slept.length];
    const { report, failures } = await harness.run(request);
    return {
      line: report.certificates[0],
      failures,
      calls: ca.calls.slice(calls),
      slept: clock.slept.slice(slept),
    };
  }

  it('is no failure: it is looked at within the hour, each time by one request, until it is valid', async () => {
    const first = await look();
    expect(first.failures).toEqual([]);
    expect(first.line).toMatchObject({
      outcome: 'waiting',
      message: expect.stringContaining('is still processing'),
    });
    expect(first.line).not.toHaveProperty('isSlow');
    expect(harness.state('shop')).not.toHaveProperty('failures');
    expect((await look()).line).toMatchObject({
      reason: 'BackingOff',
      message: expect.stringContaining('the CA still works on the order; issue looks again at '),
    });
    for (let hour = 0; hour < 5; hour += 1) {
      harness.sent.length = 0;
      harness.clock.pass(60 * minuteMs);
      // As the queue sends it: passes that only look do not use up the three that may finish nothing.
      const { line, failures, calls, slept } = await look({ certificates: ['shop'], fruitless: 1 });
      expect([line?.outcome, failures, calls, slept]).toEqual(['waiting', [], ['readOrder'], []]);
      expect(harness.sent).toEqual([{ names: ['shop'], delaySeconds: 900, fruitless: 1 }]);
    }
    isDone = true;
    harness.clock.pass(55 * minuteMs);
    expect(await look()).toMatchObject({
      line: { outcome: 'issued' },
      calls: ['readOrder', 'downloadCertificate'],
    });
    expect(harness.pending('shop')).toBeUndefined();
    expect(harness.state('shop')).not.toHaveProperty('error');
  });

  it('costs no version of its AWS secret while the CA works on it, and one message in flight', async () => {
    await look();
    const claim = harness.store.claim.bind(harness.store);
    let versions = 0;
    harness.store.claim = async (...given) => {
      versions += 1;
      return claim(...given);
    };
    const endsAt = harness.clock.now().getTime() + dayMs - 60 * minuteMs;
    let looks = 0;
    while (harness.clock.now().getTime() < endsAt) {
      const messages = harness.sent.splice(0);
      expect(messages).toHaveLength(1);
      harness.clock.pass((messages[0]?.delaySeconds ?? 0) * 1000);
      const { line, calls } = await look({ certificates: ['shop'] });
      expect(line?.outcome ?? line?.reason).toMatch(/^(waiting|BackingOff)$/);
      looks += calls.length;
    }
    expect(looks).toBeGreaterThanOrEqual(24);
    expect(versions).toBe(0);
  });

  it.each<[string, () => unknown, object]>([
    ['force', () => undefined, { certificates: ['shop'], force: true }],
    ['another key in the specification', () => harness.exchange({ ...shop, key: 'rsa-2048' }), {}],
    ['a look that meets no answer', () => harness.ca.failures.next('readOrder', new Error('no answer')), {}],
  ])('is claimed again by %s', async (_, change, request) => {
    await look();
    harness.clock.pass(60 * minuteMs);
    const claimed = vi.spyOn(harness.store, 'claim');
    await change();
    await look(request);
    expect(claimed).toHaveBeenCalled();
  });

  it('is not looked for twice where two messages wait for it', async () => {
    await look();
    for (const [minutes, messages] of [
      [55, 1],
      [7, 0],
      [8, 1],
    ] as const) {
      harness.sent.length = 0;
      harness.clock.pass(minutes * minuteMs);
      await look({ certificates: ['shop'] });
      expect(harness.sent).toHaveLength(messages);
    }
  });

  it.each([
    ['12 hours', 12, 6],
    ['2 hours', 2, 1],
  ])('is a failure once half of the time is over that the certificate in use had (%s)', async (_, hoursLeft, hours) => {
    isDone = true;
    harness.ca.issuesOtherwise = (now) => ({ notAfter: new Date(now.getTime() + 10 * dayMs) });
    await look();
    harness.ca.issuesOtherwise = undefined;
    isDone = false;
    harness.clock.pass(10 * dayMs - hoursLeft * 60 * minuteMs);
    expect((await look()).line).toMatchObject({ outcome: 'waiting' });
    harness.clock.pass(hours * 60 * minuteMs);
    expect((await look()).line).toMatchObject({ outcome: 'failed' });
    expect(harness.state('shop')).toMatchObject({ failures: 1, error: 'Unfinished' });
    expect(harness.pending('shop')).toBeDefined();
  });

  it('is a failure once it has expired, and is forgotten', async () => {
    const expires = new Date(harness.clock.now().getTime() + 120 * minuteMs);
    const read = harness.ca.readOrder.bind(harness.ca);
    harness.ca.readOrder = async (url) => ({ ...(await read(url)), expires });
    await look();
    harness.clock.pass(60 * minuteMs);
    expect((await look()).line).toMatchObject({ outcome: 'waiting' });
    harness.clock.pass(60 * minuteMs);
    expect((await look()).line).toMatchObject({
      outcome: 'failed',
      message: expect.stringContaining('has expired'),
    });
    expect(harness.state('shop')).toMatchObject({ failures: 1 });
    expect([harness.state('shop').order, harness.pending('shop')]).toEqual([undefined, undefined]);
  });

  it.each<[string, Partial<Order>]>([
    ['neither names nor authorizations', { names: undefined, authorizations: [] }],
    ['a name that the CA has added', { names: ['shop.example.com', 'www.shop.example.com'] }],
  ])('is resumed where the CA shows %s once it is validated', async (__, shown) => {
    const read = harness.ca.readOrder.bind(harness.ca);
    harness.ca.readOrder = async (url) => {
      const order = await read(url);
      return order.status === 'pending' ? order : { ...order, ...shown };
    };
    await look();
    isDone = true;
    harness.clock.pass(60 * minuteMs);
    expect((await look()).line).toMatchObject({ outcome: 'issued' });
    expect(harness.ca.count('newOrder')).toBe(1);
  });

  it('leaves the back-off of failures before it as it was', async () => {
    harness.ca.failures.next('newOrder', new StoreError('Failed', 'once'));
    await harness.run();
    harness.clock.pass(minuteMs);
    expect((await look()).line).toMatchObject({ outcome: 'waiting' });
    expect(harness.state('shop').failures).toBe(1);
  });

  it('is a failure after a day, so that somebody looks', async () => {
    await look();
    harness.clock.pass(dayMs - minuteMs);
    expect((await look()).line).toMatchObject({ outcome: 'waiting' });
    harness.clock.pass(55 * minuteMs);
    const { line, failures, calls } = await look();
    expect([line?.outcome, failures.length, calls]).toEqual(['failed', 1, ['readOrder']]);
    expect(harness.state('shop')).toMatchObject({ failures: 1, error: 'Unfinished' });
    isDone = true;
    harness.clock.pass(minuteMs);
    expect((await look()).line).toMatchObject({ outcome: 'issued' });
    expect(harness.ca.count('newOrder')).toBe(1);
  });

  it('that ends invalid is a failure with the CA’s words, and is forgotten', async () => {
    await look();
    harness.ca.unwelcome.add('shop.example.com');
    const [order] = harness.ca.orders.values();
    if (order) order.status = 'invalid';
    harness.clock.pass(60 * minuteMs);
    const { line, failures, calls } = await look();
    expect(line).toMatchObject({
      outcome: 'failed',
      message: expect.stringContaining('shop.example.com: no TXT record found'),
    });
    expect([failures.length, calls]).toEqual([1, ['readOrder', 'readAuthorization']]);
    expect(harness.state('shop')).toMatchObject({ failures: 1, error: 'unauthorized' });
    expect([harness.state('shop').order, harness.pending('shop')]).toEqual([undefined, undefined]);
    expect((await look()).line).toMatchObject({ reason: 'BackingOff' });
  });

  it('that the CA no longer knows is a failure, and is forgotten', async () => {
    await look();
    harness.ca.orders.clear();
    harness.clock.pass(60 * minuteMs);
    const { line, calls } = await look();
    expect(line).toMatchObject({ outcome: 'failed', message: expect.stringContaining('is gone') });
    expect(calls).toEqual(['readOrder']);
    expect(harness.state('shop')).toMatchObject({ failures: 1 });
    expect([harness.state('shop').order, harness.pending('shop')]).toEqual([undefined, undefined]);
  });

  it.each([
    ['no answer', new AcmeError('Unreachable', 'no answer from ca.example')],
    ['HTTP 503', refused(503, 'serverInternal')],
    ['HTTP 429', refused(429, 'rateLimited')],
    ['HTTP 403', refused(403, 'unauthorized')],
    ['a page of a proxy', new AcmeError('Malformed', 'the CA answered with no JSON')],
  ])('outlives a look that meets %s: its key and its certificate are not lost', async (_, error) => {
    await look();
    harness.clock.pass(60 * minuteMs);
    harness.ca.failures.next('readOrder', error);
    expect((await look()).line).toMatchObject({ outcome: 'failed' });
    isDone = true;
    harness.clock.pass(60 * minuteMs);
    expect((await look()).line).toMatchObject({ outcome: 'issued' });
    expect(harness.ca.count('newOrder')).toBe(1);
  });
});

describe('an order whose certificate the CA does not hand out', () => {
  const notFound = () => refused(404, 'malformed');
  let isThere: boolean;
  beforeEach(() => {
    isThere = false;
    const download = harness.ca.downloadCertificate.bind(harness.ca);
    harness.ca.downloadCertificate = async (order) => {
      const chain = await download(order);
      if (!isThere) throw notFound();
      return chain;
    };
  });
  const pass = async () => (await harness.run()).report.certificates[0];

  it('is kept for a day, each look a failure, and then given up: the next pass orders anew', async () => {
    expect(await pass()).toMatchObject({ outcome: 'failed', message: 'HTTP 404' });
    for (const minutes of [1, 10, 100]) {
      harness.clock.pass(minutes * minuteMs);
      expect(await pass()).toMatchObject({ outcome: 'failed', message: 'HTTP 404' });
    }
    const [first] = harness.ca.orders.keys();
    expect(harness.state('shop')).toMatchObject({ failures: 4, order: first });
    harness.clock.pass(dayMs);
    expect(await pass()).toMatchObject({
      outcome: 'failed',
      message: expect.stringMatching(
        /is valid, but since 2026-11-22T10:00:\S+ the CA has not handed out its certificate \(HTTP 404\)/,
      ),
    });
    expect([harness.state('shop').order, harness.pending('shop')]).toEqual([undefined, undefined]);
    expect([harness.ca.count('newOrder'), harness.ca.count('finalize')]).toEqual([1, 1]);
    isThere = true;
    expect(await pass()).toMatchObject({ outcome: 'issued' });
    expect(harness.ca.count('newOrder')).toBe(2);
    expect(harness.state('shop')).not.toHaveProperty('failures');
  });

  it('is given up after half of the time that the certificate in use had left', async () => {
    isThere = true;
    harness.ca.issuesOtherwise = (now) => ({ notAfter: new Date(now.getTime() + 10 * dayMs) });
    await pass();
    isThere = false;
    harness.clock.pass(10 * dayMs - 120 * minuteMs);
    for (const minutes of [1, 10]) {
      expect(await pass()).toMatchObject({ outcome: 'failed', message: 'HTTP 404' });
      harness.clock.pass(minutes * minuteMs);
    }
    harness.clock.pass(50 * minuteMs);
    expect(await pass()).toMatchObject({ message: expect.stringContaining('is given up') });
    expect(harness.ca.count('newOrder')).toBe(2);
  });

  it('is not given up where the CA fails or does not answer', async () => {
    harness.ca.downloadCertificate = async () => {
      throw refused(503, 'serverInternal');
    };
    await pass();
    harness.clock.pass(9 * dayMs);
    expect(await pass()).toMatchObject({ message: 'HTTP 503' });
    expect(harness.pending('shop')).toBeDefined();
  });
});
