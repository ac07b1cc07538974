// Several issuers for one certificate, told as the days on which the preferred one does not issue; keys that
// stay.
import { describe, expect, it } from 'vitest';
import type { CertificateSpec } from '../../lib/certificate/spec.ts';
import { readCertificate } from '../../lib/certificate/x509.ts';
import { AcmeError } from '../../lib/ports/acme.ts';
import { dayMs, Harness, specOf } from './harness.ts';

const shop = { ...specOf('shop', ['shop.example.com']), fallbackIssuers: ['spare'] };
const minuteMs = 60_000;

function unwell(harness: Harness, issuer: string, times: number): void {
  const problem = { type: 'serverInternal', detail: 'the database is away', status: 500, identifiers: [] };
  const errors = Array.from({ length: times }, () => new AcmeError('Problem', 'ca refused', { problem }));
  harness.cas.get(issuer)?.failures.next('newOrder', ...errors);
}

async function passAfter(harness: Harness, ms: number) {
  harness.clock.pass(ms);
  const { report } = await harness.run();
  const [line] = report.certificates;
  return line;
}

describe('a certificate with a second issuer', () => {
  it('goes to it at once after three failures at the first, and the report says so', async () => {
    const harness = new Harness([shop], {}, { spare: {} });
    unwell(harness, 'default', 3);
    expect((await passAfter(harness, 0))?.message).not.toContain('spare');
    await passAfter(harness, minuteMs);
    const third = await passAfter(harness, 10 * minuteMs);
    expect(third).toMatchObject({ outcome: 'failed', until: harness.clock.now() });
    expect(third?.message).toContain('the next attempt goes to issuer spare');
    expect(harness.sent.at(-1)).toMatchObject({ names: ['shop'], delaySeconds: 0 });

    const plan = (await harness.run({ dryRun: true })).report.certificates[0];
    expect([third?.issuer, plan?.issuer]).toEqual(['default', 'spare']);
    expect(plan?.message).toContain('from issuer spare, because too many attempts at default have failed');
    expect(await passAfter(harness, 0)).toMatchObject({ outcome: 'issued' });
    expect(harness.ca.count('newOrder')).toBe(3);
    expect((await harness.current('shop'))?.issuer).toBe('https://spare.example/directory');
  });

  it('keeps what the second one issued, and asks the first again when it is to be renewed', async () => {
    const harness = new Harness([shop], { attempts: 1 }, { spare: {} });
    unwell(harness, 'default', 1);
    await harness.run();
    expect(await passAfter(harness, 0)).toMatchObject({ outcome: 'issued' });
    expect(await passAfter(harness, dayMs)).toMatchObject({ decision: 'keep', reason: 'Current' });
    expect(await passAfter(harness, 60 * dayMs)).toMatchObject({ reason: 'RenewalDue', outcome: 'issued' });
    expect((await harness.current('shop'))?.issuer).toBe(harness.ca.directory);
  });

  it('asks each CA about its own certificates when to renew them', async () => {
    const harness = new Harness([shop], { attempts: 1 }, { spare: {} });
    unwell(harness, 'default', 1);
    await harness.run();
    await passAfter(harness, 0);
    await passAfter(harness, dayMs);
    expect(harness.ca.count('renewalInfo')).toBe(0);
    expect(harness.cas.get('spare')?.count('renewalInfo')).toBe(1);
  });

  it('backs off at each issuer by its own failures when none of them issues', async () => {
    const harness = new Harness([shop], { attempts: 2 }, { spare: { attempts: 1 } });
    unwell(harness, 'default', 99);
    unwell(harness, 'spare', 99);
    const waits: number[] = [];
    for (let attempt = 0; attempt < 7; attempt += 1) {
      const line = await passAfter(harness, waits.at(-1) ?? 0);
      waits.push((line?.until?.getTime() ?? 0) - harness.clock.now().getTime());
    }
    const minutes = waits.map((wait) => wait / minuteMs);
    // default, default, spare, default, default, spare, default
    expect(minutes).toEqual([1, 0, 10, 100, 1, 1440, 1440]);
    expect([harness.ca.count('newOrder'), harness.cas.get('spare')?.count('newOrder')]).toEqual([5, 2]);
  });

  it('is held against the CAA of the issuer that is asked', async () => {
    const harness = new Harness([shop], { attempts: 1 }, { spare: {} });
    unwell(harness, 'default', 1);
    await harness.run();
    const described: string[] = [];
    harness.preflight = {
      gather: async () => ({ names: [] }),
      describe: async (issuer) => {
        described.push(issuer);
        return { identities: [] };
      },
    };
    await passAfter(harness, 0);
    expect(described).toEqual(['spare']);
  });

  it('finishes an order where it was begun', async () => {
    const harness = new Harness([shop], { attempts: 1 }, { spare: {} });
    const timeout = new AcmeError('Unreachable', 'no answer');
    harness.ca.failures.next('finalize', timeout);
    expect(await passAfter(harness, 0)).toMatchObject({ outcome: 'failed' });
    harness.clock.pass(dayMs);
    expect(await passAfter(harness, dayMs)).toMatchObject({ reason: 'Resume', outcome: 'issued' });
    expect([harness.ca.count('newOrder'), harness.cas.get('spare')?.count('newOrder')]).toEqual([1, 0]);
  });
});

