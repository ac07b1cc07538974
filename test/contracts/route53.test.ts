// The sandbox's Route 53 keeps the contract, and what only it can be asked: signatures, rates, and the DNS
// behind it.
import { Resolver } from 'node:dns/promises';
import {
  ChangeResourceRecordSetsCommand,
  GetChangeCommand,
  GetHostedZoneCommand,
  ListHostedZonesCommand,
  Route53Client,
} from '@aws-sdk/client-route-53';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type SandboxDns, startDns } from '../sandbox/dns/server.ts';
import { Faults } from '../sandbox/faults.ts';
import { Journal } from '../sandbox/journal.ts';
import { accessKeyOf } from '../sandbox/principal.ts';
import { type SandboxRoute53, startRoute53 } from '../sandbox/route53/server.ts';
import { route53Contract } from './route53.ts';

function connect(url: string): Route53Client {
  return new Route53Client({
    endpoint: url,
    region: 'eu-central-1',
    credentials: { accessKeyId: accessKeyOf('issue'), secretAccessKey: 'none' },
    maxAttempts: 1,
  });
}

route53Contract('sandbox', async () => {
  const route53 = await startRoute53(
    { dns: { serve: () => undefined } },
    { journal: new Journal(), faults: new Faults() },
  );
  return {
    client: connect(route53.url),
    createZone: (name) => Promise.resolve(route53.createZone(name).id),
    stop: () => route53.stop(),
  };
});

