// Importing a certificate that another tool got, and handing it back to the schedule.
import { beforeAll, describe, expect, it } from 'vitest';
import type { KeyType } from '../../lib/certificate/spec.ts';
import type { PendingOrder } from '../../lib/certificate/stored.ts';
import { type ImportAnswer, importCertificate } from '../../lib/import/certificate.ts';
import { pauseCertificates } from '../../lib/pause/pause.ts';
import { dayMs, Harness, specOf } from '../issue/harness.ts';
import { mintChain, mintSelf } from '../minting/certificates.ts';

const shop = specOf('shop', ['shop.example.com', '*.shop.example.com']);
const directory = 'https://ca.example/directory';
const start = new Date('2026-11-22T09:00:00Z');
const never = new AbortController().signal;

function mint(change: { domains?: readonly string[]; from?: number; days?: number; keyType?: KeyType } = {}) {
  const { domains = shop.domains, from = 0, days = 90, keyType } = change;
  const notBefore = new Date(start.getTime() + from * dayMs);
  return mintChain({ domains, notBefore, notAfter: new Date(notBefore.getTime() + days * dayMs), keyType });
}

/** As `openssl req -x509` makes it. */
async function mintSelfSigned() {
  const validity = { notBefore: start, notAfter: new Date(start.getTime() + 90 * dayMs) };
  return mintSelf({ domains: shop.domains, ...validity });
}

/** Imports what an AWS secret of that text holds. */
function importText(
  harness: Harness,
  text: string,
  name = 'shop',
  change: { readonly selfSigned?: boolean } = {},
): Promise<ImportAnswer> {
  const { store, clock, log, inventory } = harness;
  const keys = { generate: async () => (await mint()).key };
  const readText = async () => text;
  const deadline = new Date(clock.now().getTime() + 30_000);
  const run = { id: 'by-hand', inventory, deadline, signal: never, cleanUpSignal: never };
  return importCertificate(
    { certificate: name, secret: 'any', ...change },
    { store, keys, readText, clock, log },
    run,
  );
}

const jsonOf = ({ chain, key }: { chain: string; key: string }) =>
  JSON.stringify({ 'tls.crt': chain, 'tls.key': key });

