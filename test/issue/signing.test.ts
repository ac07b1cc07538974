// Signing for clusters that only an agent reaches: with the order, after it, and not twice.
import { generateKeyPairSync } from 'node:crypto';
import { expect, it } from 'vitest';
import type { CertificateSpec } from '../../lib/certificate/spec.ts';
import { publicKeyOf, readStatement, verifyStatement } from '../../lib/certificate/statement.ts';
import type { StoredSpec } from '../../lib/certificate/stored.ts';
import { readCertificate } from '../../lib/certificate/x509.ts';
import { StoreError } from '../../lib/ports/store.ts';
import { permissionsKey } from '../../lib/state/targets.ts';
import { mintChain } from '../minting/certificates.ts';
import { targetOf } from '../minting/targets.ts';
import { Bench, dayMs, specOf } from './harness.ts';

const newKey = () =>
  generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const key = newKey();
const edge = targetOf({ cluster: 'edge' });
const shop = (...targets: CertificateSpec['targets']) => ({
  ...specOf('shop', ['shop.example.com']),
  targets,
});

function open(spec: CertificateSpec | StoredSpec): Bench {
  const bench = new Bench([spec]);
  bench.signingKey = async () => key;
  return bench;
}

/** The signature for edge, verified against what is stored. */
async function verified(bench: Bench, by = key) {
  const stored = await bench.store.read('shop', 'AWSCURRENT');
  if (stored?.value.kind !== 'certificate') throw new Error('nothing is stored');
  const { fingerprint, notBefore, notAfter } = readCertificate(stored.value.certificate.chain);
  const content = {
    cluster: 'edge',
    certificate: 'shop',
    version: stored.version,
    fingerprint,
    notBefore,
    notAfter,
  };
  return verifyStatement(bench.state('shop').signatures?.edge, content, [publicKeyOf(by)]);
}

it('signs with the order what goes to an agent, in the very call that records it, and nothing else', async () => {
  const bench = open(shop(edge, targetOf({ cluster: 'lab' })));
  await bench.run();
  expect(await verified(bench)).toMatchObject({ ok: true, statement: { isRollback: false } });
  expect(Object.keys(bench.state('shop').signatures ?? {})).toEqual(['edge']);
  const records = bench.store.count('record');
  const calls = bench.store.calls.length;
  await bench.run();
  expect(bench.store.count('record')).toBe(records);
  expect(bench.store.calls.slice(calls)).toEqual(['list *']);
});

it('signs what came without an order, and takes back what goes there no longer', async () => {
  const bench = open(shop());
  await bench.run();
  expect(bench.state('shop').signatures).toBeUndefined();
  bench.exchange(shop(edge));
  await bench.run();
  expect(await verified(bench)).toMatchObject({ ok: true });
  bench.exchange(shop());
  await bench.run();
  expect(bench.state('shop').signatures).toBeUndefined();
});

it('signs with a registered certificate what its targets may do there, and anew where an earlier statement does not', async () => {
  const bench = open({ ...shop(edge, targetOf({ cluster: 'lab' })), source: 'registration' });
  await bench.run();
  const targets = permissionsKey([edge]);
  expect(await verified(bench)).toMatchObject({ ok: true, statement: { targets } });
  const registration = { zones: ['example.com'], issuer: 'default', key: 'ecdsa-p256' as const };
  const allowed = [edge, targetOf({ cluster: 'lab' })];
  bench.inventory = {
    ...bench.inventory,
    certificates: [],
    registration: { ...registration, targets: allowed },
  };
  const calls = bench.store.calls.length;
  await bench.run();
  expect(bench.store.calls.slice(calls)).toEqual(['list *']);

  const before = bench.state('shop').signatures?.edge ?? '';
  const marked = before.replace('/renewal/', '/rollback/').replace(`${targets}/`, '');
  await bench.store.record('shop', { signatures: { edge: marked } });
  await bench.run();
  // What went back stays marked as that: the agent's Secrets remember a later certificate.
  expect(await verified(bench)).toMatchObject({ ok: true, statement: { targets, isRollback: true } });
});

