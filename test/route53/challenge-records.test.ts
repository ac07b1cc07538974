// DNS-01 values in Route 53, against the strict double: nothing of others is lost, and calls are few.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { TxtValue } from '../../lib/ports/dns.ts';
import { create, type Setting, startSetting, txt, upsert } from './harness.ts';

let setting: Setting;
beforeEach(async () => {
  setting = await startSetting();
});
afterEach(() => setting.stop());

const apex = '_acme-challenge.example.com';

function valuesFor(count: number, zone = 'example.com'): TxtValue[] {
  return Array.from({ length: count }, (_, n) => [
    { name: `_acme-challenge.n${n}.${zone}`, value: `apex-${n}` },
    { name: `_acme-challenge.n${n}.${zone}`, value: `wildcard-${n}` },
  ]).flat();
}

const codes = (failed: ReadonlyMap<string, Error>) =>
  Object.fromEntries([...failed].map(([name, error]) => [name, 'code' in error ? error.code : error.name]));

describe('calls', () => {
  test.each([
    1, 10, 50,
  ])('%i certificates with apex and wildcard in one zone: one change to add, one to remove', async (n) => {
    setting.route53.createZone('example.com');
    const records = setting.connect();
    expect((await records.present(valuesFor(n), setting.signal)).failed).toEqual(new Map());
    expect(setting.texts('example.com')).toHaveLength(n);
    expect((await records.cleanUp(valuesFor(n), setting.signal)).failed).toEqual(new Map());
    expect(setting.texts('example.com')).toEqual([]);
    expect(setting.count('ChangeResourceRecordSets')).toBe(2);
    expect(setting.count('ListResourceRecordSets')).toBe(2);
    expect(setting.count('ListHostedZones')).toBe(1);
    expect(setting.count('GetChange')).toBe(1);
  });

  test('a large zone is asked for each name while that is fewer calls than paging through it', async () => {
    const { id } = setting.route53.createZone('example.com');
    const others = Array.from({ length: 700 }, (_, n) => create(txt(`x${n}.example.com`, 60, '"x"')));
    await setting.write(id, ...others);
    const two = setting.connect();
    await two.present(valuesFor(2), setting.signal);
    const starts = setting.journal.find({ action: 'ListResourceRecordSets' });
    expect(starts).toHaveLength(2);
    await two.present(valuesFor(5), setting.signal);
    // 702 record sets were listed: 3 pages.
    expect(setting.count('ListResourceRecordSets')).toBe(5);
  });

  test('60 zones stay below what Route 53 grants an account', async () => {
    setting.route53.settings.rate = { perSecond: 10, burst: 50 };
    const values = Array.from({ length: 60 }, (_, n) => {
      setting.route53.createZone(`z${n}.example`);
      return { name: `_acme-challenge.z${n}.example`, value: 'v' };
    });
    expect((await setting.connect().present(values, setting.signal)).failed).toEqual(new Map());
    const refused = setting.journal.find({ service: 'route53' }).filter((call) => call.status !== 200);
    expect(refused).toEqual([]);
  });

  test('two requests for one zone at once are carried out one after the other, without a conflict', async () => {
    setting.route53.createZone('example.com');
    const records = setting.connect();
    await Promise.all([
      records.present([{ name: apex, value: 'one' }], setting.signal),
      records.present([{ name: apex, value: 'two' }], setting.signal),
    ]);
    expect(setting.texts('example.com')).toEqual([`${apex}. 60 "one" "two"`]);
    expect(setting.count('ChangeResourceRecordSets')).toBe(2);
  });
});

