// A person has certificates let go, or brings them back: what is written, what is said, and what is refused.
import { beforeEach, describe, expect, it } from 'vitest';
import type { Inventory, TargetSpec } from '../../lib/certificate/spec.ts';
import type { StoredSpec } from '../../lib/certificate/stored.ts';
import { findRetirement, isRestored } from '../../lib/policy/retirement/retirement.ts';
import { StoreError } from '../../lib/ports/store.ts';
import { parseRetireEvent } from '../../lib/requests/retire.ts';
import { retireCertificates } from '../../lib/retire/retire.ts';
import { FakeClock } from '../fakes/clock.ts';
import { FakeLog } from '../fakes/log.ts';
import { FakeStore } from '../fakes/store.ts';
import { targetOf } from '../minting/targets.ts';

const targets: readonly TargetSpec[] = [
  targetOf({ cluster: 'lab', namespace: 'shop', secret: 'goes' }),
  targetOf({ cluster: 'lab', namespace: 'other', secret: 'stays' }),
  targetOf({ cluster: 'edge', namespace: 'shop', secret: 'of-agent' }),
  targetOf({ cluster: 'gone', namespace: 'shop', secret: 'nowhere' }),
  { acm: { region: 'eu-central-1' } },
];
const customer: StoredSpec = {
  name: 'customer',
  domains: ['a.example.com'],
  issuer: 'default',
  key: 'ecdsa-p256',
  targets,
  source: 'registration',
};

let [store, log, clock] = [new FakeStore(), new FakeLog(), new FakeClock('2026-11-22T10:00:00Z')];
let sent: string[];
let inventory: Inventory;

beforeEach(async () => {
  [store, log, clock] = [new FakeStore(), new FakeLog(), new FakeClock('2026-11-22T10:00:00Z')];
  sent = [];
  inventory = {
    issuers: {},
    clusters: {
      lab: { kubeconfig: { secret: 'lab' }, prune: ['shop'] },
      edge: { agent: true, prune: true },
    },
    certificates: [],
  };
  await store.create('customer', customer);
  store.calls.length = 0;
});

async function call(event: object) {
  const ports = {
    store,
    retirements: store,
    queue: { send: async (names: readonly string[]) => void sent.push(...names) },
    clock,
    log,
  };
  const invocation = { id: 'call-1', inventory, signal: new AbortController().signal };
  const { report, failures } = await retireCertificates(parseRetireEvent(event), ports, invocation);
  return { certificates: report.certificates, failures: failures.map(({ message }) => message) };
}
const writes = () => store.calls.filter((one) => /^(record|restore|scheduleDeletion|create) /.test(one));
const entry = async () =>
  (await store.describe('customer')) ?? { name: 'customer', state: {}, current: undefined };
const wish = async () => findRetirement(await entry(), inventory);

describe('to let a certificate go', () => {
  it('writes one tag, has issue begin, and says what becomes of each target', async () => {
    const { certificates, failures } = await call({ certificates: ['customer'] });
    expect(failures).toEqual([]);
    expect(certificates).toMatchObject([
      {
        name: 'customer',
        outcome: 'retiring',
        targets: [
          { target: 'lab/shop/goes', end: 'prune' },
          {
            target: 'lab/other/stays',
            end: 'stays',
            message: expect.stringContaining('kubectl -n other delete secret stays'),
          },
          { target: 'edge/shop/of-agent', end: 'agent' },
          { target: 'gone/shop/nowhere', end: 'stays', message: expect.stringContaining('no cluster gone') },
          { target: 'acm/eu-central-1/customer', end: 'stays', message: expect.stringContaining('in ACM') },
        ],
      },
    ]);
    expect(writes()).toEqual(['record customer']);
    expect(await wish()).toEqual({ since: clock.now(), by: 'person', revoke: false });
    expect(sent).toEqual(['customer']);
  });

  it('twice changes nothing; to have it revoked, too, adds that and keeps the time', async () => {
    const since = clock.now();
    await call({ certificates: ['customer'] });
    clock.pass(86_400_000);
    expect((await call({ certificates: ['customer'] })).certificates).toMatchObject([
      { outcome: 'unchanged' },
    ]);
    const { certificates } = await call({ certificates: ['customer'], revoke: true });
    expect(certificates[0]?.message).toMatch(
      /its versions are revoked, and its AWS secret stays until they are/,
    );
    await call({ certificates: ['customer'] });
    expect(await wish()).toEqual({ since, by: 'person', revoke: true });
    await call({ certificates: ['customer'] });
    expect(await wish(), 'who says nothing of it changes nothing').toMatchObject({ revoke: true });
    await call({ certificates: ['customer'], revoke: false, dryRun: true });
    expect(await wish()).toMatchObject({ revoke: true });
    await call({ certificates: ['customer'], revoke: false });
    expect(await wish(), 'who says no takes it back').toEqual({ since, by: 'person', revoke: false });
    expect(writes()).toEqual(['record customer', 'record customer', 'record customer']);
  });

  it('as a dry run says the same of the targets, and writes nothing', async () => {
    const { certificates } = await call({ certificates: ['customer'], revoke: true, dryRun: true });
    expect(certificates).toMatchObject([
      { outcome: 'planned', message: expect.stringContaining('revokes its versions') },
    ]);
    expect(certificates[0]?.targets).toHaveLength(targets.length);
    expect([writes(), sent]).toEqual([[], []]);
  });

  it('is refused while the inventory has it, with the line to remove, and for a name that nobody knows', async () => {
    inventory = { ...inventory, certificates: [customer] };
    const { failures } = await call({ certificates: ['customer', 'nobody'] });
    expect(failures).toEqual([
      expect.stringMatching(/^customer: the inventory still has it: remove the entry "- name: customer"/),
      expect.stringMatching(/^nobody: no certificate is called "nobody"/),
    ]);
    expect(writes()).toEqual([]);
  });

  it('one that cannot be written stops no other', async () => {
    await store.create('other', { ...customer, name: 'other' });
    store.failures.next('record', new StoreError('Throttled', 'slowly'));
    const { certificates, failures } = await call({ certificates: ['customer', 'other'] });
    expect(failures).toEqual(['customer: slowly']);
    expect(certificates).toMatchObject([{ name: 'other', outcome: 'retiring' }]);
  });
});

