// What is served is looked at as soon as the last target has the certificate, not half an hour later.
import { expect, it } from 'vitest';
import { targetOf } from '../certificate/targets.ts';
import { openBench } from './bench.ts';

it('what is served is looked at when the last target has the certificate, and then no more', async () => {
  const bench = await openBench({ targets: [targetOf({ restart: 'none' })] });
  bench.sightings.push(['served'], ['stale']);
  const { certificates } = await bench.deploy();
  expect(certificates).toMatchObject([{ decision: 'delivered', served: 'served' }]);
  expect(bench.store.kept.get('shop')?.state).toMatchObject({ served: 'version-1/served' });
  expect((await bench.deploy()).certificates[0]).not.toHaveProperty('served');
  expect(bench.sightings).toEqual([['stale']]);
});

it('another certificate at an address is no failure of the delivery, is told at once, and its time counts from then on', async () => {
  const bench = await openBench({ targets: [targetOf({ restart: 'none' })] });
  bench.sightings.push(['stale']);
  const { certificates, failures } = await bench.deploy();
  expect([certificates[0]?.served, failures.size]).toEqual(['stale', 0]);
  const notServedSince = bench.clock.now();
  expect(bench.store.kept.get('shop')?.state).toMatchObject({ served: 'version-1/stale', notServedSince });
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
