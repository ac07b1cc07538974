// What is delivered of a stored chain: nothing is delivered again because of it, and what ends above the leaf
// stops no delivery.
import { expect, it } from 'vitest';
import { mintAuthority, mintChain } from '../minting/certificates.ts';
import { targetOf } from '../minting/targets.ts';
import { only, openHarness } from './harness.ts';

const dayMs = 86_400_000;

/** A stored chain of four: leaf, issuer, a root that is cross-signed until in a day, and the root above. */
async function openCrossSigned() {
  const harness = await openHarness({ targets: [targetOf()] });
  const now = harness.clock.now();
  const lasting = { notBefore: now, notAfter: new Date(now.getTime() + 90 * dayMs) };
  const old = await mintAuthority('Old Root', lasting);
  const short = { notBefore: now, notAfter: new Date(now.getTime() + dayMs) };
  const cross = await mintAuthority('Root', short, old);
  const issuer = await mintAuthority('Issuing', lasting, cross);
  const { certificates, key } = await mintChain({ domains: ['shop.example.com'], ...lasting, issuer });
  const pems = [issuer, cross, old].map(({ certificate }) => `${certificate.toString('pem')}\n`);
  const chain = [certificates[0], ...pems].join('');
  const store = (text: string, version: string) =>
    harness.store.put('shop', { chain: text, key, issuer: 'https://ca.example/directory' }, version);
  return { harness, store, parts: [certificates[0] ?? '', ...pems], chain };
}

const delivered = ({ secret }: { secret: () => { data?: Record<string, string> } | undefined }) =>
  Buffer.from(secret()?.data?.['tls.crt'] ?? '', 'base64').toString();

it('a chain with its root is delivered as it is stored; once its cross-signature has ended, without that, and nothing restarts', async () => {
  const { harness, store, parts, chain } = await openCrossSigned();
  harness.addWorkload('Deployment', 'web', 'shop-tls');
  await store(chain, 'version-2');
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'delivered' });
  expect(delivered(harness)).toBe(chain);
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'unchanged' });
  harness.clock.pass(2 * dayMs);
  const report = await harness.deploy();
  expect(report.failures.size).toBe(0);
  expect(only(report)).toMatchObject({ action: 'apply', restarted: [] });
  expect(delivered(harness)).toBe(parts.slice(0, 2).join(''));
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'unchanged' });
});

it('a chain that somebody stored out of order is delivered in order', async () => {
  const { harness, store, parts, chain } = await openCrossSigned();
  await store(parts.toReversed().join(''), 'version-2');
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'delivered' });
  expect(delivered(harness)).toBe(chain);
});

it('only the names that were asked for are probed, and a version without the added ones may come back', async () => {
  const harness = await openHarness({ targets: [targetOf()] });
  await harness.deploy();
  const now = harness.clock.now();
  const validity = { notBefore: now, notAfter: new Date(now.getTime() + 90 * dayMs) };
  const [requested, added] = ['shop.example.com', 'www.shop.example.com'];
  const { chain, key } = await mintChain({ domains: [requested, added], ...validity });
  const stored = { chain, key, issuer: 'https://ca.example/directory', requestedNames: [requested] };
  await harness.store.put('shop', stored, 'version-2');
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'delivered' });
  expect(harness.questions.at(-1)?.names).toEqual([requested]);
  await harness.deploy({ certificates: ['shop'], rollback: true });
  expect(delivered(harness)).toBe(harness.first.chain);
});