describe('an imported certificate', () => {
  it('M04 is stored as any other, under the CA that the inventory asks, and nothing is claimed afterwards', async () => {
    const harness = new Harness([shop]);
    const pair = await mint();
    const answer = await importText(harness, jsonOf(pair));
    expect(answer).toMatchObject({ outcome: 'imported', names: shop.domains, next: { reason: 'Current' } });
    expect(await harness.current('shop')).toEqual({
      chain: pair.chain,
      key: pair.key,
      issuer: directory,
      profile: undefined,
      spec: undefined,
    });
    expect(harness.pending('shop')).toBeUndefined();
    expect(harness.log.events()).toEqual(['certificate imported']);
  });

  it('that was paused before its first order is not ordered, neither before it is imported nor afterwards', async () => {
    const harness = new Harness([shop]);
    const pause = (resume: boolean) =>
      pauseCertificates({ certificates: ['shop'], resume }, harness, {
        inventory: harness.inventory,
        signal: never,
      });
    await pause(false);
    expect((await harness.run()).report.certificates).toMatchObject([{ reason: 'Paused' }]);
    expect(await importText(harness, jsonOf(await mint()))).toMatchObject({ outcome: 'imported' });
    await pause(true);
    const { report } = await harness.run();
    expect(report.certificates).toMatchObject([{ decision: 'keep', reason: 'Current' }]);
  });

  it('M03 M05 is tracked, left alone until it is due, and then renewed by the schedule', async () => {
    const harness = new Harness([shop]);
    await importText(harness, jsonOf(await mint()));
    expect(harness.state('shop')).toMatchObject({ notAfter: new Date('2027-02-20T09:00:00Z') });
    harness.clock.pass(59 * dayMs);
    expect((await harness.run()).report.certificates).toMatchObject([
      { decision: 'keep', reason: 'Current' },
    ]);
    harness.clock.pass(dayMs);
    const { report } = await harness.run();
    expect(report.certificates).toMatchObject([{ reason: 'RenewalDue', outcome: 'issued' }]);
  });

  it('imported again changes nothing; another one, and the first again, take its place', async () => {
    const harness = new Harness([shop]);
    const [one, other] = [await mint(), await mint()];
    await importText(harness, jsonOf(one));
    const calls = harness.store.count('put');
    expect(await importText(harness, jsonOf(one))).toMatchObject({ outcome: 'unchanged' });
    expect(harness.store.count('put')).toBe(calls);
    for (const pair of [other, one]) {
      expect(await importText(harness, jsonOf(pair))).toMatchObject({ outcome: 'imported' });
      expect((await harness.current('shop'))?.chain).toBe(pair.chain);
    }
  });

  it('keeps the specification of a registered domain', async () => {
    const harness = new Harness([]);
    const spec = { ...specOf('customer', ['a.example.com']), source: 'registration' as const };
    await harness.store.create('customer', spec);
    await importText(harness, jsonOf(await mint({ domains: ['a.example.com'] })), 'customer');
    expect((await harness.current('customer'))?.spec).toEqual(spec);
    expect((await harness.run()).report.certificates).toMatchObject([{ name: 'customer', decision: 'keep' }]);
  });

  it.each<[string, Parameters<typeof mint>[0], string]>([
    ['has a key of another type', { keyType: 'rsa-2048' }, 'KeyChanged'],
    ['is past its renewal time', { from: -70, days: 90 }, 'RenewalDue'],
  ])('that %s is taken, and the answer says that the next pass orders anew', async (_, change, reason) => {
    const harness = new Harness([shop]);
    const answer = await importText(harness, jsonOf(await mint(change)));
    expect(answer).toMatchObject({ outcome: 'imported', next: { decision: 'order', reason } });
    expect((await harness.run({ dryRun: true })).report.certificates).toMatchObject([{ reason }]);
  });
});

describe('the AWS secret may hold', () => {
  let pair: Awaited<ReturnType<typeof mint>>;
  beforeAll(async () => {
    pair = await mint();
  });
  const base64 = (text: string) => Buffer.from(text).toString('base64');

  it.each<[string, () => string]>([
    ['two PEM files, one after the other', () => pair.chain + pair.key],
    ['the key before the chain', () => `${pair.key}\n${pair.chain}`],
    ['certbot’s files', () => JSON.stringify({ 'fullchain.pem': pair.chain, 'privkey.pem': pair.key })],
    ['those of nginx-ssl-proxy', () => JSON.stringify({ proxycert: pair.chain, proxykey: pair.key })],
    [
      'a Secret as kubectl prints it',
      () =>
        JSON.stringify({
          kind: 'Secret',
          data: { 'tls.crt': base64(pair.chain), 'tls.key': base64(pair.key) },
        }),
    ],
  ])('%s', async (_, text) => {
    const harness = new Harness([shop]);
    expect(await importText(harness, text())).toMatchObject({ outcome: 'imported', notes: [] });
    expect((await harness.current('shop'))?.chain).toBe(pair.chain);
  });

  it('a leaf alone, and the answer says that clients will miss the rest', async () => {
    const [leaf = ''] = pair.certificates;
    const answer = await importText(new Harness([shop]), leaf + pair.key);
    expect(answer).toMatchObject({ outcome: 'imported', notes: [expect.stringContaining('fullchain.pem')] });
  });
});

