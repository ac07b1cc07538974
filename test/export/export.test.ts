// Exporting certificates: every format, with and without the key, and manifests that are what deploy writes.
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { ffdhe2048 } from '../../lib/certificate/secret-layout.ts';
import { pemFormats, type SecretTarget, secretFormats } from '../../lib/certificate/spec.ts';
import { readCertificate } from '../../lib/certificate/x509.ts';
import { exportCertificates } from '../../lib/export/export.ts';
import { describeSecret } from '../../lib/policy/delivery/secret-plan.ts';
import type { ExportRequest } from '../../lib/requests/requests.ts';
import { FakeClock } from '../fakes/clock.ts';
import { FakeLog } from '../fakes/log.ts';
import { FakeStore } from '../fakes/store.ts';
import { mintAuthority, mintChain } from '../minting/certificates.ts';

const notBefore = new Date('2026-11-22T09:00:00Z');
const notAfter = new Date('2027-02-20T09:00:00Z');

function targetOf(secret: string, format: SecretTarget['format'] = 'tls'): SecretTarget {
  const manner = { restart: 'auto', restartStrategy: 'annotation', adopt: false, replace: false } as const;
  const password = format === 'pkcs12' ? { password: { secret: 'certrelay/passwords/shop' } } : {};
  return { cluster: 'prod', namespace: 'shop', secret, format, ...password, ...manner };
}

/** A store with `shop`, which has one target for each format. */
async function open(
  targets: readonly SecretTarget[] = secretFormats.map((format) => targetOf(format, format)),
) {
  const store = new FakeStore();
  const pair = await mintChain({ domains: ['shop.example.com'], notBefore, notAfter });
  await store.create('shop', undefined);
  const issuer = 'https://ca.example/directory';
  await store.put('shop', { chain: pair.chain, key: pair.key, issuer }, 'v');
  const spec = { name: 'shop', domains: ['shop.example.com'], issuer: 'default', key: 'ecdsa-p256' } as const;
  const inventory = { issuers: {}, clusters: {}, certificates: [{ ...spec, targets }] };
  const signal = new AbortController().signal;
  const log = new FakeLog();
  const clock = new FakeClock(notBefore.toISOString());
  const ask = async (request: Partial<ExportRequest>) => {
    const full = { certificates: ['shop'], ...request };
    const readText = async (secret: string) => `password of ${secret}\n`;
    return exportCertificates(full, { store, readText, clock, log }, { inventory, signal });
  };
  const delivery = { certificate: 'shop', version: 'v', notAfter, chain: pair.chain, key: pair.key };
  const { fingerprint } = readCertificate(pair.chain);
  return { ask, clock, log, pair, store, fingerprint, delivery: { ...delivery, fingerprint } };
}

describe('files', () => {
  it('hold the chain as deploy writes it now: without what has ended above, and whole once all has ended', async () => {
    const { ask, clock, pair, store } = await open();
    const short = { notBefore, notAfter: new Date('2026-12-01T00:00:00Z') };
    const cross = await mintAuthority('Root', short, await mintAuthority('Old Root', short));
    const issuer = await mintAuthority('Issuing', { notBefore, notAfter }, cross);
    const minted = await mintChain({
      domains: ['shop.example.com'],
      notBefore,
      notAfter,
      issuer,
      key: pair.key,
    });
    const pems = [issuer, cross].map(({ certificate }) => `${certificate.toString('pem')}\n`);
    const [below, whole] = [
      `${minted.certificates[0]}${pems[0]}`,
      [minted.certificates[0], ...pems].join(''),
    ];
    await store.put('shop', { chain: whole, key: pair.key, issuer: 'https://ca.example/directory' }, 'w');
    for (const [daysLater, chain] of [
      [0, whole],
      [20, below],
      [200, whole],
    ] as const) {
      clock.pass(daysLater * 86_400_000);
      const { certificates } = await ask({ format: 'pem' });
      expect(certificates).toMatchObject([{ files: { 'fullchain.pem': chain } }]);
    }
  });

  it('D14 hold chain and key in every format, as a backup', async () => {
    const { ask, pair } = await open();
    const { chain, key } = pair;
    const expected = {
      tls: { 'tls.crt': chain, 'tls.key': key },
      ployst: {
        proxycert: chain,
        proxykey: key,
        'tls.crt': chain,
        'tls.key': key,
        'tls.pem': chain + key,
        dhparam: ffdhe2048,
      },
      'nginx-ssl-proxy': { proxycert: chain, proxykey: key, dhparam: ffdhe2048 },
      'combined-pem': { 'tls-combined.pem': key + chain },
      pem: { 'fullchain.pem': chain, 'privkey.pem': key },
    } as const;
    for (const format of [...pemFormats, 'pem'] as const) {
      const { certificates } = await ask({ format, key: true });
      expect(certificates).toMatchObject([{ name: 'shop', files: expected[format] }]);
      expect(certificates[0]).not.toHaveProperty('withheld');
    }
  });

  it.each([
    [undefined, ['tls.crt'], ['tls.key']],
    ['ployst', ['proxycert', 'tls.crt', 'dhparam'], ['proxykey', 'tls.key', 'tls.pem']],
    ['nginx-ssl-proxy', ['proxycert', 'dhparam'], ['proxykey']],
    ['combined-pem', [], ['tls-combined.pem']],
    ['pem', ['fullchain.pem'], ['privkey.pem']],
  ] as const)('%s without "key": true shows %j and names what is left out: %j', async (format, shown, withheld) => {
    const { ask } = await open();
    for (const key of [undefined, false]) {
      const { certificates } = await ask({ format, key });
      expect(Object.keys(certificates[0]?.files ?? {})).toEqual(shown);
      expect(certificates).toMatchObject([{ withheld }]);
      expect(JSON.stringify(certificates)).not.toContain('PRIVATE KEY');
    }
  });

  it('come with what tells the certificate apart', async () => {
    const { ask, fingerprint } = await open();
    const told = { version: 'v', names: ['shop.example.com'], notAfter, fingerprint };
    expect((await ask({})).certificates).toMatchObject([told]);
  });
});

