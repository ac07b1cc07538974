// What becomes of a sender's request to give a name up, or to see how it stands, once it is authenticated.
import { beforeEach, describe, expect, it } from 'vitest';
import { toStandingResponse } from '../../lib/adapters/webhook/responses.ts';
import type { Inventory } from '../../lib/certificate/spec.ts';
import type { StoredSpec } from '../../lib/certificate/stored.ts';
import { createRegister } from '../../lib/register/registration.ts';
import { createDescribeRegistration, createTakeBack } from '../../lib/register/taking-back.ts';
import type { CertificateState } from '../../lib/state/state.ts';
import { FakeClock } from '../fakes/clock.ts';
import { FakeLog } from '../fakes/log.ts';
import { FakeStore } from '../fakes/store.ts';

const signal = new AbortController().signal;
const dayMs = 86_400_000;
const spec: StoredSpec = {
  name: 'customer',
  domains: ['a.example.com'],
  issuer: 'default',
  key: 'ecdsa-p256',
  targets: [],
  source: 'registration',
};

let [store, log, clock] = [new FakeStore(), new FakeLog(), new FakeClock('2026-11-22T10:00:00Z')];
let sent: string[];
let inventory: Inventory;

beforeEach(async () => {
  [store, log, clock] = [new FakeStore(), new FakeLog(), new FakeClock('2026-11-22T10:00:00Z')];
  sent = [];
  inventory = {
    issuers: { default: { directory: 'https://ca.example/directory', contact: [], agreeToTerms: true } },
    clusters: {},
    certificates: [],
    registration: { zones: ['example.com'], issuer: 'default', key: 'ecdsa-p256', targets: [] },
  };
  await store.create('customer', spec);
  store.calls.length = 0;
});

const ports = () => ({
  inventory,
  store,
  retirements: store,
  queue: { send: async (names: readonly string[]) => void sent.push(...names) },
  clock,
  log,
});
const takeBack = (sentAt = clock.now(), name = 'customer') =>
  createTakeBack(ports())(name, { id: 'msg_1', sentAt }, signal);
const look = (name = 'customer') => createDescribeRegistration(ports())(name, signal);
const register = () =>
  createRegister(ports())({ domains: ['a.example.com'], name: 'customer' }, 'msg_2', signal);
const writes = () => store.calls.filter((call) => !/^(list|describe|findDeleted) /.test(call));
const mark = (state: CertificateState) => store.record('customer', state);
const latest = (since: Date) => new Date(since.getTime() + 37.5 * dayMs);

it('writes one tag, with the time of the request, and has issue begin; sent again it changes nothing', async () => {
  const sentAt = clock.now();
  expect(await takeBack(sentAt)).toEqual({
    kind: 'leaving',
    name: 'customer',
    until: latest(sentAt),
    isNew: true,
  });
  expect(writes()).toEqual(['record customer']);
  expect((await store.describe('customer'))?.state.unregister).toEqual(sentAt);
  expect(sent).toEqual(['customer']);

  clock.pass(60_000);
  expect(await takeBack(sentAt)).toEqual({ kind: 'leaving', name: 'customer', until: latest(sentAt) });
  expect(await takeBack()).toEqual({ kind: 'leaving', name: 'customer', until: latest(sentAt) });
  expect(writes()).toEqual(['record customer']);
  expect(store.count('read'), 'no value is read').toBe(0);
});

it('nobody promises when a name is free while a revocation fails, which has no end', async () => {
  const at = clock.now();
  const problem = { code: 'RevocationFailed', since: at, words: 'the CA says no' };
  await mark({ retire: { kind: 'retire', at, revoke: true }, problem });
  clock.pass(40 * dayMs);
  expect(await look()).toEqual({ kind: 'leaving', name: 'customer', until: undefined });
  expect(await register()).toMatchObject({
    kind: 'taken',
    message: expect.stringMatching(/is taken for now;/),
  });
  expect(await register()).not.toHaveProperty('until');
  await mark({ retire: { kind: 'retire', at, revoke: false } });
  expect(await look()).toMatchObject({ until: latest(at) });
});

