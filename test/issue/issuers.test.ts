// Several issuers for one certificate, told as the days on which the preferred one does not issue; keys that
// stay.
import { describe, expect, it } from 'vitest';
import type { CertificateSpec } from '../../lib/certificate/spec.ts';
import { readCertificate } from '../../lib/certificate/x509.ts';
import { AcmeError } from '../../lib/ports/acme.ts';
import { Bench, dayMs, specOf } from './harness.ts';

const shop = { ...specOf('shop', ['shop.example.com']), fallbackIssuers: ['spare'] };
const minuteMs = 60_000;

function unwell(bench: Bench, issuer: string, times: number): void {
  const problem = { type: 'serverInternal', detail: 'the database is away', status: 500, identifiers: [] };
  const errors = Array.from({ length: times }, () => new AcmeError('Problem', 'ca refused', { problem }));
  bench.cas.get(issuer)?.failures.next('newOrder', ...errors);
}

async function passAfter(bench: Bench, ms: number) {
  bench.clock.pass(ms);
  const { report } = await bench.run();
  const [line] = report.certificates;
  return line;
}

describe('a certificate with a second issuer', () => {
  it('goes to it at once after three failures at the first, and the report says so', async () => {
    const bench = new Bench([shop], {}, { spare: {} });
    unwell(bench, 'default', 3);
    expect((await passAfter(bench, 0))?.message).not.toContain('spare');
    await passAfter(bench, minuteMs);
    const third = await passAfter(bench, 10 * minuteMs);
    expect(third).toMatchObject({ outcome: 'failed', until: bench.clock.now() });
    expect(third?.message).toContain('the next attempt goes to issuer spare');
    expect(bench.sent.at(-1)).toMatchObject({ names: ['shop'], delaySeconds: 0 });

    const plan = (await bench.run({ dryRun: true })).report.certificates[0];
    expect(plan?.message).toContain('from issuer spare, because too many attempts at default have failed');
    expect(await passAfter(bench, 0)).toMatchObject({ outcome: 'issued' });
    expect(bench.ca.count('newOrder')).toBe(3);
    expect((await bench.current('shop'))?.issuer).toBe('https://spare.example/directory');
  });

  it('keeps what the second one issued, and asks the first again when it is to be renewed', async () => {
    const bench = new Bench([shop], { attempts: 1 }, { spare: {} });
    unwell(bench, 'default', 1);
    await bench.run();
    expect(await passAfter(bench, 0)).toMatchObject({ outcome: 'issued' });
    expect(await passAfter(bench, dayMs)).toMatchObject({ decision: 'keep', reason: 'Current' });
    expect(await passAfter(bench, 60 * dayMs)).toMatchObject({ reason: 'RenewalDue', outcome: 'issued' });
    expect((await bench.current('shop'))?.issuer).toBe(bench.ca.directory);
  });

  it('asks each CA about its own certificates when to renew them', async () => {
    const bench = new Bench([shop], { attempts: 1 }, { spare: {} });
    unwell(bench, 'default', 1);
    await bench.run();
    await passAfter(bench, 0);
    await passAfter(bench, dayMs);
    expect(bench.ca.count('renewalInfo')).toBe(0);
    expect(bench.cas.get('spare')?.count('renewalInfo')).toBe(1);
  });

  it('backs off at each issuer by its own failures when none of them issues', async () => {
    const bench = new Bench([shop], { attempts: 2 }, { spare: { attempts: 1 } });
    unwell(bench, 'default', 99);
    unwell(bench, 'spare', 99);
    const waits: number[] = [];
    for (let attempt = 0; attempt < 7; attempt += 1) {
      const line = await passAfter(bench, waits.at(-1) ?? 0);
      waits.push((line?.until?.getTime() ?? 0) - bench.clock.now().getTime());
    }
    const minutes = waits.map((wait) => wait / minuteMs);
    // default, default, spare, default, default, spare, default
    expect(minutes).toEqual([1, 0, 10, 100, 1, 1440, 1440]);
    expect([bench.ca.count('newOrder'), bench.cas.get('spare')?.count('newOrder')]).toEqual([5, 2]);
  });

  it('is held against the CAA of the issuer that is asked', async () => {
    const bench = new Bench([shop], { attempts: 1 }, { spare: {} });
    unwell(bench, 'default', 1);
    await bench.run();
    const described: string[] = [];
    bench.preflight = {
      gather: async () => ({ names: [] }),
      describe: async (issuer) => {
        described.push(issuer);
        return { identities: [] };
      },
    };
    await passAfter(bench, 0);
    expect(described).toEqual(['spare']);
  });

  it('finishes an order where it was begun', async () => {
    const bench = new Bench([shop], { attempts: 1 }, { spare: {} });
    const timeout = new AcmeError('Unreachable', 'no answer');
    bench.ca.failures.next('finalize', timeout);
    expect(await passAfter(bench, 0)).toMatchObject({ outcome: 'failed' });
    bench.clock.pass(dayMs);
    expect(await passAfter(bench, dayMs)).toMatchObject({ reason: 'Resume', outcome: 'issued' });
    expect([bench.ca.count('newOrder'), bench.cas.get('spare')?.count('newOrder')]).toEqual([1, 0]);
  });
});