describe('a manifest', () => {
  it('M02 is for each target the Secret that deploy would write, in every format', async () => {
    const { ask, delivery } = await open();
    const { certificates } = await ask({ format: 'manifest', key: true });
    const documents = parseAllDocuments(certificates[0]?.manifest ?? '').map((one) => one.toJS());
    expect(documents).toEqual(
      secretFormats.map((format) => {
        const { name, namespace, labels, annotations, type, data } = describeSecret(
          delivery,
          targetOf(format, format),
          'password of certrelay/passwords/shop',
        );
        const metadata = { name, namespace, labels, annotations };
        return { apiVersion: 'v1', kind: 'Secret', metadata, type, data };
      }),
    );
    expect(documents).toHaveLength(5);
    expect(certificates[0]?.manifest).toContain(`certrelay.dev/not-after: "${notAfter.toISOString()}"`);
  });

  it('is written for one target alone where that is named', async () => {
    const { ask } = await open();
    const { certificates } = await ask({ format: 'manifest', key: true, target: 'prod/shop/ployst' });
    expect(parse(certificates[0]?.manifest ?? '')).toMatchObject({
      metadata: { name: 'ployst' },
      type: 'Opaque',
    });
  });

  it.each<[string, readonly SecretTarget[], string | undefined, string]>([
    ['which it does not have', [targetOf('a')], 'prod/shop/b', 'its targets: prod/shop/a'],
    ['and it has none', [], undefined, 'its targets: none'],
  ])('is refused for a target %s', async (_, targets, target, message) => {
    const { ask } = await open(targets);
    const { certificates, failures } = await ask({ format: 'manifest', key: true, target });
    expect(certificates).toEqual([]);
    expect(failures).toMatchObject([{ message: expect.stringContaining(message) }]);
  });
});

describe('the log', () => {
  it.each<[string, Partial<ExportRequest>]>([
    ['as files', { format: 'pem' }],
    ['as a manifest', { format: 'manifest' }],
  ])('has one warning that private keys were given away, by names and without a key: %s', async (_, request) => {
    const { ask, log, pair, store } = await open();
    await store.create('other', undefined);
    const issuer = 'https://ca.example/directory';
    await store.put('other', { chain: pair.chain, key: pair.key, issuer }, 'w');
    const certificates = request.format === 'manifest' ? ['shop'] : ['shop', 'other'];
    await ask({ ...request, certificates, key: true });
    const { format } = request;
    expect(log.lines).toEqual([
      {
        level: 'warn',
        event: 'private keys exported',
        fields: { certificates, format },
      },
    ]);
    expect(JSON.stringify(log.lines)).not.toMatch(/PRIVATE KEY|MI[A-Z]/);
  });

  it.each<Partial<ExportRequest>>([
    {},
    { format: 'combined-pem' },
    { certificates: ['shop', 'nobody'], key: true },
  ])('has none where no key was given away: %j', async (request) => {
    const { ask, log } = await open();
    await ask(request);
    expect(log.lines).toEqual([]);
  });
});

it('one that cannot be exported does not keep the others from it, and nothing is written', async () => {
  const { ask, store, pair } = await open();
  await store.create('new', undefined);
  await store.create('broken', undefined);
  const other = await mintChain({ domains: ['a.example.com'], notBefore, notAfter });
  await store.put('broken', { chain: pair.chain, key: other.key, issuer: 'https://ca.example' }, 'w');
  store.calls.length = 0;
  const { certificates, failures } = await ask({ certificates: ['new', 'broken', 'nobody', 'shop', 'shop'] });
  expect(certificates.map(({ name }) => name)).toEqual(['shop']);
  const messages = failures.map(({ message }) => message);
  expect(messages).toEqual([
    'new: it has not been issued yet',
    expect.stringContaining('broken: the stored certificate cannot be used (KeyMismatch)'),
    expect.stringMatching(/^nobody: no certificate is called "nobody"/),
  ]);
  expect(store.calls).toEqual(['read new', 'read broken', 'read nobody', 'read shop']);
});
