// One pass of issuing, told as the days of a certificate: ordered, kept, renewed, failed, tried again.
import { describe, expect, it } from 'vitest';
import { readCertificate } from '../../lib/certificate/x509.ts';
import { AcmeError } from '../../lib/ports/acme.ts';
import { DnsError } from '../../lib/ports/dns.ts';
import { StoreError } from '../../lib/ports/store.ts';
import { dayMs, Harness, specOf } from './harness.ts';

const shop = specOf('shop', ['shop.example.com', '*.shop.example.com']);
const blog = specOf('blog', ['blog.example.com', 'www.blog.example.com']);

describe('a pass', () => {
  it('K02 orders what is missing, stores it, removes its TXT values and releases the claim', async () => {
    const harness = new Harness([shop, blog]);
    const { report, failures } = await harness.run();
    expect(failures).toEqual([]);
    expect(report.summary).toEqual({ certificates: 2, issued: 2 });
    expect(readCertificate((await harness.current('shop'))?.chain ?? '').names).toEqual(shop.domains);
    expect(harness.records.values.size).toBe(0);
    expect([harness.pending('shop'), harness.pending('blog')]).toEqual([undefined, undefined]);
    expect(harness.state('shop').order).toBeUndefined();
  });

  it('writes the TXT values of all orders in one go, apex and wildcard as two values of one name', async () => {
    const harness = new Harness([shop, blog]);
    const written: string[][] = [];
    const present = harness.records.present.bind(harness.records);
    harness.records.present = (values) => {
      written.push(values.map(({ name }) => name));
      return present(values);
    };
    await harness.run();
    expect(written).toEqual([
      [
        '_acme-challenge.blog.example.com',
        '_acme-challenge.www.blog.example.com',
        '_acme-challenge.shop.example.com',
        '_acme-challenge.shop.example.com',
      ],
    ]);
    expect([harness.records.presents, harness.records.cleanUps]).toEqual([1, 1]);
  });

  it('tells in the log whether it was over all certificates or over some that were named', async () => {
    const harness = new Harness([shop, blog]);
    await harness.run();
    await harness.run({ certificates: ['shop'] });
    const finished = harness.log.lines.filter(({ event }) => event === 'issue finished');
    expect(finished.map(({ fields }) => fields)).toMatchObject([
      { certificates: 2, asked: undefined },
      { certificates: 1, asked: 1 },
    ]);
  });

  it('P12 makes no call to the CA while nothing is due, and does not even load what orders', async () => {
    const harness = new Harness([shop]);
    await harness.run();
    const calls = harness.ca.calls.length;
    harness.store.calls.length = 0;
    const { report } = await harness.run();
    expect(report.certificates).toMatchObject([{ name: 'shop', decision: 'keep', reason: 'Current' }]);
    expect(harness.ca.calls.length).toBe(calls);
    expect(harness.opened).toBe(1);
    expect(harness.store.calls).toEqual(['list *']);
  });

  it('C03 renews by itself after two thirds of the lifetime, and not a minute before', async () => {
    const harness = new Harness([shop]);
    await harness.run();
    const first = (await harness.current('shop'))?.key;
    harness.clock.pass(60 * dayMs - 60_000);
    expect((await harness.run()).report.summary).toEqual({ certificates: 1, keep: 1 });
    harness.clock.pass(60_000);
    const { report } = await harness.run();
    expect(report.certificates).toMatchObject([{ reason: 'RenewalDue', outcome: 'issued' }]);
    expect((await harness.current('shop'))?.key).not.toBe(first);
  });

  it('says what it would do on a dry run and changes nothing', async () => {
    const harness = new Harness([shop]);
    const { report } = await harness.run({ dryRun: true });
    expect(report).toMatchObject({ dryRun: true, certificates: [{ decision: 'order', reason: 'Missing' }] });
    expect(harness.store.calls).toEqual(['list *']);
    expect([harness.connected, harness.ca.calls]).toEqual([0, []]);
  });

  it('M01 orders one certificate by name and force, whatever else is due', async () => {
    const harness = new Harness([shop, blog]);
    await harness.run();
    const { report } = await harness.run({ certificates: ['shop'], force: true });
    expect(report.certificates).toMatchObject([{ name: 'shop', reason: 'Forced', outcome: 'issued' }]);
    expect(harness.ca.count('newOrder')).toBe(3);
  });

  it('names a certificate that nobody knows, and goes on with the others', async () => {
    const harness = new Harness([shop]);
    const { report, failures } = await harness.run({ certificates: ['shop', 'shoop'] });
    expect(report.summary).toMatchObject({ issued: 1, failed: 1 });
    expect(failures.map(({ message }) => message).join()).toContain('no certificate is called "shoop"');
  });

  it('says of a certificate whose entry is gone from the inventory how it comes back, or goes', async () => {
    const harness = new Harness([shop, blog]);
    await harness.run();
    harness.inventory = { ...harness.inventory, certificates: [blog] };
    const { failures } = await harness.run({ certificates: ['shop'] });
    expect(failures.map(({ message }) => message)).toEqual([
      expect.stringMatching(/no "shop" any more: put its entry back and deploy, or let it go \(.*retire/),
    ]);
  });

  it('Y01 renews a registered certificate by the specification stored with it, and reads no value before', async () => {
    const harness = new Harness([]);
    const spec = { ...specOf('customer', ['a.example.com']), source: 'registration' as const };
    await harness.store.create('customer', spec);
    await harness.run({ certificates: ['customer'] });
    expect((await harness.current('customer'))?.spec).toEqual(spec);
    harness.store.calls.length = 0;
    expect((await harness.run()).report.certificates).toMatchObject([{ name: 'customer', decision: 'keep' }]);
    expect(harness.store.calls).toEqual(['list *']);
    harness.clock.pass(61 * dayMs);
    expect((await harness.run()).report.certificates).toMatchObject([{ outcome: 'issued' }]);
    expect((await harness.current('customer'))?.spec).toEqual(spec);
  });

  it('puts off what there is no time for, and says so', async () => {
    const harness = new Harness([shop]);
    const workUntil = new Date(harness.clock.now().getTime() + 1_999);
    const { report, failures } = await harness.run({}, { workUntil });
    expect(report.certificates).toMatchObject([{ decision: 'order', outcome: 'waiting' }]);
    expect(failures).toEqual([]);
    expect(harness.ca.count('newOrder')).toBe(0);
  });
});

describe('a failure', () => {
  it('K29 fails the certificate as a whole, names the name with the CA’s words, and spares the others', async () => {
    const harness = new Harness([shop, blog]);
    harness.ca.unwelcome.add('www.blog.example.com');
    const { report, failures } = await harness.run();
    expect(report.summary).toEqual({ certificates: 2, issued: 1, failed: 1 });
    expect(failures).toHaveLength(1);
    expect(failures[0]?.message).toContain('www.blog.example.com: no TXT record found');
    expect(await harness.current('blog')).toBeUndefined();
    expect(harness.records.values.size).toBe(0);
    expect(harness.pending('blog')).toBeUndefined();
  });

  it('K37 is tried again after 1, 10 and 100 minutes and then daily, whatever the schedule', async () => {
    const harness = new Harness([blog]);
    harness.ca.unwelcome.add('blog.example.com');
    const orders = [];
    for (const minutes of [0, 0.9, 0.1, 9.9, 0.1, 99.9, 0.1, 1_439.9, 0.1]) {
      harness.clock.pass(minutes * 60_000);
      await harness.run();
      orders.push(harness.ca.count('newOrder'));
    }
    expect(orders).toEqual([1, 1, 2, 2, 3, 3, 4, 4, 5]);
    expect(harness.state('blog')).toMatchObject({ failures: 5, error: 'unauthorized' });
  });

  it('D07 is overridden by force for one certificate, and forgotten with the next success', async () => {
    const harness = new Harness([blog]);
    harness.ca.unwelcome.add('blog.example.com');
    await harness.run();
    harness.ca.unwelcome.clear();
    expect((await harness.run()).report.certificates).toMatchObject([
      { decision: 'wait', reason: 'BackingOff' },
    ]);
    expect((await harness.run({ certificates: ['blog'], force: true })).report.summary).toMatchObject({
      issued: 1,
    });
    expect(harness.state('blog').failures).toBeUndefined();
  });

  it('waits as long as the CA asks', async () => {
    const harness = new Harness([blog]);
    const problem = { type: 'rateLimited', detail: 'too many orders', status: 429, identifiers: [] };
    harness.ca.failures.next(
      'newOrder',
      new AcmeError('Problem', 'refused', { problem, retryAfterMs: 3_600_000 }),
    );
    const { report } = await harness.run();
    expect(report.certificates).toMatchObject([
      { outcome: 'failed', until: new Date('2026-11-22T11:00:00Z') },
    ]);
    expect(harness.state('blog').error).toBe('rateLimited');
  });

  it('of a name that the CA has paused waits for a person, and says which page to visit', async () => {
    const harness = new Harness([blog]);
    const problem = { type: 'rateLimited', detail: 'paused', status: 429, identifiers: [] };
    const pausedUrl = 'https://unpause.ca.example/1';
    harness.ca.failures.next('newOrder', new AcmeError('Problem', 'refused', { problem, pausedUrl }));
    await harness.run();
    harness.clock.pass(2 * dayMs);
    const { report } = await harness.run();
    expect(report.certificates).toMatchObject([{ decision: 'wait', reason: 'Paused' }]);
    expect(report.certificates[0]?.message).toContain(pausedUrl);
    expect(harness.ca.count('newOrder')).toBe(1);
    expect(harness.state('blog').problem?.code).toBe('PausedByCA');
    await harness.store.record('blog', { pausedSince: null, pauseReason: null });
    expect((await harness.run()).report.summary).toMatchObject({ issued: 1 });
    expect(harness.state('blog').problem).toBeUndefined();
  });

  it('of one hosted zone leaves the certificates of other zones alone', async () => {
    const harness = new Harness([shop, blog]);
    harness.records.failed.set('_acme-challenge.blog.example.com', new DnsError('NoZone', 'no hosted zone'));
    const { report } = await harness.run();
    expect(report.summary).toEqual({ certificates: 2, issued: 1, failed: 1 });
    expect(harness.state('blog').error).toBe('NoZone');
  });

  it('before the order is finalized keeps the order for the next attempt', async () => {
    const harness = new Harness([blog]);
    harness.invisible.set(
      '_acme-challenge.blog.example.com',
      new DnsError('NotVisible', 'ns-1 does not answer it'),
    );
    await harness.run();
    expect(harness.pending('blog')).toBeUndefined();
    harness.invisible.clear();
    harness.clock.pass(60_000);
    expect((await harness.run()).report.summary).toMatchObject({ issued: 1 });
    expect(harness.ca.count('newOrder')).toBe(1);
  });

  it('to store keeps the claim, and the next run fetches the same certificate', async () => {
    const harness = new Harness([blog]);
    harness.store.failures.next('put', new StoreError('Denied', 'secretsmanager:PutSecretValue is missing'));
    const { failures } = await harness.run();
    expect(failures[0]?.message).toContain('secretsmanager:PutSecretValue');
    harness.clock.pass(16 * 60_000);
    expect((await harness.run()).report.certificates).toMatchObject([
      { reason: 'Resume', outcome: 'issued' },
    ]);
    expect([harness.ca.count('newOrder'), harness.ca.count('finalize')]).toEqual([1, 1]);
    expect(harness.pending('blog')).toBeUndefined();
  });

  it('to remove TXT values keeps the claim, and the next run removes them without an order', async () => {
    const harness = new Harness([blog]);
    harness.records.failures.next('cleanUp', new DnsError('Throttled', 'Rate exceeded'));
    expect((await harness.run()).report.summary).toMatchObject({ issued: 1 });
    expect(harness.records.values.size).toBe(2);
    harness.clock.pass(16 * 60_000);
    await harness.run();
    expect(harness.records.values.size).toBe(0);
    expect(harness.ca.count('newOrder')).toBe(1);
    expect(harness.pending('blog')).toBeUndefined();
  });

  it('of a CA that issues for other names is never stored', async () => {
    const harness = new Harness([blog]);
    const finalize = harness.ca.finalize.bind(harness.ca);
    harness.ca.finalize = async (order, csr) => {
      const kept = harness.ca.orders.get(order.url);
      if (kept) harness.ca.orders.set(order.url, Object.assign(kept, { domains: ['evil.example.com'] }));
      return finalize(order, csr);
    };
    const { failures } = await harness.run();
    expect(failures[0]?.message).toContain('not the one ordered');
    expect(await harness.current('blog')).toBeUndefined();
  });
});

describe('what a pass leaves', () => {
  it('goes on by the queue at once where time ran out before it began', async () => {
    const harness = new Harness([shop, blog]);
    await harness.run({}, { workUntil: harness.clock.now() });
    expect(harness.sent).toEqual([{ names: ['blog', 'shop'], delaySeconds: 0, fruitless: 1 }]);
  });

  it('ends after three passes in a row that finished nothing, and says so', async () => {
    const harness = new Harness([shop]);
    await harness.run({ certificates: ['shop'], fruitless: 2 }, { workUntil: harness.clock.now() });
    expect(harness.sent).toEqual([]);
    expect(harness.log.lines).toContainEqual(
      expect.objectContaining({ level: 'error', event: 'continuation ended' }),
    );
  });

  it('K37 is sent again for the first attempts after a failure; later ones are the schedule’s', async () => {
    const harness = new Harness([blog]);
    harness.ca.unwelcome.add('blog.example.com');
    for (const minutes of [0, 1, 10]) {
      harness.clock.pass(minutes * 60_000);
      await harness.run();
    }
    expect(harness.sent.map(({ delaySeconds }) => delaySeconds)).toEqual([60, 600]);
  });

  it('of another run’s order is looked at when that run must be over', async () => {
    const harness = new Harness([shop]);
    await crash(harness, 'present');
    harness.clock.pass(60_000);
    await harness.run();
    expect(harness.sent).toEqual([{ names: ['shop'], delaySeconds: 840, fruitless: 0 }]);
  });

  it('that cannot be sent is no failure: the schedule comes round', async () => {
    const harness = new Harness([shop]);
    harness.refuseMessages = true;
    const { failures } = await harness.run({}, { workUntil: harness.clock.now() });
    expect(failures).toEqual([]);
    expect(harness.log.events()).toContain('continuation not sent');
  });
});

describe('several runs', () => {
  it('P18 at once order once: the claim keeps the second run off', async () => {
    const harness = new Harness([shop]);
    const reports = await Promise.all([harness.run(), harness.run(), harness.run()]);
    const outcomes = reports.map(({ report }) => report.certificates[0]?.outcome);
    expect(outcomes.filter((outcome) => outcome === 'issued')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'waiting')).toHaveLength(2);
    expect(harness.ca.count('newOrder')).toBe(1);
  });

  it('P18 while another run is alive the plan waits for its deadline; past it the claim is taken over', async () => {
    const harness = new Harness([shop]);
    await crash(harness, 'present');
    expect((await harness.run()).report.certificates).toMatchObject([
      { decision: 'wait', reason: 'InFlight', until: new Date('2026-11-22T10:15:00Z') },
    ]);
    harness.clock.pass(15 * 60_000);
    expect((await harness.run()).report.certificates).toMatchObject([
      { reason: 'Resume', outcome: 'issued' },
    ]);
  });

  it.each([
    ['before TXT was written', 'present', 1],
    ['before a challenge was answered', 'answerChallenge', 1],
    ['before the order was finalized', 'finalize', 1],
    ['before the certificate was downloaded', 'downloadCertificate', 1],
    ['before the certificate was stored', 'put', 1],
    ['before TXT was removed', 'cleanUp', 1],
    ['before the state was recorded', 'record', 2],
    ['before the claim was released', 'release', 1],
  ])('killed %s: the next one finishes the same order', async (_when, step, nth) => {
    const harness = new Harness([shop]);
    await crash(harness, step, nth);
    await heal(harness);
    expect(harness.ca.count('newOrder')).toBe(1);
    expect(harness.ca.orders.size).toBe(1);
  });

  it.each([
    ['before it asked for an order', 'newOrder', 1],
    ['before the order’s URL was kept', 'record', 1],
  ])('killed %s: the next one orders once', async (_when, step, nth) => {
    const harness = new Harness([shop]);
    await crash(harness, step, nth);
    await heal(harness);
    expect([...harness.ca.orders.values()].filter(({ status }) => status === 'valid')).toHaveLength(1);
  });

  it('out of time leave the order for the next one, without TXT values', async () => {
    const harness = new Harness([shop]);
    const time = new AbortController();
    const answer = harness.ca.answerChallenge.bind(harness.ca);
    harness.ca.answerChallenge = async () => {
      time.abort(new Error('out of time'));
      time.signal.throwIfAborted();
    };
    const { report, failures } = await harness.run({}, { signal: time.signal });
    expect(report.certificates).toMatchObject([{ outcome: 'waiting' }]);
    expect(failures).toEqual([]);
    expect(harness.records.values.size).toBe(0);
    harness.ca.answerChallenge = answer;
    harness.clock.pass(15 * 60_000);
    expect((await harness.run()).report.certificates).toMatchObject([
      { reason: 'Resume', outcome: 'issued' },
    ]);
    expect(harness.ca.count('newOrder')).toBe(1);
  });

  it.each([
    ['another CA', { directory: 'https://other.example/directory' }],
    ['another profile', { profile: 'shortlived' }],
  ])('that find an order made for %s order anew', async (_what, issuer) => {
    const harness = new Harness([blog]);
    harness.records.failed.set(
      '_acme-challenge.blog.example.com',
      new DnsError('Denied', 'no right to change'),
    );
    await harness.run();
    const other = new Harness([blog], issuer);
    Object.assign(other, { store: harness.store, clock: harness.clock });
    if (!('directory' in issuer)) Object.assign(other, { ca: harness.ca, records: harness.records });
    harness.records.failed.clear();
    harness.clock.pass(60_000);
    expect((await other.run()).report.summary).toMatchObject({ issued: 1 });
    expect(other.ca.count('newOrder')).toBe('directory' in issuer ? 1 : 2);
    expect((await other.run()).report.certificates).toMatchObject([{ decision: 'keep' }]);
  });

  it('release the claim where no TXT value could be written: the next attempt is not held up', async () => {
    const harness = new Harness([blog]);
    for (const name of ['_acme-challenge.blog.example.com', '_acme-challenge.www.blog.example.com']) {
      harness.records.failed.set(name, new DnsError('Lookup', 'DNS does not answer'));
    }
    harness.records.failures.next('cleanUp', new DnsError('Lookup', 'DNS does not answer'));
    await harness.run();
    expect(harness.pending('blog')).toBeUndefined();
  });

  it('killed twice, each time with other names, leave no TXT value', async () => {
    const harness = new Harness([shop]);
    await crash(harness, 'answerChallenge');
    const grown = new Harness([specOf('shop', ['shop.example.com', 'api.shop.example.com'])]);
    Object.assign(grown, {
      store: harness.store,
      records: harness.records,
      ca: harness.ca,
      clock: harness.clock,
    });
    harness.clock.pass(15 * 60_000);
    await crash(grown, 'answerChallenge');
    harness.clock.pass(15 * 60_000);
    expect((await grown.run()).report.summary).toMatchObject({ issued: 1 });
    expect(harness.records.values.size).toBe(0);
  });

  it('follow a changed list of names with a new order, and remove what the old one left', async () => {
    const harness = new Harness([shop]);
    await crash(harness, 'answerChallenge');
    expect(harness.records.values.size).toBe(2);
    const grown = new Harness([specOf('shop', ['shop.example.com', 'api.shop.example.com'])]);
    Object.assign(grown, {
      store: harness.store,
      records: harness.records,
      ca: harness.ca,
      clock: harness.clock,
    });
    harness.clock.pass(15 * 60_000);
    expect((await grown.run()).report.summary).toMatchObject({ issued: 1 });
    expect(harness.records.values.size).toBe(0);
  });
});

