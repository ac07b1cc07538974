// What Route 53 promises by its documentation; held against the sandbox's and against moto.
import {
  type Change,
  ChangeResourceRecordSetsCommand,
  GetChangeCommand,
  GetHostedZoneCommand,
  ListHostedZonesByNameCommand,
  ListHostedZonesCommand,
  ListResourceRecordSetsCommand,
  type ResourceRecordSet,
  type Route53Client,
} from '@aws-sdk/client-route-53';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { promisesOf } from './promise.ts';

/** One Route 53 to hold the promises against. */
export interface Subject {
  readonly client: Route53Client;
  /** Makes a public hosted zone and gives its id. */
  createZone(name: string): Promise<string>;
  stop(): Promise<void>;
}

/** @param weaker Titles of the promises that this part is known to break: there the test must fail. */
export function route53Contract(
  part: string,
  start: () => Promise<Subject>,
  weaker: ReadonlySet<string> = new Set(),
): void {
  const promise = promisesOf(weaker);

  describe(`Route 53 (${part})`, () => {
    let subject: Subject;
    let zones = 0;
    beforeAll(async () => {
      subject = await start();
    });
    afterAll(() => subject.stop());

    /** A new zone, so that no test sees another's records. */
    async function newZone(): Promise<{ id: string; name: string }> {
      zones += 1;
      const name = `zone${zones}.example.com`;
      return { id: await subject.createZone(name), name };
    }
    const change = (id: string, ...changes: readonly Change[]) =>
      subject.client.send(
        new ChangeResourceRecordSetsCommand({ HostedZoneId: id, ChangeBatch: { Changes: [...changes] } }),
      );
    const list = async (id: string, query: object = {}) =>
      subject.client.send(new ListResourceRecordSetsCommand({ HostedZoneId: id, ...query }));
    const textsOf = async (id: string) =>
      (await list(id)).ResourceRecordSets?.filter((set) => set.Type === 'TXT');

    promise('zones are listed 100 a page, each page from the marker of the one before', async () => {
      for (let n = 0; n < 101; n += 1) await subject.createZone(`page${n}.example.org`);
      const first = await subject.client.send(new ListHostedZonesCommand({}));
      expect(first.HostedZones).toHaveLength(100);
      expect(first.IsTruncated).toBe(true);
      const second = await subject.client.send(new ListHostedZonesCommand({ Marker: first.NextMarker }));
      const ids = [...(first.HostedZones ?? []), ...(second.HostedZones ?? [])].map((zone) => zone.Id);
      expect(new Set(ids).size).toBe(ids.length);
      expect(second.IsTruncated).toBe(false);
      expect(second.HostedZones?.at(-1)).toMatchObject({
        Name: 'page100.example.org.',
        ResourceRecordSetCount: 2,
        Config: { PrivateZone: false },
      });
    });

    promise('zones are listed by name with the labels reversed, from the name asked for on', async () => {
      for (const name of ['b.order.example.net', 'order.example.net', 'a.order.example.net']) {
        await subject.createZone(name);
      }
      const answer = await subject.client.send(
        new ListHostedZonesByNameCommand({ DNSName: 'order.example.net', MaxItems: 3 }),
      );
      expect(answer.HostedZones?.map((zone) => zone.Name)).toEqual([
        'order.example.net.',
        'a.order.example.net.',
        'b.order.example.net.',
      ]);
    });

    promise('a zone tells its delegation set, which is its NS record set', async () => {
      const { id, name } = await newZone();
      const zone = await subject.client.send(new GetHostedZoneCommand({ Id: id }));
      expect(zone.HostedZone?.Name).toBe(`${name}.`);
      const servers = zone.DelegationSet?.NameServers ?? [];
      expect(servers.length).toBeGreaterThan(0);
      const apex = (await list(id)).ResourceRecordSets?.find((set) => set.Type === 'NS');
      expect(apex?.ResourceRecords?.map((record) => record.Value?.replace(/\.$/, '')).toSorted()).toEqual(
        servers.map((server) => server.replace(/\.$/, '')).toSorted(),
      );
    });

    promise('a zone that does not exist is NoSuchHostedZone', async () => {
      await expect(list('Z0000000000000NONE')).rejects.toMatchObject({ name: 'NoSuchHostedZone' });
    });

    promise('a change can be asked for until it is INSYNC', async () => {
      const { id, name } = await newZone();
      const { ChangeInfo } = await change(id, create(txt(`a.${name}`, ['"1"'])));
      expect(ChangeInfo?.Id).toMatch(/^\/change\/C/);
      const asked = await subject.client.send(new GetChangeCommand({ Id: ChangeInfo?.Id }));
      expect(asked.ChangeInfo?.Status).toBe('INSYNC');
    });

    promise('a change that was never made is NoSuchChange', async () => {
      await expect(
        subject.client.send(new GetChangeCommand({ Id: 'C00000000000NONE' })),
      ).rejects.toMatchObject({ name: 'NoSuchChange' });
    });

    promise(
      'CREATE of a set that is there is refused by its name, and nothing of the batch is done',
      async () => {
        const { id, name } = await newZone();
        await change(id, create(txt(`taken.${name}`, ['"1"'])));
        await expect(
          change(id, create(txt(`new.${name}`, ['"2"'])), create(txt(`taken.${name}`, ['"2"']))),
        ).rejects.toMatchObject({
          name: 'InvalidChangeBatch',
          message: expect.stringContaining(
            `Tried to create resource record set [name='taken.${name}.', type='TXT'] but it already exists`,
          ),
        });
        expect(await textsOf(id)).toEqual([txt(`taken.${name}.`, ['"1"'])]);
      },
    );

    describe('DELETE needs the set exactly', () => {
      const cases: readonly [string, (name: string) => ResourceRecordSet, string | undefined][] = [
        ['the same values in another order', (name) => txt(name, ['"b"', '"a"']), undefined],
        ['a value missing', (name) => txt(name, ['"a"']), 'do not match'],
        ['a value too many', (name) => txt(name, ['"a"', '"b"', '"c"']), 'do not match'],
        ['another TTL', (name) => ({ ...txt(name, ['"a"', '"b"']), TTL: 61 }), 'do not match'],
        ['another name', (name) => txt(`other.${name}`, ['"a"', '"b"']), 'not found'],
      ];
      for (const [title, setOf, refusal] of cases) {
        promise(title, async () => {
          const { id, name } = await newZone();
          await change(id, create(txt(`x.${name}`, ['"a"', '"b"'])));
          const attempt = change(id, { Action: 'DELETE', ResourceRecordSet: setOf(`x.${name}`) });
          if (refusal === undefined) await attempt;
          else
            await expect(attempt).rejects.toMatchObject({
              name: 'InvalidChangeBatch',
              message: expect.stringContaining(refusal),
            });
          expect(await textsOf(id)).toHaveLength(refusal === undefined ? 0 : 1);
        });
      }
    });

    promise('UPSERT replaces the whole set, or makes it', async () => {
      const { id, name } = await newZone();
      await change(id, upsert(txt(`x.${name}`, ['"a"', '"b"'])));
      await change(id, upsert(txt(`x.${name}`, ['"c"'])));
      expect(await textsOf(id)).toEqual([txt(`x.${name}.`, ['"c"'])]);
    });

    promise('one set may be deleted and then created in a batch', async () => {
      const { id, name } = await newZone();
      await change(id, create(txt(`x.${name}`, ['"a"'])));
      await change(id, remove(txt(`x.${name}`, ['"a"'])), create(txt(`x.${name}`, ['"a"', '"b"'])));
      expect(await textsOf(id)).toEqual([txt(`x.${name}.`, ['"a"', '"b"'])]);
    });

    promise('one set may not be changed twice otherwise', async () => {
      const { id, name } = await newZone();
      const set = txt(`x.${name}`, ['"a"']);
      for (const pair of [
        [upsert(set), upsert(set)],
        [create(set), remove(set)],
        [create(set), upsert(set)],
      ]) {
        await expect(change(id, ...pair)).rejects.toMatchObject({
          name: 'InvalidChangeBatch',
          message: expect.stringContaining(`'TXT x.${name}.'`),
        });
      }
    });

    describe('a batch has its limits', () => {
      const values = (count: number, length: number) =>
        Array.from({ length: count }, (_, n) => `"${String(n).padStart(length - 2, 'x')}"`);
      const cases: readonly [string, (name: string) => Change[], string | undefined][] = [
        ['1000 records pass', (name) => [create(txt(name, values(1000, 6)))], undefined],
        ['1001 records are refused', (name) => [create(txt(name, values(1001, 6)))], '1000'],
        ['500 records upserted pass', (name) => [upsert(txt(name, values(500, 6)))], undefined],
        ['501 records upserted are refused', (name) => [upsert(txt(name, values(501, 6)))], '1000'],
        ['32 000 characters pass', (name) => [create(txt(name, values(160, 200)))], undefined],
        [
          '32 001 characters are refused',
          (name) => [create(txt(name, [...values(159, 200), ...values(1, 201)]))],
          '32000',
        ],
        [
          '16 001 characters upserted are refused',
          (name) => [upsert(txt(name, [...values(79, 200), ...values(1, 201)]))],
          '32000',
        ],
      ];
      for (const [title, changesOf, refusal] of cases) {
        promise(title, async () => {
          const { id, name } = await newZone();
          const attempt = change(id, ...changesOf(`x.${name}`));
          if (refusal === undefined) await attempt;
          else
            await expect(attempt).rejects.toMatchObject({
              name: 'InvalidChangeBatch',
              message: expect.stringContaining(refusal),
            });
        });
      }
    });

    describe('a TXT value is quoted strings of at most 255 bytes', () => {
      const cases: readonly [string, string, boolean][] = [
        ['one string', '"abc"', true],
        ['several strings', '"abc" "def"', true],
        ['an escaped quotation mark and backslash', '"a\\"b\\\\c"', true],
        ['an octal escape', '"caf\\303\\251"', true],
        ['255 bytes', `"${'x'.repeat(255)}"`, true],
        ['255 bytes by an escape', `"${'x'.repeat(254)}\\101"`, true],
        ['256 bytes', `"${'x'.repeat(256)}"`, false],
        ['no quotation marks', 'abc', false],
        ['one quotation mark', '"abc', false],
        ['a quotation mark inside', '"a"b"', false],
        ['no space between strings', '"a""b"', false],
        ['an octal escape over 377', '"\\400"', false],
        ['a character that is not ASCII', '"café"', false],
      ];
      for (const [title, value, isTaken] of cases) {
        promise(`${title}: ${isTaken ? 'taken as it is' : 'refused'}`, async () => {
          const { id, name } = await newZone();
          const attempt = change(id, create(txt(`x.${name}`, [value])));
          if (!isTaken) {
            await expect(attempt).rejects.toMatchObject({
              name: 'InvalidChangeBatch',
              message: expect.stringContaining('Invalid Resource Record'),
            });
            return;
          }
          await attempt;
          expect(await textsOf(id)).toEqual([txt(`x.${name}.`, [value])]);
        });
      }
    });

    describe('a CAA value is flags, a tag and one quoted string', () => {
      const cases: readonly [string, string, boolean][] = [
        ['a CA that may issue', '0 issue "ca.example.net"', true],
        ['a parameter', '128 issuewild "ca.example.net; account=1"', true],
        ['nobody', '0 issue ";"', true],
        ['flags over 255', '256 issue "ca.example.net"', false],
        ['no quotation marks', '0 issue ca.example.net', false],
        ['no tag', '0 "ca.example.net"', false],
      ];
      for (const [title, value, isTaken] of cases) {
        promise(`${title} in CAA: ${isTaken ? 'taken as it is' : 'refused'}`, async () => {
          const { id, name } = await newZone();
          const set = {
            Name: `x.${name}`,
            Type: 'CAA' as const,
            TTL: 60,
            ResourceRecords: [{ Value: value }],
          };
          const attempt = change(id, create(set));
          if (isTaken) await attempt;
          else await expect(attempt).rejects.toMatchObject({ name: 'InvalidChangeBatch' });
          const sets = (await list(id)).ResourceRecordSets?.filter((one) => one.Type === 'CAA');
          expect(sets).toEqual(isTaken ? [{ ...set, Name: `${set.Name}.` }] : []);
        });
      }
    });

    promise('a value twice in one set is refused', async () => {
      const { id, name } = await newZone();
      await expect(change(id, create(txt(`x.${name}`, ['"a"', '"a"'])))).rejects.toMatchObject({
        name: 'InvalidChangeBatch',
      });
    });

    promise('a CNAME beside another type is refused, whichever comes first', async () => {
      const { id, name } = await newZone();
      const alias = (at: string) => ({
        Name: at,
        Type: 'CNAME' as const,
        TTL: 60,
        ResourceRecords: [{ Value: 'o.example.' }],
      });
      await change(id, create(txt(`x.${name}`, ['"a"'])), create(alias(`y.${name}`)));
      for (const set of [alias(`x.${name}`), txt(`y.${name}`, ['"a"']), alias(name)]) {
        await expect(change(id, create(set))).rejects.toMatchObject({ name: 'InvalidChangeBatch' });
      }
    });

    promise('a name outside the zone is refused by its name', async () => {
      const { id } = await newZone();
      await expect(change(id, create(txt('x.example.net', ['"a"'])))).rejects.toMatchObject({
        name: 'InvalidChangeBatch',
        message: expect.stringMatching(/x\.example\.net\.? is not permitted in zone/),
      });
    });

    promise('simple and multivalue answer sets exclude each other at one name', async () => {
      const { id, name } = await newZone();
      const multi = (at: string, value: string) => ({
        ...txt(at, [value]),
        SetIdentifier: value,
        MultiValueAnswer: true,
      });
      await change(id, create(txt(`x.${name}`, ['"a"'])), create(multi(`y.${name}`, '"a"')));
      await change(id, create(multi(`y.${name}`, '"b"')));
      await expect(change(id, create(multi(`x.${name}`, '"b"')))).rejects.toMatchObject({
        name: 'InvalidChangeBatch',
      });
      await expect(change(id, create(txt(`y.${name}`, ['"b"'])))).rejects.toMatchObject({
        name: 'InvalidChangeBatch',
      });
    });

    promise("the zone's own NS and SOA stay", async () => {
      const { id } = await newZone();
      for (const set of (await list(id)).ResourceRecordSets ?? []) {
        await expect(change(id, remove(set))).rejects.toMatchObject({ name: 'InvalidChangeBatch' });
      }
    });

    promise('record sets are listed 300 a page, from the name and type asked for on', async () => {
      const { id, name } = await newZone();
      const names = Array.from({ length: 300 }, (_, n) => `n${String(n).padStart(3, '0')}.${name}.`);
      await change(id, ...names.map((at) => create(txt(at, ['"a"']))));
      const first = await list(id);
      expect(first.ResourceRecordSets?.map((set) => set.Name)).toEqual([
        `${name}.`,
        `${name}.`,
        ...names.slice(0, 298),
      ]);
      expect(first).toMatchObject({ IsTruncated: true, NextRecordName: names[298], NextRecordType: 'TXT' });
      const rest = await list(id, {
        StartRecordName: first.NextRecordName,
        StartRecordType: first.NextRecordType,
      });
      expect(rest.ResourceRecordSets?.map((set) => set.Name)).toEqual(names.slice(298));
      expect(rest.IsTruncated).toBe(false);
      const one = await list(id, { StartRecordName: names[7], StartRecordType: 'TXT', MaxItems: 1 });
      expect(one.ResourceRecordSets).toEqual([txt(names[7] ?? '', ['"a"'])]);
    });

    promise('sets are listed by name with the labels reversed, then by type, `*` as \\052', async () => {
      const { id, name } = await newZone();
      await change(
        id,
        create(txt(`*.${name}`, ['"a"'])),
        create(txt(`b.a.${name}`, ['"a"'])),
        create(txt(`B.${name}`, ['"a"'])),
        create({ Name: `b.${name}`, Type: 'A', TTL: 60, ResourceRecords: [{ Value: '192.0.2.1' }] }),
        create(txt(`a.${name}`, ['"a"'])),
      );
      const sets = (await list(id, { StartRecordName: `*.${name}` })).ResourceRecordSets;
      expect(sets?.map((set) => `${set.Name} ${set.Type}`)).toEqual([
        `\\052.${name}. TXT`,
        `a.${name}. TXT`,
        `b.a.${name}. TXT`,
        `b.${name}. A`,
        `b.${name}. TXT`,
      ]);
    });

    promise('a type to start from without a name is InvalidInput', async () => {
      const { id } = await newZone();
      await expect(list(id, { StartRecordType: 'TXT' })).rejects.toMatchObject({ name: 'InvalidInput' });
    });
  });
}

function txt(name: string, values: readonly string[]): ResourceRecordSet {
  return { Name: name, Type: 'TXT', TTL: 60, ResourceRecords: values.map((Value) => ({ Value })) };
}

function create(set: ResourceRecordSet): Change {
  return { Action: 'CREATE', ResourceRecordSet: set };
}

function upsert(set: ResourceRecordSet): Change {
  return { Action: 'UPSERT', ResourceRecordSet: set };
}

function remove(set: ResourceRecordSet): Change {
  return { Action: 'DELETE', ResourceRecordSet: set };
}