it('signs again where what is meant to be done changes with the version that is stored', async () => {
  const bench = open({ ...shop(edge), source: 'registration' });
  await bench.run();
  const changed: StoredSpec = { ...shop({ ...edge, adopt: true }), source: 'registration' };
  bench.exchange(changed);
  await bench.run();
  const targets = permissionsKey([{ ...edge, adopt: true }]);
  expect(await verified(bench)).toMatchObject({ ok: true, statement: { targets } });
});

it('marks as a rollback what is older than what was signed before, and a renewal as none', async () => {
  const bench = open(shop(edge));
  await bench.run();
  bench.clock.pass(61 * dayMs);
  await bench.run();
  const renewed = readStatement(bench.state('shop').signatures?.edge);
  expect(renewed).toMatchObject({ isRollback: false });
  const { stages } = bench.store.kept.get('shop') ?? {};
  const [current = '', previous = ''] = [stages?.get('AWSCURRENT'), stages?.get('AWSPREVIOUS')];
  stages?.set('AWSCURRENT', previous).set('AWSPREVIOUS', current);
  // Or it would be due, and renewed.
  bench.clock.pass(-2 * dayMs);
  await bench.run();
  expect(await verified(bench)).toMatchObject({ ok: true, statement: { isRollback: true } });
});

it('a key that cannot be read fails no certificate; the next pass signs', async () => {
  const bench = open(shop(edge));
  bench.signingKey = async () => {
    throw new StoreError('Denied', 'AWS denied it');
  };
  expect((await bench.run()).failures).toEqual([]);
  expect(bench.log.events()).toContain('delivery not signed');
  expect(bench.state('shop').version).toBeDefined();
  bench.signingKey = async () => key;
  await bench.run();
  expect(await verified(bench)).toMatchObject({ ok: true });
});

it('a revoked version is not signed', async () => {
  const bench = open(shop());
  await bench.run();
  bench.exchange(shop(edge));
  await bench.store.record('shop', {
    revoked: [bench.state('shop').version ?? ''],
    pausedSince: bench.clock.now(),
  });
  await bench.run();
  expect(bench.state('shop').signatures).toBeUndefined();
});

it('what a person stored by hand is signed once it is read', async () => {
  const bench = open(shop(edge));
  await bench.run();
  const now = bench.clock.now();
  const notAfter = new Date(now.getTime() + 90 * dayMs);
  const { chain, key: own } = await mintChain({ domains: ['shop.example.com'], notBefore: now, notAfter });
  await bench.store.put('shop', { chain, key: own, issuer: bench.ca.directory }, 'by-hand');
  await bench.run();
  expect(await verified(bench)).toMatchObject({ ok: true, statement: { version: 'by-hand' } });
});

it('after the key was exchanged the next pass signs anew, once, and a rollback stays one', async () => {
  const bench = open(shop(edge));
  await bench.run();
  bench.clock.pass(61 * dayMs);
  await bench.run();
  const { stages } = bench.store.kept.get('shop') ?? {};
  const [current = '', previous = ''] = [stages?.get('AWSCURRENT'), stages?.get('AWSPREVIOUS')];
  stages?.set('AWSCURRENT', previous).set('AWSPREVIOUS', current);
  bench.clock.pass(-2 * dayMs);
  await bench.run();
  const other = newKey();
  bench.signingKey = async () => other;
  await bench.run();
  expect(await verified(bench)).toMatchObject({ ok: false, problem: 'BadSignature' });
  expect(await verified(bench, other)).toMatchObject({ ok: true, statement: { isRollback: true } });
  const records = bench.store.count('record');
  await bench.run();
  expect(bench.store.count('record')).toBe(records);
});

it('while the key cannot be read, what is signed stays as it is, with a warning', async () => {
  const bench = open(shop(edge));
  await bench.run();
  bench.signingKey = async () => {
    throw new StoreError('Throttled', 'AWS is busy');
  };
  await bench.run();
  expect(await verified(bench)).toMatchObject({ ok: true });
  expect(bench.log.events()).toContain('signatures not checked');
  expect(bench.log.events()).not.toContain('delivery not signed');
});