it('is kept for a request that was sent before the name was registered, and for one within its second it is not', async () => {
  const createdAt = (await store.describe('customer'))?.createdAt ?? new Date(0);
  expect(await takeBack(new Date(createdAt.getTime() - 1_000))).toMatchObject({
    kind: 'kept',
    reason: 'SentTooEarly',
  });
  expect(writes()).toEqual([]);
  expect(await takeBack(new Date(createdAt.getTime() - 999))).toMatchObject({ kind: 'leaving' });
});

it('is kept for the request that a person has overruled, sent again, and not for a later one', async () => {
  const sentAt = new Date(clock.now().getTime() + 240_000);
  await takeBack(sentAt);
  await mark({ retire: { kind: 'restored', at: sentAt } });
  expect(await takeBack(sentAt)).toMatchObject({ kind: 'kept' });
  expect(await look()).toMatchObject({ kind: 'registered' });
  expect(await takeBack(new Date(sentAt.getTime() + 1_000))).toMatchObject({ kind: 'leaving', isNew: true });
});

it('is kept where the inventory has the name, and the log has the line to remove', async () => {
  inventory = { ...inventory, certificates: [{ ...spec }] };
  expect(await takeBack()).toEqual({
    kind: 'kept',
    name: 'customer',
    message: 'the operator keeps this certificate; ask the operator',
    reason: 'KeptByOperator',
  });
  const standing = await look();
  expect(standing).toMatchObject({ kind: 'registered', isKept: true });
  expect(JSON.parse(toStandingResponse(standing).body)).toMatchObject({ keptByOperator: true });
  expect(writes()).toEqual([]);
  expect(log.lines).toMatchObject([
    { event: 'registration kept', fields: { problem: expect.stringContaining('"- name: customer"') } },
  ]);
});

describe.each(['discovery', 'import'] as const)('a certificate of another source: %s', (source) => {
  it('is unknown to a sender, whatever he asks', async () => {
    await store.create('other', { ...spec, name: 'other', source });
    store.calls.length = 0;
    expect(await takeBack(clock.now(), 'other')).toEqual({ kind: 'unknown', name: 'other' });
    expect(await look('other')).toEqual({ kind: 'unknown', name: 'other' });
    expect(writes()).toEqual([]);
  });
});

it('a name without a certificate is unknown, and without a webhook nothing is said', async () => {
  expect(await takeBack(clock.now(), 'nobody')).toEqual({ kind: 'unknown', name: 'nobody' });
  inventory = { ...inventory, registration: undefined };
  expect(await takeBack()).toEqual({ kind: 'closed' });
  expect(await look()).toEqual({ kind: 'closed' });
  expect(writes()).toEqual([]);
});

describe('how a name stands', () => {
  it('says whether it has a certificate, and until when', async () => {
    const registered = { kind: 'registered', name: 'customer', domains: ['a.example.com'] };
    expect(await look()).toMatchObject({ ...registered, issued: false });
    const notAfter = clock.now();
    await mark({ version: 'v', notAfter });
    expect(await look()).toMatchObject({ ...registered, issued: true, notAfter });
  });
});

describe('a name that is being given up', () => {
  it('is not registered again, and the answer has the day from which it is free at the latest', async () => {
    await takeBack();
    const until = latest(clock.now());
    expect(await register()).toMatchObject({
      kind: 'taken',
      message: expect.stringContaining(until.toISOString()),
      until,
    });
    expect((await store.describe('customer'))?.state.unregister).toEqual(clock.now());
  });

  it('nor while its AWS secret is in its window, whose end the answer has; to give it up again changes nothing', async () => {
    await takeBack();
    const until = await store.scheduleDeletion('customer');
    expect(await register()).toMatchObject({ kind: 'taken', until });
    expect(await takeBack()).toEqual({ kind: 'gone', name: 'customer', until });
    expect(await look()).toEqual({ kind: 'gone', name: 'customer', until });
    expect(log.lines.at(-1)).toMatchObject({
      event: 'registration refused',
      fields: { problem: expect.stringContaining('restore customer') },
    });
  });
});