describe('however its chain comes', () => {
  it('it is stored in order, without copies and strangers, and the answer says what was left out', async () => {
    const [pair, stranger] = [await mint(), await mint()];
    const [leaf, issuer] = pair.certificates;
    const chain = [stranger.root, issuer, stranger.chain, leaf, pair.root, issuer].join('');
    const harness = new Harness([shop]);
    const answer = await importText(harness, jsonOf({ chain, key: pair.key }));
    const notes = [expect.stringContaining('3 of the certificates were left out')];
    expect(answer).toMatchObject({ outcome: 'imported', notes, next: { reason: 'Current' } });
    expect((await harness.current('shop'))?.chain).toBe(pair.chain + pair.root);
    expect((await harness.run()).report.certificates).toMatchObject([{ decision: 'keep' }]);
  });

  it('a leaf among strangers is stored alone, with a note; imported again with its chain it gets that', async () => {
    const [pair, stranger] = [await mint(), await mint()];
    const [leaf = ''] = pair.certificates;
    const harness = new Harness([shop]);
    const answer = await importText(harness, stranger.chain + leaf + pair.key);
    const notes = [
      expect.stringContaining('only the leaf'),
      expect.stringContaining('2 of the certificates'),
    ];
    expect(answer).toMatchObject({ outcome: 'imported', notes });
    expect((await harness.current('shop'))?.chain).toBe(leaf);
    expect(await importText(harness, jsonOf(pair))).toMatchObject({ outcome: 'imported', notes: [] });
    expect((await harness.current('shop'))?.chain).toBe(pair.chain);
    expect(await importText(harness, leaf + pair.key)).toMatchObject({ outcome: 'unchanged' });
    expect((await harness.current('shop'))?.chain).toBe(pair.chain);
  });

  it('a self-signed one is stored where the event says so, with a note', async () => {
    const own = await mintSelfSigned();
    const harness = new Harness([shop]);
    const answer = await importText(harness, jsonOf(own), 'shop', { selfSigned: true });
    expect(answer).toMatchObject({ outcome: 'imported', notes: [expect.stringContaining('self-signed')] });
    expect((await harness.current('shop'))?.chain).toBe(own.chain);
    expect((await harness.run()).report.certificates).toMatchObject([{ decision: 'keep' }]);
  });
});

describe('nothing is stored where', () => {
  const other = specOf('other', ['shop.example.com']);

  it.each<[reason: string, what: string, text: () => Promise<string>, name?: string]>([
    ['Unknown', 'add it to the inventory', async () => jsonOf(await mint()), 'nobody'],
    ['Unreadable', 'no certificate and no private key', async () => 'nothing'],
    ['Unreadable', 'name them "tls.crt"', async () => '{"crt": "x"}'],
    [
      'Unreadable',
      '2 private keys',
      async () => (await mint()).chain + (await mint()).key + (await mint()).key,
    ],
    ['KeyMismatch', 'no certificate of the chain', async () => (await mint()).chain + (await mint()).key],
    ['NamesChanged', 'not for shop.example.com', async () => jsonOf(await mint()), 'other'],
    ['Expired', 'expired at', async () => jsonOf(await mint({ from: -90, days: 90 }))],
    ['NotYetValid', '2026-11-23T09:00:00.000Z', async () => jsonOf(await mint({ from: 1 }))],
    ['SelfSigned', 'add "selfSigned": true', async () => jsonOf(await mintSelfSigned())],
  ])('%s: %s', async (reason, message, text, name) => {
    const harness = new Harness([shop, other]);
    const answer = await importText(harness, await text(), name);
    expect(answer).toMatchObject({ outcome: 'refused', reason, message: expect.stringContaining(message) });
    expect(JSON.stringify(answer)).not.toMatch(/PRIVATE KEY|MII/);
    expect([harness.store.kept.size, harness.log.lines]).toEqual([0, []]);
  });

  it('N12 its dhparam has fewer than 2048 bits or cannot be read; a larger one is taken and not kept', async () => {
    const pair = await mint();
    const withDh = (dhparam: string) =>
      importText(
        new Harness([shop]),
        JSON.stringify({ 'tls.crt': pair.chain, 'tls.key': pair.key, dhparam }),
      );
    const group = (bits: number) => dhOf((1n << BigInt(bits)) - 1n);
    const refused = { outcome: 'refused', reason: 'WeakDhParameters' };
    expect(await withDh(group(128))).toMatchObject({
      ...refused,
      message: expect.stringContaining('128 bits'),
    });
    expect(await withDh(group(2047))).toMatchObject(refused);
    expect(await withDh('x')).toMatchObject(refused);
    expect(await withDh(group(2048))).toMatchObject({
      outcome: 'imported',
      notes: [expect.stringContaining('ffdhe2048')],
    });
    expect(await importText(new Harness([shop]), pair.chain + pair.key + group(1024))).toMatchObject(refused);
  });
});

