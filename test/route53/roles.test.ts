// Hosted zones in several AWS accounts: which account takes a record, and what a role that is refused costs.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RoleSpec } from '../sandbox/sts/sessions.ts';
import { type Setting, startSetting } from './harness.ts';

const [net, org] = ['210987654321', '333333333333'].map((account) => ({
  account,
  roleArn: `arn:aws:iam::${account}:role/certrelay-dns`,
  externalId: `id-${account}`,
})) as [Access, Access];
interface Access {
  readonly account: string;
  readonly roleArn: string;
  readonly externalId: string;
}

const ours = 'arn:aws:iam::123456789012:role/issue';
const roleOf = ({ roleArn, externalId }: Access): RoleSpec => ({
  arn: roleArn,
  trust: { principals: [ours], externalId },
});
const accessTo = ({ roleArn, externalId }: Access, match: string) => ({ match, roleArn, externalId });

let setting: Setting;
beforeEach(async () => {
  setting = await startSetting([roleOf(net), roleOf(org)]);
});
afterEach(() => setting.stop());

type Roles = Parameters<Setting['open']>[0] & object;
const connect = (roles: Roles['roles'], sessionName = 'certrelay-run') =>
  setting.open({ roles, sessionName }).route53.records;
const values = (...names: readonly string[]) =>
  names.map((name) => ({ name: `_acme-challenge.${name}`, value: 'v' }));
const asked = (action: string) => setting.journal.find({ action }).map(({ principal }) => principal);

test('a record goes into the longest zone of our own account and of every role that is for its name', async () => {
  setting.route53.createZone('example.com');
  setting.route53.createZone('eu.example.com', { account: net.account });
  setting.route53.createZone('shop.eu.example.com', { account: org.account });
  // Nobody has said that this account holds names below example.com.
  setting.route53.createZone('us.example.com', { account: org.account, delegated: false });
  const records = connect([accessTo(net, 'example.com'), accessTo(org, 'eu.example.com')]);
  const wanted = values('us.example.com', 'eu.example.com', 'a.shop.eu.example.com');
  expect(await records.present(wanted, setting.signal)).toEqual({ failed: new Map() });
  expect(['example.com', 'eu.example.com', 'shop.eu.example.com'].map((zone) => setting.texts(zone))).toEqual(
    [
      ['_acme-challenge.us.example.com. 60 "v"'],
      ['_acme-challenge.eu.example.com. 60 "v"'],
      ['_acme-challenge.a.shop.eu.example.com. 60 "v"'],
    ],
  );
  await records.cleanUp(wanted, setting.signal);
  expect(setting.texts('shop.eu.example.com')).toEqual([]);
  expect(asked('AssumeRole')).toEqual(['issue', 'issue']);
  expect(asked('ListHostedZones').toSorted()).toEqual(['certrelay-dns', 'certrelay-dns', 'issue']);
});

test('a role is assumed for the names it is for and for no others, under the name of the run', async () => {
  setting.route53.createZone('example.com');
  setting.route53.createZone('example.net', { account: net.account });
  const roles = [accessTo(net, 'example.net'), accessTo(net, 'example.org')];
  await connect(roles).present(values('example.com'), setting.signal);
  expect(asked('AssumeRole')).toEqual([]);
  await connect(roles, 'certrelay run/7').present(values('a.example.net', 'b.example.net'), setting.signal);
  const calls = setting.journal.find({ service: 'sts' });
  expect(calls).toMatchObject([{ resource: net.roleArn, detail: { sessionName: 'certrelay-run-7' } }]);
});

test('zones of one name in two accounts are told apart by the name servers that DNS answers', async () => {
  setting.route53.createZone('example.net', { delegated: false });
  const inUse = setting.route53.createZone('example.net', { account: net.account });
  await connect([accessTo(net, 'example.net')]).present(values('example.net'), setting.signal);
  expect(inUse.list().filter(({ type }) => type === 'TXT')).toHaveLength(1);
});

test('a zone that our own account and a role see is one zone', async () => {
  await setting.stop();
  const arn = 'arn:aws:iam::123456789012:role/zones/dns';
  setting = await startSetting([{ arn, trust: { principals: [ours] } }]);
  setting.route53.createZone('example.com');
  const records = connect([{ match: 'example.com', roleArn: arn }]);
  expect(await records.present(values('example.com'), setting.signal)).toEqual({ failed: new Map() });
  expect(asked('ChangeResourceRecordSets')).toEqual(['dns']);
});

