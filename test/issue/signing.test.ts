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
import { dayMs, Harness, specOf } from './harness.ts';

const newKey = () =>
  generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const key = newKey();
const edge = targetOf({ cluster: 'edge' });
const shop = (...targets: CertificateSpec['targets']) => ({
  ...specOf('shop', ['shop.example.com']),
  targets,
});

function open(spec: CertificateSpec | StoredSpec): Harness {
  const harness = new Harness([spec]);
  harness.signingKey = async () => key;
  return harness;
}

/** The signature for edge, verified against what is stored. */
async function verified(harness: Harness, by = key) {
  const stored = await harness.store.read('shop', 'AWSCURRENT');
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
  return verifyStatement(harness.state('shop').signatures?.edge, content, [publicKeyOf(by)]);
}

it('signs with the order what goes to an agent, in the very call that records it, and nothing else', async () => {
  const harness = open(shop(edge, targetOf({ cluster: 'lab' })));
  await harness.run();
  expect(await verified(harness)).toMatchObject({ ok: true, statement: { isRollback: false } });
  expect(Object.keys(harness.state('shop').signatures ?? {})).toEqual(['edge']);
  const records = harness.store.count('record');
  const calls = harness.store.calls.length;
  await harness.run();
  expect(harness.store.count('record')).toBe(records);
  expect(harness.store.calls.slice(calls)).toEqual(['list *']);
});

it('signs what came without an order, and takes back what goes there no longer', async () => {
  const harness = open(shop());
  await harness.run();
  expect(harness.state('shop').signatures).toBeUndefined();
  harness.exchange(shop(edge));
  await harness.run();
  expect(await verified(harness)).toMatchObject({ ok: true });
  harness.exchange(shop());
  await harness.run();
  expect(harness.state('shop').signatures).toBeUndefined();
});

it('signs with a registered certificate what its targets may do there, and anew where an earlier statement does not', async () => {
  const harness = open({ ...shop(edge, targetOf({ cluster: 'lab' })), source: 'registration' });
  await harness.run();
  const targets = permissionsKey([edge]);
  expect(await verified(harness)).toMatchObject({ ok: true, statement: { targets } });
  const registration = { zones: ['example.com'], issuer: 'default', key: 'ecdsa-p256' as const };
  const allowed = [edge, targetOf({ cluster: 'lab' })];
  harness.inventory = {
    ...harness.inventory,
    certificates: [],
    registration: { ...registration, targets: allowed },
  };
  const calls = harness.store.calls.length;
  await harness.run();
  expect(harness.store.calls.slice(calls)).toEqual(['list *']);

  const before = harness.state('shop').signatures?.edge ?? '';
  const marked = before.replace('/renewal/', '/rollback/').replace(`${targets}/`, '');
  await harness.store.record('shop', { signatures: { edge: marked } });
  await harness.run();
  // What went back stays marked as that: the agent's Secrets remember a later certificate.
  expect(await verified(harness)).toMatchObject({ ok: true, statement: { targets, isRollback: true } });
});

it('signs again where what is meant to be done changes with the version that is stored', async () => {
  const harness = open({ ...shop(edge), source: 'registration' });
  await harness.run();
  const changed: StoredSpec = { ...shop({ ...edge, adopt: true }), source: 'registration' };
  harness.exchange(changed);
  await harness.run();
  const targets = permissionsKey([{ ...edge, adopt: true }]);
  expect(await verified(harness)).toMatchObject({ ok: true, statement: { targets } });
});

it('marks as a rollback what is older than what was signed before, and a renewal as none', async () => {
  const harness = open(shop(edge));
  await harness.run();
  harness.clock.pass(61 * dayMs);
  await harness.run();
  const renewed = readStatement(harness.state('shop').signatures?.edge);
  expect(renewed).toMatchObject({ isRollback: false });
  const { stages } = harness.store.kept.get('shop') ?? {};
  const [current = '', previous = ''] = [stages?.get('AWSCURRENT'), stages?.get('AWSPREVIOUS')];
  stages?.set('AWSCURRENT', previous).set('AWSPREVIOUS', current);
  // Or it would be due, and renewed.
  harness.clock.pass(-2 * dayMs);
  await harness.run();
  expect(await verified(harness)).toMatchObject({ ok: true, statement: { isRollback: true } });
});

it('a key that cannot be read fails no certificate; the next pass signs', async () => {
  const harness = open(shop(edge));
  harness.signingKey = async () => {
    throw new StoreError('Denied', 'AWS denied it');
  };
  expect((await harness.run()).failures).toEqual([]);
  expect(harness.log.events()).toContain('delivery not signed');
  expect(harness.state('shop').version).toBeDefined();
  harness.signingKey = async () => key;
  await harness.run();
  expect(await verified(harness)).toMatchObject({ ok: true });
});

it('a revoked version is not signed', async () => {
  const harness = open(shop());
  await harness.run();
  harness.exchange(shop(edge));
  await harness.store.record('shop', {
    revoked: [harness.state('shop').version ?? ''],
    pausedSince: harness.clock.now(),
  });
  await harness.run();
  expect(harness.state('shop').signatures).toBeUndefined();
});

it('what a person stored by hand is signed once it is read', async () => {
  const harness = open(shop(edge));
  await harness.run();
  const now = harness.clock.now();
  const notAfter = new Date(now.getTime() + 90 * dayMs);
  const { chain, key: own } = await mintChain({ domains: ['shop.example.com'], notBefore: now, notAfter });
  await harness.store.put('shop', { chain, key: own, issuer: harness.ca.directory }, 'by-hand');
  await harness.run();
  expect(await verified(harness)).toMatchObject({ ok: true, statement: { version: 'by-hand' } });
});

it('after the key was exchanged the next pass signs anew, once, and a rollback stays one', async () => {
  const harness = open(shop(edge));
  await harness.run();
  harness.clock.pass(61 * dayMs);
  await harness.run();
  const { stages } = harness.store.kept.get('shop') ?? {};
  const [current = '', previous = ''] = [stages?.get('AWSCURRENT'), stages?.get('AWSPREVIOUS')];
  stages?.set('AWSCURRENT', previous).set('AWSPREVIOUS', current);
  harness.clock.pass(-2 * dayMs);
  await harness.run();
  const other = newKey();
  harness.signingKey = async () => other;
  await harness.run();
  expect(await verified(harness)).toMatchObject({ ok: false, problem: 'BadSignature' });
  expect(await verified(harness, other)).toMatchObject({ ok: true, statement: { isRollback: true } });
  const records = harness.store.count('record');
  await harness.run();
  expect(harness.store.count('record')).toBe(records);
});

it('while the key cannot be read, what is signed stays as it is, with a warning', async () => {
  const harness = open(shop(edge));
  await harness.run();
  harness.signingKey = async () => {
    throw new StoreError('Throttled', 'AWS is busy');
  };
  await harness.run();
  expect(await verified(harness)).toMatchObject({ ok: true });
  expect(harness.log.events()).toContain('signatures not checked');
  expect(harness.log.events()).not.toContain('delivery not signed');
});