describe('the issuer of an order is chosen once', () => {
  it('so an order that stays at the second issuer is not rehearsed for the first', async () => {
    const harness = new Harness(
      [shop],
      { attempts: 1, rehearsal: 'staging' },
      { spare: { attempts: 1 }, staging: {} },
    );
    unwell(harness, 'default', 1);
    await harness.run();
    harness.cas.get('spare')?.failures.next('finalize', new AcmeError('Unreachable', 'no answer'));
    expect(await passAfter(harness, 0)).toMatchObject({ outcome: 'failed' });
    harness.cas.get('spare')?.orders.clear();
    expect(await passAfter(harness, 2 * dayMs)).toMatchObject({ reason: 'Resume', outcome: 'issued' });
    expect((await harness.current('shop'))?.issuer).toBe('https://spare.example/directory');
    expect(harness.cas.get('staging')?.count('newOrder')).toBe(0);
  });

  it('so a registered certificate is planned for the CA that its own specification names', async () => {
    const harness = new Harness([], {}, { spare: {} });
    const { name, domains } = shop;
    const sent = { ...specOf(name, domains), source: 'registration' as const };
    await harness.store.create(name, sent);
    await harness.run();
    // The rules get a second issuer, which the stored specification does not have.
    const { registration } = harness.inventory;
    if (!registration) throw new Error('nothing can be registered');
    harness.inventory = {
      ...harness.inventory,
      registration: { ...registration, fallbackIssuers: ['spare'] },
    };
    await harness.store.record(name, { failures: 3, error: 'Unreachable' });
    const described: string[] = [];
    harness.preflight = {
      gather: async () => ({ names: [] }),
      describe: async (issuer) => {
        described.push(issuer);
        return { identities: [] };
      },
    };
    const line = await passAfter(harness, 61 * dayMs);
    expect(line).toMatchObject({ reason: 'RenewalDue', outcome: 'issued' });
    expect(line?.message).not.toContain('spare');
    expect(described).toEqual(['default']);
    expect((await harness.current(name))?.issuer).toBe(harness.ca.directory);
  });
});

describe('rotateKey: never', () => {
  const pinned = { ...specOf('shop', ['shop.example.com']), rotateKey: 'never' as const };

  it('C11 keeps the private key at a renewal', async () => {
    const harness = new Harness([pinned]);
    await harness.run();
    const first = await harness.current('shop');
    expect(await passAfter(harness, 60 * dayMs)).toMatchObject({ reason: 'RenewalDue', outcome: 'issued' });
    const second = await harness.current('shop');
    expect(second?.key).toBe(first?.key);
    const fingerprint = (chain = '') => readCertificate(chain).fingerprint;
    expect(fingerprint(second?.chain)).not.toBe(fingerprint(first?.chain));
  });

  it.each([
    ['was revoked', (harness: Harness) => ({ revoked: [harness.state('shop').version ?? ''] })],
    ['is to be revoked', (harness: Harness) => ({ revoking: harness.state('shop').version })],
  ])('makes a new one where the certificate %s', async (_, stateOf) => {
    const harness = new Harness([pinned]);
    await harness.run();
    const first = await harness.current('shop');
    await harness.store.record('shop', stateOf(harness));
    await harness.run({ certificates: ['shop'], force: true });
    expect((await harness.current('shop'))?.key).not.toBe(first?.key);
  });

  it('makes a new one where another type is asked for', async () => {
    const harness = new Harness([pinned]);
    await harness.run();
    const first = await harness.current('shop');
    const changed = { ...harness.inventory, certificates: [{ ...pinned, key: 'ecdsa-p384' as const }] };
    await harness.run({}, { inventory: changed });
    expect((await harness.current('shop'))?.key).not.toBe(first?.key);
  });
});