test('a session that is about to end is renewed before the next call', async () => {
  setting.route53.createZone('example.net', { account: net.account });
  const records = connect([accessTo(net, 'example.net')]);
  const minute = 60_000;
  for (const minutes of [0, 54.9, 0.2, 30]) {
    await setting.clock.sleep(minutes * minute, setting.signal);
    expect((await records.present(values('a.example.net'), setting.signal)).failed).toEqual(new Map());
    await records.cleanUp(values('a.example.net'), setting.signal);
  }
  expect(asked('AssumeRole')).toHaveLength(2);
});

describe('a role that is refused', () => {
  test.each([
    ['whose trust policy names somebody else', { principals: ['arn:aws:iam::123456789012:role/other'] }],
    ['that asks for another external id', { principals: [ours], externalId: 'another' }],
  ])('%s fails the names it is for, once for all of them, and says what to change', async (_title, trust) => {
    await setting.stop();
    setting = await startSetting([{ arn: net.roleArn, trust }, roleOf(org)]);
    setting.route53.createZone('example.com');
    for (const { account, zone } of [
      { ...net, zone: 'example.net' },
      { ...org, zone: 'example.org' },
    ]) {
      setting.route53.createZone(zone, { account });
    }
    const records = connect([accessTo(net, 'example.net'), accessTo(org, 'example.org')]);
    const all = values('a.example.net', 'example.com', 'b.example.net', 'example.org');
    const { failed } = await records.present(all, setting.signal);
    expect([...failed.keys()].toSorted()).toEqual(
      ['a.example.net', 'b.example.net'].map((name) => `_acme-challenge.${name}`),
    );
    const error = failed.get('_acme-challenge.a.example.net');
    expect(error).toMatchObject({ code: 'Denied' });
    for (const word of [net.roleArn, ours, 'trust policy', 'externalId', 'sts:AssumeRole']) {
      expect(error?.message).toContain(word);
    }
    await records.present(values('c.example.net'), setting.signal);
    expect(setting.journal.find({ action: 'AssumeRole' }).map(({ resource }) => resource)).toEqual([
      net.roleArn,
      org.roleArn,
    ]);
  });

  test('only for now is tried again by the next question, and is not called a refusal', async () => {
    setting.route53.createZone('example.net', { account: net.account });
    setting.faults.set('sts', 'AssumeRole', { kind: 'error', code: 'Throttling', status: 400 });
    const records = connect([accessTo(net, 'example.net')]);
    const { failed } = await records.present(values('example.net'), setting.signal);
    expect([...failed.values()]).toMatchObject([{ code: 'Throttled' }]);
    expect(await records.present(values('example.net'), setting.signal)).toEqual({ failed: new Map() });
  });
});

test('the end of the run ends a wait for STS', async () => {
  const run = new AbortController();
  setting.route53.createZone('example.net', { account: net.account });
  setting.faults.set('sts', 'AssumeRole', { kind: 'delay', ms: 5_000 });
  setting.journal.before(({ service }) => {
    if (service === 'sts') setImmediate(() => run.abort(new Error('out of time')));
  });
  const { failed } = await connect([accessTo(net, 'example.net')]).present(values('example.net'), run.signal);
  expect([...failed.values()]).toMatchObject([
    { code: 'Failed', message: expect.stringContaining('the run ended') },
  ]);
});

test('what the role itself may not do is said of the role', async () => {
  const { id } = setting.route53.createZone('example.net', { account: net.account });
  const denied = { kind: 'error', code: 'AccessDenied', status: 403 } as const;
  setting.faults.set('route53', 'ChangeResourceRecordSets', denied);
  const { failed } = await connect([accessTo(net, 'example.net')]).present(
    values('example.net'),
    setting.signal,
  );
  expect([...failed.values()].map(({ message }) => message)).toEqual([
    `AWS denied route53:ChangeResourceRecordSets on hosted zone example.net (${id}): the role ${net.roleArn} needs route53:ChangeResourceRecordSets there`,
  ]);
});
