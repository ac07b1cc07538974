// What follows once the last target has the certificate: what is served is looked at, and others are told.
import { expect, it } from 'vitest';
import { CertrelayError } from '../../lib/ports/errors.ts';
import type { DeliveredCertificate } from '../../lib/ports/events.ts';
import { targetOf } from '../minting/targets.ts';
import { type BenchOptions, openBench } from './harness.ts';

it('what is served is looked at when the last target has the certificate, and then no more', async () => {
  const bench = await openBench({ targets: [targetOf({ restart: 'none' })] });
  bench.sightings.push(['served'], ['stale']);
  const { certificates } = await bench.deploy();
  expect(certificates).toMatchObject([{ decision: 'delivered', served: 'served' }]);
  expect(bench.store.kept.get('shop')?.state).toMatchObject({
    served: { version: 'version-1', word: 'served' },
  });
  expect((await bench.deploy()).certificates[0]).not.toHaveProperty('served');
  expect(bench.sightings).toEqual([['stale']]);
});

it('another certificate at an address is no failure of the delivery, is told at once, and its time counts from then on', async () => {
  const bench = await openBench({ targets: [targetOf({ restart: 'none' })] });
  bench.sightings.push(['stale']);
  const { certificates, failures } = await bench.deploy();
  expect([certificates[0]?.served, failures.size]).toEqual(['stale', 0]);
  const notServedSince = bench.clock.now();
  expect(bench.store.kept.get('shop')?.state).toMatchObject({
    served: { version: 'version-1', word: 'stale' },
    notServedSince,
  });
  expect(bench.log.events()).toContain('certificate not served yet');
});

it('nothing is looked at while a target has not got the certificate', async () => {
  const elsewhere = targetOf({ cluster: 'lost', restart: 'none' });
  const bench = await openBench({ targets: [targetOf({ restart: 'none' }), elsewhere] });
  bench.sightings.push(['served'], ['served']);
  const { certificates } = await bench.deploy();
  expect(certificates[0]).not.toHaveProperty('served');
  expect(bench.sightings).toHaveLength(2);
});

/** Keeps what is told of arrivals, and fails once where asked to. */
async function openTold(options: Partial<BenchOptions> = {}, failure?: Error) {
  const told: DeliveredCertificate[] = [];
  const announce = async (delivered: DeliveredCertificate) => {
    if (failure) throw failure;
    told.push(delivered);
  };
  const targets = [targetOf({ restart: 'none' }), targetOf({ restart: 'none', cluster: 'east' })];
  const bench = await openBench({ targets, clusters: ['lab', 'east'], announce, ...options });
  bench.sightings.push(['served']);
  return { bench, told };
}

it('Y09 who wants to run something then is told once, when the last target has the version, and of no secret', async () => {
  const { bench, told } = await openTold();
  await bench.deploy({ dryRun: true });
  await bench.deploy({ clusters: ['lab'] });
  expect(told).toEqual([]);
  await bench.deploy({ clusters: ['east'] });
  await bench.deploy();
  expect(told).toEqual([
    {
      certificate: 'shop',
      version: 'version-1',
      fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
      notAfter: new Date('2027-02-20T10:00:00Z'),
      targets: ['lab/shop/shop-tls', 'east/shop/shop-tls'],
      served: 'served',
    },
  ]);
  await bench.issue('shop', 'version-2');
  await bench.deploy();
  expect(told.map(({ version }) => version)).toEqual(['version-1', 'version-2']);
});

it('an event that is not sent is a warning, and no failure of the delivery', async () => {
  const { bench } = await openTold({}, new CertrelayError('EventFailed', 'the bus is closed'));
  const { certificates, failures } = await bench.deploy();
  expect([certificates[0]?.decision, failures.size]).toEqual(['delivered', 0]);
  expect(bench.log.lines).toContainEqual({
    level: 'warn',
    event: 'delivery not announced',
    fields: { certificate: 'shop', version: 'version-1', problem: 'the bus is closed' },
  });
});