describe('an issuer that names a rehearsal', () => {
  const alone = specOf('shop', ['shop.example.com']);
  const blog = specOf('blog', ['blog.example.com']);
  const rehearsing = (...certificates: readonly CertificateSpec[]) =>
    new Harness(certificates, { rehearsal: 'staging' }, { staging: {} });
  const newOrders = (harness: Harness) => [
    harness.ca.count('newOrder'),
    harness.cas.get('staging')?.count('newOrder'),
  ];

  it('spends no order of its own while the names would fail again, and says so', async () => {
    const harness = rehearsing(alone);
    for (const ca of harness.cas.values()) ca.unwelcome.add('shop.example.com');
    await harness.run();
    expect(newOrders(harness), 'the first attempt is not rehearsed').toEqual([1, 0]);
    const second = await passAfter(harness, minuteMs);
    expect(second).toMatchObject({ outcome: 'failed' });
    expect(second?.message).toContain('issuer staging would not have validated the names');
    expect(second?.message).toContain('no TXT record found');
    expect(newOrders(harness)).toEqual([1, 1]);
    expect(harness.state('shop')).toMatchObject({ failures: 2, error: 'Rehearsal' });
    expect(harness.records.values.size).toBe(0);
    expect(harness.pending('shop')).toBeUndefined();

    for (const ca of harness.cas.values()) ca.unwelcome.clear();
    expect(await passAfter(harness, 10 * minuteMs)).toMatchObject({ outcome: 'issued' });
    expect(newOrders(harness)).toEqual([2, 2]);
    expect((await harness.current('shop'))?.issuer).toBe(harness.ca.directory);
    expect(harness.records.values.size).toBe(0);
  });

  it('orders all the same where the CA for tests cannot be asked', async () => {
    const harness = rehearsing(alone);
    unwell(harness, 'default', 1);
    unwell(harness, 'staging', 1);
    await harness.run();
    expect(await passAfter(harness, minuteMs)).toMatchObject({ outcome: 'issued' });
    expect(harness.log.events()).toContain('order not rehearsed');
  });

  it('holds up no other certificate', async () => {
    const harness = rehearsing(alone, blog);
    harness.ca.unwelcome.add('shop.example.com');
    await harness.run({ certificates: ['shop'] });
    harness.ca.unwelcome.clear();
    harness.clock.pass(minuteMs);
    await harness.run();
    const issued = harness.log.lines.filter(({ event }) =>
      /^(certificate issued|order rehearsed)$/.test(event),
    );
    expect(issued.map(({ event, fields }) => `${event} ${fields.certificate}`)).toEqual([
      'certificate issued blog',
      'order rehearsed shop',
      'certificate issued shop',
    ]);
  });

  it('killed in the middle of a rehearsal leaves no TXT value', async () => {
    const harness = rehearsing(alone);
    unwell(harness, 'default', 1);
    await harness.run();
    harness.clock.pass(minuteMs);
    const stop = new AbortController();
    const staging = harness.cas.get('staging');
    if (!staging) throw new Error('there is no CA for tests');
    const answer = staging.answerChallenge.bind(staging);
    staging.answerChallenge = async () => {
      stop.abort(new Error('killed'));
      throw stop.signal.reason;
    };
    harness.records.failures.next('cleanUp', new Error('killed'));
    await harness.run({}, { signal: stop.signal });
    expect(harness.records.values.size).toBe(1);
    harness.clock.pass(dayMs);
    staging.answerChallenge = answer;
    expect((await harness.run()).report.summary).toMatchObject({ issued: 1 });
    expect(harness.records.values.size).toBe(0);
  });
});
