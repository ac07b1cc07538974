// moto keeps the Route 53 contract but for the promises named here, where AWS documents more than moto 5.2.5
// enforces.
import { CreateHostedZoneCommand, Route53Client } from '@aws-sdk/client-route-53';
import { test } from 'vitest';
import { route53Contract, type Subject } from '../contracts/route53.ts';
import { locate } from './parts/locate.ts';
import { startMoto } from './parts/moto.ts';

const weaker: ReadonlySet<string> = new Set([
  'zones are listed by name with the labels reversed, from the name asked for on',
  'a change that was never made is NoSuchChange',
  'CREATE of a set that is there is refused by its name, and nothing of the batch is done',
  'the same values in another order',
  'a value missing',
  'a value too many',
  'another TTL',
  'another name',
  'one set may not be changed twice otherwise',
  '32 001 characters are refused',
  '16 001 characters upserted are refused',
  '256 bytes: refused',
  'no quotation marks: refused',
  'one quotation mark: refused',
  'a quotation mark inside: refused',
  'no space between strings: refused',
  'an octal escape over 377: refused',
  'a character that is not ASCII: refused',
  'flags over 255 in CAA: refused',
  'no quotation marks in CAA: refused',
  'no tag in CAA: refused',
  'a value twice in one set is refused',
  'a CNAME beside another type is refused, whichever comes first',
  'simple and multivalue answer sets exclude each other at one name',
  "the zone's own NS and SOA stay",
  'sets are listed by name with the labels reversed, then by type, `*` as \\052',
]);

if (locate('moto')) route53Contract('moto', start, weaker);
else test.todo('Route 53: run test/real/install moto');

async function start(): Promise<Subject> {
  const moto = await startMoto();
  const client = new Route53Client({
    endpoint: moto.endpoint,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  });
  let zones = 0;
  return {
    client,
    createZone: async (name) => {
      zones += 1;
      const command = new CreateHostedZoneCommand({ Name: name, CallerReference: `${zones}` });
      const { HostedZone } = await client.send(command);
      if (HostedZone?.Id === undefined) throw new Error('moto made no hosted zone');
      return HostedZone.Id.replace('/hostedzone/', '');
    },
    stop: () => moto.stop(),
  };
}