describe('to restore', () => {
  it('clears the wish of before of a certificate that the inventory has again, and has nothing ordered', async () => {
    await call({ certificates: ['customer'] });
    inventory = { ...inventory, certificates: [customer] };
    sent.length = 0;
    expect((await call({ restore: ['customer'], dryRun: true })).certificates).toMatchObject([
      { outcome: 'planned' },
    ]);
    expect((await entry()).state.retire).toBeDefined();
    expect((await call({ restore: ['customer'] })).certificates).toMatchObject([{ outcome: 'restored' }]);
    inventory = { ...inventory, certificates: [] };
    expect([(await entry()).state.retire, await wish(), sent]).toEqual([undefined, undefined, []]);
  });

  it('brings an AWS secret back from its window, and the version that it had is delivered nowhere', async () => {
    const version = (await entry()).current;
    await call({ certificates: ['customer'] });
    const until = await store.scheduleDeletion('customer');
    expect((await call({})).certificates).toMatchObject([{ name: 'customer', outcome: 'retired', until }]);
    expect((await call({ restore: ['customer'], dryRun: true })).certificates).toMatchObject([
      { outcome: 'planned', until },
    ]);
    expect(store.deleted.has('customer')).toBe(true);

    sent = [];
    expect((await call({ restore: ['customer'] })).certificates).toMatchObject([
      { outcome: 'restored', message: expect.stringContaining('anew with another key') },
    ]);
    expect(await wish()).toBeUndefined();
    expect(isRestored((await entry()).state, version)).toBe(true);
    expect(sent).toEqual(['customer']);
    expect((await call({ restore: ['customer'] })).certificates).toMatchObject([{ outcome: 'unchanged' }]);
  });

  it('goes on after a crash between the AWS secret and the tag', async () => {
    await call({ certificates: ['customer'] });
    await store.scheduleDeletion('customer');
    store.failures.next('record', new StoreError('Failed', 'killed'));
    expect((await call({ restore: ['customer'] })).failures).toEqual(['customer: killed']);
    expect(await wish(), 'still to be let go').toBeDefined();
    expect((await call({ restore: ['customer'] })).certificates).toMatchObject([{ outcome: 'restored' }]);
    expect(await wish()).toBeUndefined();
  });

  it('ends a sender’s wish, also one whose clock is ahead', async () => {
    const ahead = new Date(clock.now().getTime() + 240_000);
    await store.record('customer', { unregister: ahead });
    expect(await wish()).toMatchObject({ by: 'sender' });
    await call({ restore: ['customer'] });
    expect(await wish()).toBeUndefined();
  });

  it('is refused for what is not let go, and for a name that nobody knows', async () => {
    const { failures } = await call({ restore: ['customer', 'nobody'] });
    expect(failures).toEqual([
      'customer: it is not let go, so there is nothing to restore',
      expect.stringMatching(/^nobody: no certificate is called "nobody"/),
    ]);
    expect(writes()).toEqual([]);
  });

  it('says which line the inventory needs if no source asks for it', async () => {
    await store.create('former', undefined);
    await call({ certificates: ['former'] });
    const { certificates } = await call({ restore: ['former'] });
    expect(certificates[0]?.message).toContain('add "- name: former"');
  });
});

it('without names it lists what is on its way out and what can be restored, and writes nothing', async () => {
  for (const name of ['a', 'z']) await store.create(name, { ...customer, name });
  await call({ certificates: ['customer', 'a'] });
  await store.scheduleDeletion('a');
  const before = writes().length;
  expect((await call({})).certificates).toMatchObject([
    { name: 'a', outcome: 'retired' },
    {
      name: 'customer',
      outcome: 'retiring',
      message: expect.stringContaining('retired by a person'),
      // Seven days for the parts of others, half a day for the event bus, and thirty days in which it can
      // be restored.
      until: new Date(clock.now().getTime() + 37.5 * 86_400_000),
    },
  ]);
  expect(writes()).toHaveLength(before);
  const at = clock.now();
  const problem = { code: 'RevocationFailed', since: at, words: 'the CA says no' };
  await store.record('customer', { retire: { kind: 'retire', at, revoke: true }, problem });
  const failing = (await call({})).certificates.find(({ name }) => name === 'customer');
  expect(failing, 'nobody knows when it goes').not.toHaveProperty('until');
});

it.each<[object, RegExp]>([
  [{ certificate: 'shop' }, /unknown field "certificate"/],
  [{ certificates: [] }, /certificates/],
  [{ certificates: ['Shop'] }, /must be a certificate name/],
  [{ certificates: ['\u001b[31mshop'] }, /must be a certificate name/],
  [{ certificates: ['shop'], restore: ['shop'] }, /only one of them/],
  [{ restore: ['shop'], revoke: true }, /"revoke" needs "certificates"/],
  [{ revoke: true }, /"revoke" needs "certificates"/],
  [{ certificates: Array.from({ length: 101 }, (_, index) => `c${index}`) }, /certificates/],
])('%j is refused', (event, message) => {
  expect(() => parseRetireEvent(event)).toThrow(message);
});
