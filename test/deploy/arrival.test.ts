// What follows once the last target has the certificate: what is served is looked at, and others are told.
import { expect, it } from 'vitest';
import { CertrelayError } from '../../lib/ports/errors.ts';
import type { DeliveredCertificate } from '../../lib/ports/events.ts';
import { targetOf } from '../minting/targets.ts';
import { type HarnessOptions, openHarness } from './harness.ts';

it('what is served is looked at when the last target has the certificate, and then no more', async () => {
  const harness = await openHarness({ targets: [targetOf({ restart: 'none' })] });
  harness.sightings.push(['served'], ['stale']);
  const { certificates } = await harness.deploy();
  expect(certificates).toMatchObject([{ decision: 'delivered', served: 'served' }]);
  expect(harness.store.kept.get('shop')?.state).toMatchObject({
    served: { version: 'version-1', word: 'served' },
  });
  expect((await harness.deploy()).certificates[0]).not.toHaveProperty('served');
  expect(harness.sightings).toEqual([['stale']]);
});

it('another certificate at an address is no failure of the delivery, is told at once, and its time counts from then on', async () => {
  const harness = await openHarness({ targets: [targetOf({ restart: 'none' })] });
  harness.sightings.push(['stale']);
  const { certificates, failures } = await harness.deploy();
  expect([certificates[0]?.served, failures.size]).toEqual(['stale', 0]);
  const notServedSince = harness.clock.now();
  expect(harness.store.kept.get('shop')?.state).toMatchObject({
    served: { version: 'version-1', word: 'stale' },
    notServedSince,
  });
  expect(harness.log.events()).toContain('certificate not served yet');
});

it('nothing is looked at while a target has not got the certificate', async () => {
  const elsewhere = targetOf({ cluster: 'lost', restart: 'none' });
  const harness = await openHarness({ targets: [targetOf({ restart: 'none' }), elsewhere] });
  harness.sightings.push(['served'], ['served']);
  const { certificates } = await harness.deploy();
  expect(certificates[0]).not.toHaveProperty('served');
  expect(harness.sightings).toHaveLength(2);
});

/** Keeps what is told of arrivals, and fails once where asked to. */
async function openTold(options: Partial<HarnessOptions> = {}, failure?: Error) {
  const told: DeliveredCertificate[] = [];
  const announce = async (delivered: DeliveredCertificate) => {
    if (failure) throw failure;
    told.push(delivered);
  };
  const targets = [targetOf({ restart: 'none' }), targetOf({ restart: 'none', cluster: 'east' })];
  const harness = await openHarness({ targets, clusters: ['lab', 'east'], announce, ...options });
  harness.sightings.push(['served']);
  return { harness, told };
}

it('Y09 who wants to run something then is told once, when the last target has the version, and of no secret', async () => {
  const { harness, told } = await openTold();
  await harness.deploy({ dryRun: true });
  await harness.deploy({ clusters: ['lab'] });
  expect(told).toEqual([]);
  await harness.deploy({ clusters: ['east'] });
  await harness.deploy();
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
  await harness.issue('shop', 'version-2');
  await harness.deploy();
  expect(told.map(({ version }) => version)).toEqual(['version-1', 'version-2']);
});

it('an event that is not sent is a warning, and no failure of the delivery', async () => {
  const { harness } = await openTold({}, new CertrelayError('EventFailed', 'the bus is closed'));
  const { certificates, failures } = await harness.deploy();
  expect([certificates[0]?.decision, failures.size]).toEqual(['delivered', 0]);
  expect(harness.log.lines).toContainEqual({
    level: 'warn',
    event: 'delivery not announced',
    fields: { certificate: 'shop', version: 'version-1', problem: 'the bus is closed' },
  });
});