describe('the issuer of an order is chosen once', () => {
  it('so an order that stays at the second issuer is not rehearsed for the first', async () => {
    const bench = new Bench(
      [shop],
      { attempts: 1, rehearsal: 'staging' },
      { spare: { attempts: 1 }, staging: {} },
    );
    unwell(bench, 'default', 1);
    await bench.run();
    bench.cas.get('spare')?.failures.next('finalize', new AcmeError('Unreachable', 'no answer'));
    expect(await passAfter(bench, 0)).toMatchObject({ outcome: 'failed' });
    bench.cas.get('spare')?.orders.clear();
    expect(await passAfter(bench, 2 * dayMs)).toMatchObject({ reason: 'Resume', outcome: 'issued' });
    expect((await bench.current('shop'))?.issuer).toBe('https://spare.example/directory');
    expect(bench.cas.get('staging')?.count('newOrder')).toBe(0);
  });

  it('so a registered certificate is planned for the CA that its own specification names', async () => {
    const bench = new Bench([], {}, { spare: {} });
    const { name, domains } = shop;
    const sent = { ...specOf(name, domains), source: 'registration' as const };
    await bench.store.create(name, sent);
    await bench.run();
    // The rules get a second issuer, which the stored specification does not have.
    const { registration } = bench.inventory;
    if (!registration) throw new Error('nothing can be registered');
    bench.inventory = { ...bench.inventory, registration: { ...registration, fallbackIssuers: ['spare'] } };
    await bench.store.record(name, { failures: 3, error: 'Unreachable' });
    const described: string[] = [];
    bench.preflight = {
      gather: async () => ({ names: [] }),
      describe: async (issuer) => {
        described.push(issuer);
        return { identities: [] };
      },
    };
    const line = await passAfter(bench, 61 * dayMs);
    expect(line).toMatchObject({ reason: 'RenewalDue', outcome: 'issued' });
    expect(line?.message).not.toContain('spare');
    expect(described).toEqual(['default']);
    expect((await bench.current(name))?.issuer).toBe(bench.ca.directory);
  });
});

describe('rotateKey: never', () => {
  const pinned = { ...specOf('shop', ['shop.example.com']), rotateKey: 'never' as const };

  it('C11 keeps the private key at a renewal', async () => {
    const bench = new Bench([pinned]);
    await bench.run();
    const first = await bench.current('shop');
    expect(await passAfter(bench, 60 * dayMs)).toMatchObject({ reason: 'RenewalDue', outcome: 'issued' });
    const second = await bench.current('shop');
    expect(second?.key).toBe(first?.key);
    const fingerprint = (chain = '') => readCertificate(chain).fingerprint;
    expect(fingerprint(second?.chain)).not.toBe(fingerprint(first?.chain));
  });

  it.each([
    ['was revoked', (bench: Bench) => ({ revoked: [bench.state('shop').version ?? ''] })],
    ['is to be revoked', (bench: Bench) => ({ revoking: bench.state('shop').version })],
  ])('makes a new one where the certificate %s', async (_, stateOf) => {
    const bench = new Bench([pinned]);
    await bench.run();
    const first = await bench.current('shop');
    await bench.store.record('shop', stateOf(bench));
    await bench.run({ certificates: ['shop'], force: true });
    expect((await bench.current('shop'))?.key).not.toBe(first?.key);
  });

  it('makes a new one where another type is asked for', async () => {
    const bench = new Bench([pinned]);
    await bench.run();
    const first = await bench.current('shop');
    const changed = { ...bench.inventory, certificates: [{ ...pinned, key: 'ecdsa-p384' as const }] };
    await bench.run({}, { inventory: changed });
    expect((await bench.current('shop'))?.key).not.toBe(first?.key);
  });
});