/** The run after a crash, once the claim's deadline has passed: everything is as if nothing had happened. */
async function heal(harness: Harness): Promise<void> {
  harness.clock.pass(15 * 60_000);
  const { failures } = await harness.run();
  expect(failures).toEqual([]);
  expect(readCertificate((await harness.current('shop'))?.chain ?? '').names).toEqual(shop.domains);
  expect(harness.records.values.size).toBe(0);
  expect(harness.pending('shop')).toBeUndefined();
  expect((await harness.run()).report.certificates).toMatchObject([{ decision: 'keep' }]);
}

/** A run whose process dies at the nth call of a step: that call and all later ones do nothing and never
 *  answer. */
async function crash(harness: Harness, step: string, nth = 1): Promise<void> {
  let left = nth;
  const death = Promise.withResolvers<void>();
  const mortal = <T extends object>(port: T): T =>
    new Proxy(port, {
      get(target, method) {
        const value: unknown = Reflect.get(target, method);
        if (typeof value !== 'function' || method === 'proofOf') return value;
        return (...args: unknown[]) => {
          if (left > 0 && method === step) left -= 1;
          if (left > 0) return Reflect.apply(value, target, args);
          death.resolve();
          return new Promise(() => {});
        };
      },
    });
  const { store, ca, records } = harness;
  Object.assign(harness, { store: mortal(store), ca: mortal(ca), records: mortal(records) });
  await Promise.race([harness.run(), death.promise]);
  Object.assign(harness, { store, ca, records });
}
