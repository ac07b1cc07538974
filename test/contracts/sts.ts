// What AWS promises of roles in other accounts: AssumeRole, and what the hosted zones of Route 53 look like
// in a role's name; held against the sandbox's and against moto.
import {
  type Change,
  ChangeResourceRecordSetsCommand,
  GetChangeCommand,
  ListHostedZonesCommand,
  ListResourceRecordSetsCommand,
  Route53Client,
  type Route53ClientConfig,
} from '@aws-sdk/client-route-53';
import { AssumeRoleCommand, type AssumeRoleCommandInput, type STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { promisesOf } from './promise.ts';

/** Two accounts: the caller's own, and one with roles. */
export interface Subject {
  readonly sts: STSClient;
  /** Of Route 53, without credentials. */
  readonly route53: Route53ClientConfig;
  /** What the caller itself signs with. */
  readonly credentials: NonNullable<Route53ClientConfig['credentials']>;
  /** Roles of the other account: that trusts the caller where the external id is `shared`, and that trusts
   *  somebody else. */
  readonly roles: { readonly open: string; readonly closed: string };
  /** Makes a public hosted zone in the other account, and gives its id. */
  createZone(name: string): Promise<string>;
  stop(): Promise<void>;
}

/** @param weaker Titles of the promises that this part is known to break: there the test must fail. */
export function stsContract(
  part: string,
  start: () => Promise<Subject>,
  weaker: ReadonlySet<string> = new Set(),
): void {
  const promise = promisesOf(weaker);

  describe(`roles of other accounts (${part})`, () => {
    let subject: Subject;
    let zone: string;
    beforeAll(async () => {
      subject = await start();
      zone = await subject.createZone('elsewhere.example');
    });
    afterAll(() => subject.stop());

    const assume = (input: Partial<AssumeRoleCommandInput> = {}) =>
      subject.sts.send(
        new AssumeRoleCommand({
          RoleArn: subject.roles.open,
          RoleSessionName: 'contract',
          ExternalId: 'shared',
          ...input,
        }),
      );
    const refusal = (input: Partial<AssumeRoleCommandInput>) =>
      assume(input).then(
        () => 'none',
        (error: Error) => error.name,
      );
    async function connect(token?: string): Promise<Route53Client> {
      const { Credentials } = await assume();
      const credentials = {
        accessKeyId: Credentials?.AccessKeyId ?? '',
        secretAccessKey: Credentials?.SecretAccessKey ?? '',
        sessionToken: token ?? Credentials?.SessionToken ?? '',
      };
      return new Route53Client({ ...subject.route53, credentials });
    }
    const own = () => new Route53Client({ ...subject.route53, credentials: subject.credentials });
    const zonesOf = async (client: Route53Client) =>
      (await client.send(new ListHostedZonesCommand({}))).HostedZones?.map(({ Name }) => Name);

    promise('AssumeRole gives credentials for an hour, and the ARN of the session', async () => {
      const askedAt = Date.now();
      const { Credentials, AssumedRoleUser } = await assume();
      expect(Credentials).toMatchObject({
        AccessKeyId: expect.stringMatching(/^ASIA/),
        SecretAccessKey: expect.stringMatching(/./),
        SessionToken: expect.stringMatching(/./),
      });
      const seconds = ((Credentials?.Expiration?.getTime() ?? 0) - askedAt) / 1000;
      expect(Math.abs(seconds - 3600)).toBeLessThan(60);
      const [, , , , account, role] = subject.roles.open.split(':');
      const arn = `arn:aws:sts::${account}:assumed-${role}/contract`;
      expect(AssumedRoleUser).toMatchObject({ Arn: arn, AssumedRoleId: expect.stringMatching(/:contract$/) });
    });

    promise('a role sees the zones of its own account, and nobody those of another', async () => {
      expect(await zonesOf(await connect())).toEqual(['elsewhere.example.']);
      expect(await zonesOf(own())).toEqual([]);
    });

    promise('a role changes a zone of its own account and can ask for the change', async () => {
      const client = await connect();
      const change: Change = {
        Action: 'CREATE',
        ResourceRecordSet: {
          Name: '_acme-challenge.elsewhere.example',
          Type: 'TXT',
          TTL: 60,
          ResourceRecords: [{ Value: '"v"' }],
        },
      };
      const batch = { HostedZoneId: zone, ChangeBatch: { Changes: [change] } };
      const { ChangeInfo } = await client.send(new ChangeResourceRecordSetsCommand(batch));
      const asked = await client.send(new GetChangeCommand({ Id: ChangeInfo?.Id }));
      expect(asked.ChangeInfo?.Status).toMatch(/^(PENDING|INSYNC)$/);
    });

    promise('a zone of another account is AccessDenied', async () => {
      const command = new ListResourceRecordSetsCommand({ HostedZoneId: zone });
      await expect(own().send(command)).rejects.toMatchObject({ name: 'AccessDenied' });
    });

    promise('a role that trusts somebody else, and one that is not there, are refused alike', async () => {
      expect(await refusal({ RoleArn: subject.roles.closed })).toBe('AccessDenied');
      expect(await refusal({ RoleArn: `${subject.roles.open}-not` })).toBe('AccessDenied');
    });

    promise('a role that asks for an external id is refused with another, or none', async () => {
      expect(await refusal({ ExternalId: 'another' })).toBe('AccessDenied');
      expect(await refusal({ ExternalId: undefined })).toBe('AccessDenied');
    });

    promise('a refusal names who was refused, and which role', async () => {
      const refused = assume({ RoleArn: subject.roles.closed });
      await expect(refused).rejects.toThrow(
        /^User: arn:aws:sts::\d{12}:assumed-role\/\S+ is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::/,
      );
    });

    promise('a session has a name of 2 to 64 characters, and none is passed over', async () => {
      const longest = 'x'.repeat(64);
      for (const name of ['a b', 'a/b', 'x', `${longest}x`]) {
        expect(await refusal({ RoleSessionName: name }), name).toBe('ValidationError');
      }
      expect(await refusal({ RoleSessionName: longest })).toBe('none');
    });

    promise(
      'a session is 15 minutes long at least, and an hour at most where a role assumes it',
      async () => {
        const answers = [899, 900, 3600, 3601].map((DurationSeconds) => refusal({ DurationSeconds }));
        expect(await Promise.all(answers)).toEqual(['ValidationError', 'none', 'none', 'ValidationError']);
      },
    );

    promise("a session's key without its token is refused", async () => {
      await expect(zonesOf(await connect('another'))).rejects.toMatchObject({
        name: 'InvalidClientTokenId',
      });
    });
  });
}
