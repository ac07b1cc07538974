// Which hosted zone takes a record: the longest name, public, and the one that DNS leads to.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Setting, startSetting } from './harness.ts';

let setting: Setting;
beforeEach(async () => {
  setting = await startSetting();
});
afterEach(() => setting.stop());

const name = '_acme-challenge.shop.example.com';
const present = async (...names: readonly string[]) =>
  (
    await setting.connect().present(
      names.map((each) => ({ name: each, value: 'v' })),
      setting.signal,
    )
  ).failed;

test('the longest public zone that the name ends in takes the record, wherever it is in the list', async () => {
  for (let n = 0; n < 220; n += 1) setting.route53.createZone(`filler${n}.example`);
  setting.route53.createZone('shop.example.com', { private: true });
  setting.route53.createZone('example.com');
  setting.route53.createZone('eu.example.com');
  setting.route53.createZone('notexample.com');
  const names = [name, '_acme-challenge.a.eu.example.com', '_acme-challenge.eu.example.com'];
  expect(await present(...names)).toEqual(new Map());
  expect(setting.texts('example.com')).toEqual([`${names[0]}. 60 "v"`]);
  expect(setting.texts('eu.example.com')).toEqual([`${names[2]}. 60 "v"`, `${names[1]}. 60 "v"`]);
  expect(setting.count('ListHostedZones')).toBe(3);
  expect(setting.count('GetHostedZone')).toBe(0);
});

describe('two public zones of one name', () => {
  test.each([
    [true, false],
    [false, true],
  ])('are told apart by the name servers that DNS answers, once for all of their names (%s, %s)', async (...delegated) => {
    const zones = delegated.map((each) => setting.route53.createZone('example.com', { delegated: each }));
    const inUse = zones.find((zone) => zone.isDelegated);
    expect(await present(name, '_acme-challenge.example.com')).toEqual(new Map());
    expect(inUse?.list().filter(({ type }) => type === 'TXT')).toHaveLength(2);
    expect(zones.flatMap((zone) => zone.list()).filter(({ type }) => type === 'TXT')).toHaveLength(2);
    expect(setting.count('GetHostedZone')).toBe(2);
    expect(setting.journal.count({ service: 'dns', action: 'NS' })).toBe(1);
  });

  test('of which DNS leads to neither take nothing: both ids and the live name servers are named', async () => {
    const zones = [1, 2].map(() => setting.route53.createZone('example.com', { delegated: false }));
    setting.route53.createZone('example.net');
    setting.serveElsewhere('example.com', ['ns1.elsewhere.example']);
    const failed = await present(name, '_acme-challenge.example.net');
    expect([...failed.keys()]).toEqual([name]);
    expect(failed.get(name)).toMatchObject({ code: 'NoZone' });
    for (const word of [...zones.map(({ id }) => id), 'ns1.elsewhere.example', 'delete the zones']) {
      expect(failed.get(name)?.message).toContain(word);
    }
  });

  test('wait for the next run where DNS does not answer, and other names are written', async () => {
    for (const delegated of [true, false]) setting.route53.createZone('example.com', { delegated });
    setting.route53.createZone('example.net');
    setting.faults.set('dns', 'NS', { kind: 'error', code: 'SERVFAIL', status: 0 }, 10);
    const failed = await present(name, '_acme-challenge.example.net');
    expect([...failed].map(([each, error]) => [each, Object(error).code])).toEqual([[name, 'Lookup']]);
  });

  test('of which one is private need no question', async () => {
    setting.route53.createZone('example.com', { private: true });
    setting.route53.createZone('example.com');
    expect(await present(name)).toEqual(new Map());
    expect(setting.count('GetHostedZone')).toBe(0);
  });
});