describe('values of others', () => {
  test('stay byte for byte with their TTL, while ours come and go', async () => {
    const { id } = setting.route53.createZone('example.com');
    const foreign = ['"with \\"quotes\\" and \\\\"', `"${'x'.repeat(255)}" "and more"`, '"caf\\303\\251"'];
    await setting.write(id, create(txt(apex, 86_400, ...foreign)));
    const before = setting.texts('example.com');
    const records = setting.connect();
    await records.present([{ name: apex, value: 'ours' }], setting.signal);
    expect(setting.texts('example.com')).toEqual([`${before[0]} "ours"`]);
    await records.cleanUp([{ name: apex, value: 'ours' }], setting.signal);
    expect(setting.texts('example.com')).toEqual(before);
  });

  test('in multivalue answer sets, as cert-manager writes them, stay beside ours', async () => {
    const { id } = setting.route53.createZone('example.com');
    const theirs = { ...txt(apex, 10, '"theirs"'), SetIdentifier: '"theirs"', MultiValueAnswer: true };
    await setting.write(id, create(theirs));
    const records = setting.connect();
    const values = ['one', 'two'].map((value) => ({ name: apex, value }));
    expect((await records.present(values, setting.signal)).failed).toEqual(new Map());
    expect(setting.texts('example.com').toSorted()).toEqual([
      `${apex}. 10 "theirs"`,
      `${apex}. 60 "one"`,
      `${apex}. 60 "two"`,
    ]);
    await records.cleanUp(values, setting.signal);
    expect(setting.texts('example.com')).toEqual([`${apex}. 10 "theirs"`]);
  });

  test('ours are found behind a dozen multivalue sets of others', async () => {
    const { id } = setting.route53.createZone('example.com');
    const theirs = Array.from({ length: 12 }, (_, n) => `"${n}"`).map((value) => ({
      ...txt(apex, 10, value),
      SetIdentifier: value,
      MultiValueAnswer: true,
    }));
    await setting.write(id, ...theirs.map(create));
    const records = setting.connect();
    await records.present([{ name: apex, value: 'ours' }], setting.signal);
    expect(setting.texts('example.com')).toHaveLength(13);
    await records.cleanUp([{ name: apex, value: 'ours' }], setting.signal);
    expect(setting.texts('example.com')).toHaveLength(12);
  });

  test.each([
    'before we read',
    'after we read',
    'after we wrote',
  ])('written %s are not lost, nor are ours', async (moment) => {
    const { id } = setting.route53.createZone('example.com');
    await setting.write(id, create(txt(apex, 300, '"first"')));
    const { journal } = setting;
    const action = moment === 'before we read' ? 'ListResourceRecordSets' : 'ChangeResourceRecordSets';
    const listen = moment === 'after we wrote' ? journal.after.bind(journal) : journal.before.bind(journal);
    const stop = listen(async (call) => {
      if (call.action !== action || call.principal !== 'issue') return;
      stop();
      const [set] = setting.route53.list('example.com').filter(({ type }) => type === 'TXT');
      await setting.write(id, upsert(txt(apex, 300, ...(set?.values ?? []), '"second"')));
    });
    const outcome = await setting.connect().present([{ name: apex, value: 'ours' }], setting.signal);
    expect(outcome.failed).toEqual(new Map());
    const [, , ...values] = setting.texts('example.com')[0]?.split(' ') ?? [];
    expect(values.toSorted()).toEqual(['"first"', '"ours"', '"second"']);
    expect(setting.count('ChangeResourceRecordSets')).toBe(moment === 'after we read' ? 2 : 1);
  });

  test('what is there is not written again, and what is gone is not taken away again', async () => {
    setting.route53.createZone('example.com');
    await setting.connect().present(valuesFor(2), setting.signal);
    await setting.connect().present(valuesFor(2), setting.signal);
    expect(setting.count('ChangeResourceRecordSets')).toBe(1);
    await setting.connect().cleanUp(valuesFor(2), setting.signal);
    expect((await setting.connect().cleanUp(valuesFor(2), setting.signal)).failed).toEqual(new Map());
    expect(setting.count('ChangeResourceRecordSets')).toBe(2);
  });
});