describe("the sandbox's Route 53", () => {
  const journal = new Journal();
  const faults = new Faults();
  let now = Date.UTC(2030, 0, 1);
  let dns: SandboxDns;
  let route53: SandboxRoute53;
  let client: Route53Client;
  let resolver: Resolver;

  beforeEach(async () => {
    journal.clear();
    dns = await startDns({ journal, faults });
    route53 = await startRoute53({ dns, now: () => now }, { journal, faults });
    client = connect(route53.url);
    resolver = new Resolver({ timeout: 500, tries: 1 });
    resolver.setServers([dns.address]);
  });
  afterEach(async () => {
    await Promise.all([dns.stop(), route53.stop()]);
    faults.clear();
  });

  const put = (
    zone: string,
    name: string,
    type: 'A' | 'AAAA' | 'TXT' | 'CNAME' | 'NS' | 'CAA',
    ...values: string[]
  ) =>
    client.send(
      new ChangeResourceRecordSetsCommand({
        HostedZoneId: zone,
        ChangeBatch: {
          Changes: [
            {
              Action: 'UPSERT',
              ResourceRecordSet: {
                Name: name,
                Type: type,
                TTL: 60,
                ResourceRecords: values.map((Value) => ({ Value })),
              },
            },
          ],
        },
      }),
    );

  test('DNS answers a change when it is INSYNC, and not before', async () => {
    const zone = route53.createZone('example.com');
    route53.settings.insyncMs = 30_000;
    const { ChangeInfo } = await put(zone.id, 'x.example.com', 'TXT', '"v"');
    const status = async () =>
      (await client.send(new GetChangeCommand({ Id: ChangeInfo?.Id }))).ChangeInfo?.Status;
    now += 29_999;
    expect(ChangeInfo?.Status).toBe('PENDING');
    expect(await status()).toBe('PENDING');
    await expect(resolver.resolveTxt('x.example.com')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    now += 1;
    expect(await status()).toBe('INSYNC');
    expect(await resolver.resolveTxt('x.example.com')).toEqual([['v']]);
  });

  // node:dns gives the bytes of a TXT string as Latin-1.
  test('DNS answers NS, SOA, A, AAAA, TXT and CNAME across zones, in any letter case', async () => {
    const [one, two] = [route53.createZone('one.example'), route53.createZone('two.example')];
    await put(one.id, '_acme-challenge.one.example', 'CNAME', 'x.two.example.');
    await put(two.id, 'x.two.example', 'TXT', `"${'a'.repeat(255)}" "b\\"\\\\\\303\\251"`, '"second"');
    await put(two.id, 'x.two.example', 'A', '192.0.2.1');
    await put(two.id, 'x.two.example', 'AAAA', '2001:db8::1');
    expect(await resolver.resolveTxt('_ACME-challenge.One.example')).toEqual([
      ['a'.repeat(255), 'b"\\Ã©'],
      ['second'],
    ]);
    expect(await resolver.resolve4('_acme-challenge.one.example')).toEqual(['192.0.2.1']);
    expect(await resolver.resolve6('x.two.example')).toEqual(['2001:db8::1']);
    expect(await resolver.resolveCname('_acme-challenge.one.example')).toEqual(['x.two.example']);
    expect((await resolver.resolveNs('one.example')).toSorted()).toEqual(
      one.nameServers.map((server) => server.slice(0, -1)),
    );
    expect(await resolver.resolve4('ns-3.sandbox.example')).toEqual(['127.0.0.1']);
    expect((await resolver.resolveSoa('one.example')).nsname).toBe('ns-1.sandbox.example');
  });

  test('DNS answers CAA, through a CNAME too', async () => {
    const [one, two] = [route53.createZone('one.example'), route53.createZone('two.example')];
    await put(one.id, 'www.one.example', 'CNAME', 'x.two.example.');
    await put(two.id, 'x.two.example', 'CAA', '0 issue "ca.example; a=b"', '128 issuewild ";"');
    const records = await resolver.resolveCaa('www.one.example');
    expect(records.map((record) => ({ ...record }))).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ critical: 0, issue: 'ca.example; a=b' }),
        expect.objectContaining({ critical: 128, issuewild: ';' }),
      ]),
    );
    await expect(resolver.resolveCaa('one.example')).rejects.toMatchObject({ code: 'ENODATA' });
    await expect(resolver.resolveCaa('example')).rejects.toMatchObject({ code: 'ENODATA' });
  });

  test('of two zones of one name, each has a delegation set of its own, and DNS answers the one it leads to', async () => {
    const idle = route53.createZone('example.com', { delegated: false });
    const used = route53.createZone('example.com');
    await put(idle.id, 'x.example.com', 'TXT', '"idle"');
    await put(used.id, 'x.example.com', 'TXT', '"used"');
    expect(await resolver.resolveTxt('x.example.com')).toEqual([['used']]);
    const sets = await Promise.all(
      [idle, used].map(
        async ({ id }) => (await client.send(new GetHostedZoneCommand({ Id: id }))).DelegationSet,
      ),
    );
    const servers = sets.flatMap((set) => set?.NameServers ?? []);
    expect(new Set(servers).size).toBe(8);
    expect((await resolver.resolveNs('example.com')).toSorted()).toEqual(servers.slice(4).toSorted());
    for (const server of servers) expect(await resolver.resolve4(server)).toEqual(['127.0.0.1']);
  });

  test('a name that is not there, a type that is not there and a zone that is not there are told apart', async () => {
    const zone = route53.createZone('example.com');
    await put(zone.id, 'a.b.example.com', 'A', '192.0.2.1');
    await put(zone.id, '*.wild.example.com', 'A', '192.0.2.2');
    await put(zone.id, 'loop.example.com', 'CNAME', 'loop.example.com.');
    await expect(resolver.resolve4('none.example.com')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    await expect(resolver.resolveTxt('a.b.example.com')).rejects.toMatchObject({ code: 'ENODATA' });
    await expect(resolver.resolve4('b.example.com')).rejects.toMatchObject({ code: 'ENODATA' });
    await expect(resolver.resolve4('example.org')).rejects.toMatchObject({ code: 'EREFUSED' });
    await expect(resolver.resolve4('loop.example.com')).rejects.toMatchObject({ code: 'ESERVFAIL' });
    expect(await resolver.resolve4('any.wild.example.com')).toEqual(['192.0.2.2']);
  });

  test('an answer too long for UDP is given by TCP on the same port', async () => {
    const zone = route53.createZone('example.com');
    const values = Array.from({ length: 40 }, (_, n) => `"${String(n).padStart(43, 'x')}"`);
    await put(zone.id, 'x.example.com', 'TXT', ...values);
    expect(await resolver.resolveTxt('x.example.com')).toHaveLength(40);
    expect(journal.count({ service: 'dns', action: 'TXT' })).toBe(2);
  });

  test('a private zone is listed and not answered', async () => {
    route53.createZone('example.com', { private: true });
    const { HostedZones } = await client.send(new ListHostedZonesCommand({}));
    expect(HostedZones?.map((zone) => zone.Config?.PrivateZone)).toEqual([true]);
    await expect(resolver.resolveNs('example.com')).rejects.toMatchObject({ code: 'EREFUSED' });
  });

  test('DNS fails as it is told to', async () => {
    route53.createZone('example.com');
    faults.set('dns', 'NS', { kind: 'error', code: 'SERVFAIL', status: 0 });
    await expect(resolver.resolveNs('example.com')).rejects.toMatchObject({ code: 'ESERVFAIL' });
    faults.set('dns', 'NS', { kind: 'drop' });
    await expect(resolver.resolveNs('example.com')).rejects.toMatchObject({ code: 'ETIMEOUT' });
    expect(await resolver.resolveNs('example.com')).toHaveLength(4);
  });

  test('a request without a signature, or with one for another service, is refused', async () => {
    const ask = async (headers: Record<string, string>) => {
      const answer = await fetch(`${route53.url}/2013-04-01/hostedzone`, { headers });
      return `${answer.status} ${/<Code>(.*)<\/Code>/.exec(await answer.text())?.[1]}`;
    };
    const scope =
      'AWS4-HMAC-SHA256 Credential=AKIASANDBOXISSUE/20300101/eu-central-1/sqs/aws4_request, Signature=0';
    expect(await ask({})).toBe('403 MissingAuthenticationToken');
    expect(await ask({ authorization: scope })).toBe('403 SignatureDoesNotMatch');
  });

  test('with a rate set, what is over it is Throttling, and time gives back what may be asked', async () => {
    route53.settings.rate = { perSecond: 10, burst: 3 };
    const ask = () =>
      client.send(new ListHostedZonesCommand({})).then(
        () => 'ok',
        (error: Error) => error.name,
      );
    expect([await ask(), await ask(), await ask(), await ask()]).toEqual(['ok', 'ok', 'ok', 'Throttling']);
    now += 100;
    expect([await ask(), await ask()]).toEqual(['ok', 'Throttling']);
  });

  test('the journal tells who changed which names, types and actions in which zone', async () => {
    const zone = route53.createZone('example.com');
    await put(zone.id, '_ACME-challenge.example.com.', 'TXT', '"v"');
    expect(journal.find({ service: 'route53', action: 'ChangeResourceRecordSets' })).toMatchObject([
      {
        principal: 'issue',
        resource: `arn:aws:route53:::hostedzone/${zone.id}`,
        detail: [{ action: 'UPSERT', name: '_acme-challenge.example.com', type: 'TXT' }],
        status: 200,
      },
    ]);
  });
});