describe('at the same time as a run', () => {
  const pending = (harness: Harness, seconds: number): PendingOrder => ({
    key: 'key of the run',
    keyType: 'ecdsa-p256',
    issuer: directory,
    domains: shop.domains,
    run: 'scheduled',
    deadline: new Date(harness.clock.now().getTime() + seconds * 1000),
  });

  it('M06 is refused while the claim may be alive, with the instant from which it is not', async () => {
    const harness = new Harness([shop]);
    await harness.store.create('shop', undefined);
    await harness.store.claim('shop', pending(harness, 60), undefined);
    const text = jsonOf(await mint());
    const until = new Date(harness.clock.now().getTime() + 60_000);
    expect(await importText(harness, text)).toMatchObject({ outcome: 'refused', reason: 'InFlight', until });
    expect(await harness.current('shop')).toBeUndefined();
    harness.clock.pass(60_000);
    expect(await importText(harness, text)).toMatchObject({ outcome: 'imported' });
  });

  it('M06 keeps a scheduled run off while it works', async () => {
    const harness = new Harness([shop]);
    const put = harness.store.put.bind(harness.store);
    harness.store.put = async (...version) => {
      expect((await harness.run()).report.certificates).toMatchObject([
        { decision: 'wait', reason: 'InFlight' },
      ]);
      await put(...version);
    };
    expect(await importText(harness, jsonOf(await mint()))).toMatchObject({ outcome: 'imported' });
  });

  it('leaves the claim of a run that died to the next pass, with key and order', async () => {
    const harness = new Harness([shop]);
    await harness.store.create('shop', undefined);
    await harness.store.claim('shop', pending(harness, -1), undefined);
    await harness.store.record('shop', { order: `${directory}/order/1` });
    const answer = await importText(harness, jsonOf(await mint()));
    expect(answer).toMatchObject({ outcome: 'imported', next: { reason: 'Resume' } });
    const value = (await harness.store.read('shop', 'AWSPENDING'))?.value;
    expect(value).toMatchObject({ order: { key: 'key of the run', run: 'by-hand' } });
  });

  it('takes its claim away where storing fails', async () => {
    const harness = new Harness([shop]);
    harness.store.failures.next('put', new Error('throttled'));
    await expect(importText(harness, jsonOf(await mint()))).rejects.toThrow('throttled');
    expect(harness.pending('shop')).toBeUndefined();
  });
});

/** Parameters with this prime and generator 2. */
function dhOf(prime: bigint): string {
  const hex = prime.toString(16);
  const bytes = Buffer.from(hex.length % 2 ? `0${hex}` : hex, 'hex');
  const positive = (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes;
  const element = (tag: number, contents: Buffer) => {
    const { length } = contents;
    const size =
      length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
    return Buffer.concat([Buffer.from([tag, ...size]), contents]);
  };
  const der = element(0x30, Buffer.concat([element(2, positive), element(2, Buffer.of(2))]));
  return `-----BEGIN DH PARAMETERS-----\n${der.toString('base64')}\n-----END DH PARAMETERS-----\n`;
}