describe('INSYNC', () => {
  test('is waited for in all zones at once, asked for at first without delay and then ever more rarely', async () => {
    setting.route53.settings.insyncMs = 30_000;
    for (const zone of ['a.example', 'b.example', 'c.example']) setting.route53.createZone(zone);
    const values = ['a', 'b', 'c'].map((zone) => ({ name: `_acme-challenge.${zone}.example`, value: 'v' }));
    await setting.connect().present(values, setting.signal);
    expect(Math.min(...setting.clock.slept)).toBe(1_000);
    expect(Math.max(...setting.clock.slept)).toBe(2_000);
    // One after the other, the zones would take 90 seconds.
    expect(setting.clock.slept.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(60_000);
    expect(setting.count('ChangeResourceRecordSets')).toBe(3);
  });

  test('a change that stays PENDING fails its names after five minutes', async () => {
    setting.route53.settings.insyncMs = 3_600_000;
    setting.route53.createZone('example.com');
    const { failed } = await setting.connect().present([{ name: apex, value: 'v' }], setting.signal);
    expect(codes(failed)).toEqual({ [apex]: 'NotVisible' });
  });

  test('is not waited for after taking away', async () => {
    setting.route53.createZone('example.com');
    await setting.connect().present([{ name: apex, value: 'v' }], setting.signal);
    setting.route53.settings.insyncMs = 30_000;
    setting.journal.clear();
    await setting.connect().cleanUp([{ name: apex, value: 'v' }], setting.signal);
    expect(setting.count('GetChange')).toBe(0);
  });
});

describe('a neighbour', () => {
  /** Values of one name in each zone. */
  const inZones = (...zones: readonly string[]) =>
    zones.map((zone) => ({ name: `_acme-challenge.${zone}`, value: 'v' }));

  test('whose zone stays PENDING for five minutes keeps no other name waiting', async () => {
    const [, slow] = ['fast.example', 'slow.example'].map((zone) => setting.route53.createZone(zone));
    setting.journal.before((call) => {
      if (call.action === 'ChangeResourceRecordSets')
        setting.route53.settings.insyncMs = call.resource.endsWith(slow?.id ?? '-') ? 3_600_000 : 20_000;
    });
    const startedAt = setting.clock.now().getTime();
    const done: (readonly [string, number, unknown])[] = [];
    await setting
      .connect()
      .present(inZones('fast.example', 'slow.example'), setting.signal, (name, error) => {
        const code = error && 'code' in error ? error.code : undefined;
        done.push([name, (setting.clock.now().getTime() - startedAt) / 60_000, code]);
      });
    expect(done).toEqual([
      ['_acme-challenge.fast.example', expect.closeTo(0.5, 0), undefined],
      ['_acme-challenge.slow.example', expect.closeTo(5, 0), 'NotVisible'],
    ]);
    // A request every two seconds would leave nothing to others where ten zones are like that.
    expect(setting.count('GetChange')).toBeLessThan(90);
  });

  test('whose CNAME nobody answers is written later, and keeps none of its zone waiting', async () => {
    setting.route53.createZone('example.com');
    const [hanging, other] = ['_acme-challenge.slow.example.com', '_acme-challenge.shop.example.com'];
    const answer = Promise.withResolvers<void>();
    const resolveAlias = async (name: string) => {
      if (name === hanging) await answer.promise;
      return name;
    };
    const { records } = setting.open({ resolveAlias }).route53;
    await records.present([{ name: apex, value: 'known' }], setting.signal);
    const done: string[] = [];
    const values = [hanging, other].map((name) => ({ name, value: 'v' }));
    const all = records.present(values, setting.signal, (name) => void done.push(name));
    const look = () => {
      setting.clock.pass(1_000);
      expect(done).toEqual([other]);
    };
    await vi.waitFor(look, { timeout: 30_000 });
    answer.resolve();
    expect((await all).failed).toEqual(new Map());
    expect(done).toEqual([other, hanging]);
    expect(setting.texts('example.com')).toHaveLength(3);
  });
});

describe('failures', () => {
  const others = valuesFor(2);

  test('a name that AWS refuses fails with its words, and the others of its zone are written', async () => {
    const { id } = setting.route53.createZone('example.com');
    const alias = {
      Name: apex,
      Type: 'CNAME' as const,
      TTL: 60,
      ResourceRecords: [{ Value: 'x.example.net' }],
    };
    // Later than DNS was asked where the name leads to.
    const stop = setting.journal.before(async (call) => {
      if (call.action !== 'ListResourceRecordSets') return;
      stop();
      await setting.write(id, create(alias));
    });
    const { failed } = await setting
      .connect()
      .present([{ name: apex, value: 'v' }, ...others], setting.signal);
    expect(codes(failed)).toEqual({ [apex]: 'Failed' });
    expect(failed.get(apex)?.message).toContain('conflicting RRSet of type CNAME');
    expect(setting.texts('example.com')).toHaveLength(2);
  });

  test('a name that is refused beside one that was raced fails alone', async () => {
    const { id } = setting.route53.createZone('example.com');
    const alias = {
      Name: apex,
      Type: 'CNAME' as const,
      TTL: 60,
      ResourceRecords: [{ Value: 'x.example.net' }],
    };
    const [{ name: raced } = { name: '' }] = others;
    const stop = setting.journal.before(async (call) => {
      if (call.action !== 'ChangeResourceRecordSets' || call.principal !== 'issue') return;
      stop();
      await setting.write(id, create(alias), create(txt(raced, 60, '"theirs"')));
    });
    const values = [{ name: apex, value: 'v' }, ...others];
    const { failed } = await setting.connect().present(values, setting.signal);
    expect(codes(failed)).toEqual({ [apex]: 'Failed' });
    expect(setting.texts('example.com')[0]).toBe(`${raced}. 60 "theirs" "apex-0" "wildcard-0"`);
  });

  test('a name that somebody else never stops changing is a Conflict, and the others of its zone are written', async () => {
    const { id } = setting.route53.createZone('example.com');
    let turns = 0;
    setting.journal.before(async (call) => {
      if (call.action !== 'ChangeResourceRecordSets' || call.principal !== 'issue') return;
      turns += 1;
      await setting.write(id, upsert(txt(apex, 60, `"turn ${turns}"`)));
    });
    const { failed } = await setting
      .connect()
      .present([{ name: apex, value: 'v' }, ...others], setting.signal);
    expect(codes(failed)).toEqual({ [apex]: 'Conflict' });
    expect(setting.texts('example.com')).toHaveLength(3);
    // Nine rounds that lost, each after a longer pause, and one without the name.
    expect(setting.count('ChangeResourceRecordSets')).toBe(10);
    expect(setting.clock.slept).toEqual([187.5, 375, 750, 1500, 3000, 3750, 3750, 3750]);
  });

  test('a zone that is still changing is tried again', async () => {
    setting.route53.createZone('example.com');
    setting.faults.set(
      'route53',
      'ChangeResourceRecordSets',
      { kind: 'error', code: 'PriorRequestNotComplete', status: 400 },
      3,
    );
    expect((await setting.connect().present(others, setting.signal)).failed).toEqual(new Map());
    expect(setting.count('ChangeResourceRecordSets')).toBe(4);
  });

  test('an answer that is lost is asked for again, and the values are there once', async () => {
    setting.route53.createZone('example.com');
    setting.faults.set('route53', 'ChangeResourceRecordSets', { kind: 'lose' });
    const { failed } = await setting
      .connect({ maxAttempts: 3 })
      .present([{ name: apex, value: 'v' }], setting.signal);
    expect(failed).toEqual(new Map());
    expect(setting.texts('example.com')).toEqual([`${apex}. 60 "v"`]);
  });

  const refusals = [
    { code: 'Throttling', status: 400, expected: 'Throttled' },
    { code: 'AccessDenied', status: 403, expected: 'Denied' },
    { code: 'ServiceUnavailable', status: 503, expected: 'Failed' },
  ];
  test.each(refusals)('$code in one zone is $expected for its names, and other zones are written', async ({
    code,
    status,
    expected,
  }) => {
    const { id } = setting.route53.createZone('example.com');
    setting.route53.createZone('example.net');
    setting.faults.set('route53', 'ChangeResourceRecordSets', { kind: 'error', code, status }, 1, (arn) =>
      arn.endsWith(id),
    );
    const values = [{ name: apex, value: 'v' }, ...valuesFor(1, 'example.net')];
    const { failed } = await setting.connect().present(values, setting.signal);
    expect(codes(failed)).toEqual({ [apex]: expected });
    expect(failed.get(apex)?.message).toContain('ChangeResourceRecordSets on hosted zone example.com');
    expect(setting.texts('example.net')).toHaveLength(1);
  });

  test('a throttled request is tried again by the SDK', async () => {
    setting.route53.createZone('example.com');
    setting.faults.set('route53', 'ListHostedZones', {
      kind: 'error',
      code: 'Throttling',
      status: 400,
      message: 'Rate exceeded',
    });
    const { failed } = await setting.connect({ maxAttempts: 2 }).present(others, setting.signal);
    expect(failed).toEqual(new Map());
  });

  test('zones that could not be listed are listed again at the next request', async () => {
    setting.route53.createZone('example.com');
    setting.faults.set('route53', 'ListHostedZones', { kind: 'error', code: 'AccessDenied', status: 403 });
    const records = setting.connect();
    const { failed } = await records.present(others, setting.signal);
    expect(Object.values(codes(failed))).toEqual(['Denied', 'Denied']);
    expect((await records.present(others, setting.signal)).failed).toEqual(new Map());
  });

  test.each([
    'ListHostedZones',
    'ListResourceRecordSets',
    'ChangeResourceRecordSets',
    'GetChange',
  ])('a run that ends at %s tells it of every name that is not done', async (action) => {
    setting.route53.createZone('example.com');
    const run = new AbortController();
    setting.journal.before((call) => {
      if (call.action === action) run.abort(new Error('out of time'));
    });
    const { failed } = await setting.connect().present(others, run.signal);
    expect(Object.values(codes(failed))).toEqual(['Failed', 'Failed']);
    expect([...failed.values()].map((error) => error.cause)).toEqual([run.signal.reason, run.signal.reason]);
  });
});