describe('an issuer that names a rehearsal', () => {
  const alone = specOf('shop', ['shop.example.com']);
  const blog = specOf('blog', ['blog.example.com']);
  const rehearsing = (...certificates: readonly CertificateSpec[]) =>
    new Bench(certificates, { rehearsal: 'staging' }, { staging: {} });
  const newOrders = (bench: Bench) => [
    bench.ca.count('newOrder'),
    bench.cas.get('staging')?.count('newOrder'),
  ];

  it('spends no order of its own while the names would fail again, and says so', async () => {
    const bench = rehearsing(alone);
    for (const ca of bench.cas.values()) ca.unwelcome.add('shop.example.com');
    await bench.run();
    expect(newOrders(bench), 'the first attempt is not rehearsed').toEqual([1, 0]);
    const second = await passAfter(bench, minuteMs);
    expect(second).toMatchObject({ outcome: 'failed' });
    expect(second?.message).toContain('issuer staging would not have validated the names');
    expect(second?.message).toContain('no TXT record found');
    expect(newOrders(bench)).toEqual([1, 1]);
    expect(bench.state('shop')).toMatchObject({ failures: 2, error: 'Rehearsal' });
    expect(bench.records.values.size).toBe(0);
    expect(bench.pending('shop')).toBeUndefined();

    for (const ca of bench.cas.values()) ca.unwelcome.clear();
    expect(await passAfter(bench, 10 * minuteMs)).toMatchObject({ outcome: 'issued' });
    expect(newOrders(bench)).toEqual([2, 2]);
    expect((await bench.current('shop'))?.issuer).toBe(bench.ca.directory);
    expect(bench.records.values.size).toBe(0);
  });

  it('orders all the same where the CA for tests cannot be asked', async () => {
    const bench = rehearsing(alone);
    unwell(bench, 'default', 1);
    unwell(bench, 'staging', 1);
    await bench.run();
    expect(await passAfter(bench, minuteMs)).toMatchObject({ outcome: 'issued' });
    expect(bench.log.events()).toContain('order not rehearsed');
  });

  it('holds up no other certificate', async () => {
    const bench = rehearsing(alone, blog);
    bench.ca.unwelcome.add('shop.example.com');
    await bench.run({ certificates: ['shop'] });
    bench.ca.unwelcome.clear();
    bench.clock.pass(minuteMs);
    await bench.run();
    const issued = bench.log.lines.filter(({ event }) =>
      /^(certificate issued|order rehearsed)$/.test(event),
    );
    expect(issued.map(({ event, fields }) => `${event} ${fields.certificate}`)).toEqual([
      'certificate issued blog',
      'order rehearsed shop',
      'certificate issued shop',
    ]);
  });

  it('killed in the middle of a rehearsal leaves no TXT value', async () => {
    const bench = rehearsing(alone);
    unwell(bench, 'default', 1);
    await bench.run();
    bench.clock.pass(minuteMs);
    const stop = new AbortController();
    const staging = bench.cas.get('staging');
    if (!staging) throw new Error('there is no CA for tests');
    const answer = staging.answerChallenge.bind(staging);
    staging.answerChallenge = async () => {
      stop.abort(new Error('killed'));
      throw stop.signal.reason;
    };
    bench.records.failures.next('cleanUp', new Error('killed'));
    await bench.run({}, { signal: stop.signal });
    expect(bench.records.values.size).toBe(1);
    bench.clock.pass(dayMs);
    staging.answerChallenge = answer;
    expect((await bench.run()).report.summary).toMatchObject({ issued: 1 });
    expect(bench.records.values.size).toBe(0);
  });
});
