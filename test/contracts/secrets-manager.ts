// What AWS documents of Secrets Manager, asked with the SDK: the double and any other endpoint must answer
// the same.
import {
  BatchGetSecretValueCommand,
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
  PutSecretValueCommand,
  RemoveRegionsFromReplicationCommand,
  RestoreSecretCommand,
  SecretsManagerClient,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { promisesOf } from './promise.ts';

/** An endpoint to try, with nothing under the names that begin with `contract/`. */
export interface Endpoint {
  readonly url: string;
  stop(): Promise<void>;
}

/** Declares the suite. Cases named in `differences` must fail there: the endpoint is known not to do what AWS
 *  documents, and a case that it has learnt is to be taken off the list. */
export function secretsManagerContract(
  title: string,
  start: () => Promise<Endpoint>,
  differences: readonly string[] = [],
): void {
  describe(title, () => {
    let endpoint: Endpoint;
    let client: SecretsManagerClient;
    let made = 0;
    const promise = promisesOf(new Set(differences));

    beforeAll(async () => {
      endpoint = await start();
      client = new SecretsManagerClient({
        endpoint: endpoint.url,
        region: 'eu-central-1',
        credentials: { accessKeyId: 'AKIASANDBOXOPERATOR', secretAccessKey: 'any' },
        maxAttempts: 1,
      });
    });
    afterAll(async () => {
      client.destroy();
      await endpoint.stop();
    });

    const token = (name: string) => name.padEnd(32, '-');
    async function make(value = 'first'): Promise<string> {
      made += 1;
      const Name = `contract/${made}`;
      // An empty value makes a secret without versions.
      const version = value === '' ? {} : { SecretString: value, ClientRequestToken: token('v1') };
      await client.send(new CreateSecretCommand({ Name, ...version }));
      return Name;
    }
    async function put(SecretId: string, version: string, value: string, labels?: string[]): Promise<void> {
      const request = {
        SecretId,
        SecretString: value,
        ClientRequestToken: token(version),
        VersionStages: labels,
      };
      await client.send(new PutSecretValueCommand(request));
    }
    async function move(
      SecretId: string,
      VersionStage: string,
      from: string | undefined,
      to: string | undefined,
    ): Promise<void> {
      const request = {
        SecretId,
        VersionStage,
        RemoveFromVersionId: from && token(from),
        MoveToVersionId: to && token(to),
      };
      await client.send(new UpdateSecretVersionStageCommand(request));
    }
    /** `AWSCURRENT=v2 AWSPREVIOUS=v1`, by label. */
    async function labels(SecretId: string): Promise<string> {
      const { VersionIdsToStages = {} } = await client.send(new DescribeSecretCommand({ SecretId }));
      return Object.entries(VersionIdsToStages)
        .flatMap(([version, held]) => held.map((label) => `${label}=${version.replace(/-+$/, '')}`))
        .sort()
        .join(' ');
    }
    async function value(SecretId: string, which: { VersionStage?: string; VersionId?: string } = {}) {
      return (await client.send(new GetSecretValueCommand({ SecretId, ...which }))).SecretString;
    }
    const refusedAs = (name: string) => expect.objectContaining({ name });

    promise('the first version takes AWSCURRENT beside the labels it is put with', async () => {
      const secret = await make('');
      await put(secret, 'v1', 'a', ['AWSPENDING']);
      expect(await labels(secret)).toBe('AWSCURRENT=v1 AWSPENDING=v1');
    });

    promise('a new version takes AWSCURRENT, and the one before takes AWSPREVIOUS', async () => {
      const secret = await make();
      await put(secret, 'v2', 'second');
      await put(secret, 'v3', 'third');
      expect(await labels(secret)).toBe('AWSCURRENT=v3 AWSPREVIOUS=v2');
      expect(await value(secret)).toBe('third');
      expect(await value(secret, { VersionStage: 'AWSPREVIOUS' })).toBe('second');
      expect(await value(secret, { VersionId: token('v1') })).toBe('first');
    });

    promise('a version put with labels takes them from other versions and leaves AWSCURRENT', async () => {
      const secret = await make();
      await put(secret, 'v2', 'second', ['PARKED']);
      await put(secret, 'v3', 'third', ['PARKED']);
      expect(await labels(secret)).toBe('AWSCURRENT=v1 PARKED=v3');
      expect(await value(secret, { VersionId: token('v2') })).toBe('second');
    });

    promise('a repeated put does nothing, labels included, even when the version was replaced', async () => {
      const secret = await make();
      await put(secret, 'v2', 'second', ['AWSCURRENT']);
      await put(secret, 'v3', 'third', ['AWSCURRENT']);
      await put(secret, 'v2', 'second', ['AWSCURRENT']);
      expect(await labels(secret)).toBe('AWSCURRENT=v3 AWSPREVIOUS=v2');
    });

    promise('a used token with another value is refused', async () => {
      const secret = await make();
      await expect(put(secret, 'v1', 'other')).rejects.toEqual(refusedAs('ResourceExistsException'));
      expect(await value(secret)).toBe('first');
    });

    promise('a free label moves to a version without naming another', async () => {
      const secret = await make();
      await put(secret, 'v2', 'second', ['PARKED']);
      await move(secret, 'AWSPENDING', undefined, 'v2');
      expect(await labels(secret)).toBe('AWSCURRENT=v1 AWSPENDING=v2 PARKED=v2');
    });

    promise(
      'a label that another version holds is refused to whoever does not name that version',
      async () => {
        const secret = await make();
        await put(secret, 'v2', 'second', ['AWSPENDING']);
        await put(secret, 'v3', 'third', ['PARKED']);
        await expect(move(secret, 'AWSPENDING', undefined, 'v3')).rejects.toEqual(
          refusedAs('InvalidParameterException'),
        );
        expect(await labels(secret)).toBe('AWSCURRENT=v1 AWSPENDING=v2 PARKED=v3');
      },
    );

    promise('a label is refused to whoever names a version that does not hold it', async () => {
      const secret = await make();
      await put(secret, 'v2', 'second', ['AWSPENDING']);
      await put(secret, 'v3', 'third', ['PARKED']);
      await expect(move(secret, 'AWSPENDING', 'v1', 'v3')).rejects.toEqual(
        refusedAs('InvalidParameterException'),
      );
      await expect(move(secret, 'AWSPENDING', 'v1', undefined)).rejects.toEqual(
        refusedAs('InvalidParameterException'),
      );
      expect(await labels(secret)).toBe('AWSCURRENT=v1 AWSPENDING=v2 PARKED=v3');
    });

    promise('a label moves from the version that holds it, and goes', async () => {
      const secret = await make();
      await put(secret, 'v2', 'second', ['AWSPENDING']);
      await put(secret, 'v3', 'third', ['PARKED']);
      await move(secret, 'AWSPENDING', 'v2', 'v3');
      expect(await labels(secret)).toBe('AWSCURRENT=v1 AWSPENDING=v3 PARKED=v3');
      await move(secret, 'AWSPENDING', 'v3', undefined);
      expect(await labels(secret)).toBe('AWSCURRENT=v1 PARKED=v3');
    });

    promise('AWSCURRENT moved back takes AWSPREVIOUS along', async () => {
      const secret = await make();
      await put(secret, 'v2', 'second');
      await move(secret, 'AWSCURRENT', 'v2', 'v1');
      expect(await labels(secret)).toBe('AWSCURRENT=v1 AWSPREVIOUS=v2');
    });

    promise('AWSCURRENT cannot be taken away', async () => {
      const secret = await make();
      await expect(move(secret, 'AWSCURRENT', 'v1', undefined)).rejects.toEqual(
        refusedAs('InvalidParameterException'),
      );
    });

    promise('what is not there is ResourceNotFoundException: secret, label, version', async () => {
      const secret = await make();
      const missing = refusedAs('ResourceNotFoundException');
      await expect(value('contract/none')).rejects.toEqual(missing);
      await expect(put('contract/none', 'v1', 'a')).rejects.toEqual(missing);
      await expect(labels('contract/none')).rejects.toEqual(missing);
      await expect(value(secret, { VersionStage: 'AWSPENDING' })).rejects.toEqual(missing);
      await expect(value(secret, { VersionId: token('v9') })).rejects.toEqual(missing);
      await expect(value(await make(''))).rejects.toEqual(missing);
      await expect(move(secret, 'AWSPENDING', undefined, 'v9')).rejects.toEqual(
        expect.objectContaining({
          name: expect.stringMatching(/^(ResourceNotFound|InvalidParameter)Exception$/),
        }),
      );
    });

    promise('a name is taken once, and the lost answer of making it is given again', async () => {
      const Name = await make('same');
      const again = { Name, SecretString: 'same', ClientRequestToken: token('v1') };
      await expect(client.send(new CreateSecretCommand(again))).resolves.toMatchObject({ Name });
      const other = { Name, SecretString: 'same', ClientRequestToken: token('v2') };
      await expect(client.send(new CreateSecretCommand(other))).rejects.toEqual(
        refusedAs('ResourceExistsException'),
      );
    });

    promise('a secret is found by its ARN, which ends in six letters or digits', async () => {
      const secret = await make();
      const { ARN = '' } = await client.send(new DescribeSecretCommand({ SecretId: secret }));
      expect(ARN).toMatch(new RegExp(`:secret:${secret}-[A-Za-z0-9]{6}$`));
      expect(await value(ARN)).toBe('first');
    });

    promise('a value has at most 65,536 bytes', async () => {
      const secret = await make();
      await put(secret, 'v2', 'ü'.repeat(32_768));
      await expect(put(secret, 'v3', `${'ü'.repeat(32_768)}x`)).rejects.toThrow();
    });

    promise('a token has 32 to 64 characters', async () => {
      const secret = await make();
      const send = (length: number) =>
        client.send(
          new PutSecretValueCommand({
            SecretId: secret,
            SecretString: 'a',
            ClientRequestToken: 't'.repeat(length),
          }),
        );
      await expect(send(31)).rejects.toThrow();
      await send(32);
      await send(64);
      await expect(send(65)).rejects.toThrow();
    });

    promise('a name has letters, digits and /_+=.@- only', async () => {
      const send = (Name: string) => client.send(new CreateSecretCommand({ Name }));
      await send('contract/name_+=.@-1');
      await expect(send('contract/a b')).rejects.toThrow();
      await expect(send('contract/a:b')).rejects.toThrow();
    });

    promise('tags are added, replaced and taken away', async () => {
      const secret = await make();
      const tag = (Tags: { Key: string; Value: string }[]) =>
        client.send(new TagResourceCommand({ SecretId: secret, Tags }));
      await tag([
        { Key: 'a', Value: '1' },
        { Key: 'b', Value: '' },
      ]);
      await tag([{ Key: 'a', Value: '2' }]);
      await client.send(new UntagResourceCommand({ SecretId: secret, TagKeys: ['b', 'none'] }));
      const { Tags } = await client.send(new DescribeSecretCommand({ SecretId: secret }));
      expect(Tags).toEqual([{ Key: 'a', Value: '2' }]);
    });

    const tagCases: [title: string, tags: { Key: string; Value: string }[], allowed: boolean][] = [
      ['every mark of + - = . _ : / @, letters, digits and a space', [tagOf('a:b', 'ß 1+-=._:/@')], true],
      ['a question mark', [tagOf('a', 'x?y')], false],
      ['a line feed', [tagOf('a', 'x\ny')], false],
      ['a value of 256', [tagOf('a', 'x'.repeat(256))], true],
      ['a value of 257', [tagOf('a', 'x'.repeat(257))], false],
      ['a key of 128', [tagOf('k'.repeat(128), '')], true],
      ['a key of 129', [tagOf('k'.repeat(129), '')], false],
      ['a key that begins with aws:', [tagOf('aws:x', '')], false],
      ['50 tags', Array.from({ length: 50 }, (_, i) => tagOf(`k${i}`, '')), true],
      ['51 tags', Array.from({ length: 51 }, (_, i) => tagOf(`k${i}`, '')), false],
    ];
    for (const [what, Tags, allowed] of tagCases) {
      promise(`tags: ${what} is ${allowed ? 'taken' : 'refused'}`, async () => {
        const sent = client.send(new TagResourceCommand({ SecretId: await make(), Tags }));
        await (allowed ? sent : expect(sent).rejects.toThrow());
      });
    }

    promise('listing by name prefix gives every secret once, with its tags and labels', async () => {
      const names = Array.from({ length: 103 }, (_, i) => `contract/list/${String(i).padStart(3, '0')}`);
      for (const Name of [...names, 'contract/listing']) {
        const version = { SecretString: 'x', ClientRequestToken: token('v1') };
        await client.send(new CreateSecretCommand({ Name, ...version, Tags: [{ Key: 'k', Value: Name }] }));
      }
      const pages: number[] = [];
      const found: string[] = [];
      let NextToken: string | undefined;
      do {
        const page = await client.send(
          new ListSecretsCommand({
            Filters: [{ Key: 'name', Values: ['contract/list/'] }],
            MaxResults: 100,
            NextToken,
          }),
        );
        pages.push(page.SecretList?.length ?? 0);
        for (const entry of page.SecretList ?? []) {
          found.push(entry.Name ?? '');
          expect(entry.Tags).toEqual([{ Key: 'k', Value: entry.Name }]);
          expect(entry.SecretVersionsToStages).toEqual({ [token('v1')]: ['AWSCURRENT'] });
        }
        NextToken = page.NextToken;
      } while (NextToken !== undefined);
      expect(pages).toEqual([100, 3]);
      expect(found.sort()).toEqual(names);
    });

    promise('listing by two filters gives what both accept: any tag whose value begins so', async () => {
      const tags = { found: 'discovery', shop: 'registration', other: 'x' };
      for (const [name, Value] of Object.entries(tags)) {
        const version = { SecretString: 'x', ClientRequestToken: token('v1') };
        const Name = `contract/filters/${name}`;
        await client.send(new CreateSecretCommand({ Name, ...version, Tags: [{ Key: 'k', Value }] }));
      }
      const { SecretList = [] } = await client.send(
        new ListSecretsCommand({
          Filters: [
            { Key: 'name', Values: ['contract/filters/'] },
            { Key: 'tag-value', Values: ['disco', 'import'] },
          ],
        }),
      );
      expect(SecretList.map(({ Name }) => Name)).toEqual(['contract/filters/found']);
      expect(SecretList[0]?.CreatedDate).toBeInstanceOf(Date);
    });

    promise('a batch gives values, and errors secret by secret', async () => {
      const secret = await make('mine');
      const answer = await client.send(
        new BatchGetSecretValueCommand({ SecretIdList: [secret, 'contract/none'] }),
      );
      expect(answer.SecretValues?.map((entry) => [entry.Name, entry.SecretString])).toEqual([
        [secret, 'mine'],
      ]);
      expect(answer.Errors).toMatchObject([
        { SecretId: 'contract/none', ErrorCode: 'ResourceNotFoundException' },
      ]);
    });

    promise('a secret scheduled for deletion is described, not read or listed, until restored', async () => {
      const secret = await make();
      await client.send(new DeleteSecretCommand({ SecretId: secret, RecoveryWindowInDays: 7 }));
      await expect(value(secret)).rejects.toEqual(refusedAs('InvalidRequestException'));
      const { DeletedDate } = await client.send(new DescribeSecretCommand({ SecretId: secret }));
      expect(DeletedDate).toBeInstanceOf(Date);
      const filter = { Filters: [{ Key: 'name' as const, Values: [secret] }] };
      const { SecretList } = await client.send(new ListSecretsCommand(filter));
      expect(SecretList?.map((entry) => entry.Name)).not.toContain(secret);
      await client.send(new RestoreSecretCommand({ SecretId: secret }));
      expect(await value(secret)).toBe('first');
    });

    promise(
      'a secret scheduled for deletion takes no version and no label, and its name is not free',
      async () => {
        const secret = await make();
        await client.send(new DeleteSecretCommand({ SecretId: secret, RecoveryWindowInDays: 7 }));
        const refused = refusedAs('InvalidRequestException');
        await expect(put(secret, 'v2', 'second')).rejects.toEqual(refused);
        await expect(move(secret, 'AWSPENDING', undefined, 'v1')).rejects.toEqual(refused);
        await expect(client.send(new CreateSecretCommand({ Name: secret }))).rejects.toEqual(refused);
      },
    );

    promise(
      'the answer of a deletion is the end of its window: 30 days unless the request says',
      async () => {
        const daysUntil = async (request: { RecoveryWindowInDays?: number }) => {
          const SecretId = await make();
          const { DeletionDate } = await client.send(new DeleteSecretCommand({ SecretId, ...request }));
          return ((DeletionDate?.getTime() ?? 0) - Date.now()) / 86_400_000;
        };
        expect(await daysUntil({})).toBeCloseTo(30, 1);
        expect(await daysUntil({ RecoveryWindowInDays: 7 })).toBeCloseTo(7, 1);
      },
    );

    promise('a window has 7 to 30 days, and excludes a deletion without one', async () => {
      const remove = async (request: {
        RecoveryWindowInDays: number;
        ForceDeleteWithoutRecovery?: boolean;
      }) => client.send(new DeleteSecretCommand({ SecretId: await make(), ...request }));
      await expect(remove({ RecoveryWindowInDays: 6 })).rejects.toThrow();
      await expect(remove({ RecoveryWindowInDays: 31 })).rejects.toThrow();
      await expect(remove({ RecoveryWindowInDays: 30, ForceDeleteWithoutRecovery: true })).rejects.toEqual(
        refusedAs('InvalidParameterException'),
      );
    });

    promise(
      'what is scheduled for deletion takes no tag and no other window, and keeps its tags',
      async () => {
        const SecretId = await make();
        await client.send(new TagResourceCommand({ SecretId, Tags: [tagOf('a', '1')] }));
        await client.send(new DeleteSecretCommand({ SecretId, RecoveryWindowInDays: 30 }));
        const refused = refusedAs('InvalidRequestException');
        const tag = new TagResourceCommand({ SecretId, Tags: [tagOf('a', '2')] });
        await expect(client.send(tag)).rejects.toEqual(refused);
        const again = new DeleteSecretCommand({ SecretId, RecoveryWindowInDays: 7 });
        await expect(client.send(again)).rejects.toEqual(refused);
        const { Tags } = await client.send(new DescribeSecretCommand({ SecretId }));
        expect(Tags).toEqual([tagOf('a', '1')]);
      },
    );

    promise('lists have what is scheduled for deletion only if they ask for it, with its date', async () => {
      const SecretId = await make();
      await client.send(new DeleteSecretCommand({ SecretId, RecoveryWindowInDays: 30 }));
      const { SecretList = [] } = await client.send(
        new ListSecretsCommand({
          Filters: [{ Key: 'name', Values: [SecretId] }],
          IncludePlannedDeletion: true,
        }),
      );
      expect(SecretList.map(({ Name }) => Name)).toContain(SecretId);
      expect(SecretList.find(({ Name }) => Name === SecretId)?.DeletedDate).toBeInstanceOf(Date);
    });

    promise('to restore what is not deleted changes nothing, and what is not there is refused', async () => {
      const SecretId = await make();
      await client.send(new RestoreSecretCommand({ SecretId }));
      expect(await value(SecretId)).toBe('first');
      const missing = refusedAs('ResourceNotFoundException');
      const restoring = client.send(new RestoreSecretCommand({ SecretId: 'contract/none' }));
      await expect(restoring).rejects.toEqual(missing);
      const deleting = client.send(
        new DeleteSecretCommand({ SecretId: 'contract/none', RecoveryWindowInDays: 30 }),
      );
      await expect(deleting).rejects.toEqual(missing);
    });

    promise('replicas are taken away region by region', async () => {
      const SecretId = await make();
      await client.send(
        new RemoveRegionsFromReplicationCommand({ SecretId, RemoveReplicaRegions: ['eu-west-1'] }),
      );
      const { ReplicationStatus } = await client.send(new DescribeSecretCommand({ SecretId }));
      expect(ReplicationStatus ?? []).toEqual([]);
    });

    promise('a request that is not signed is refused', async () => {
      const answer = await fetch(endpoint.url, {
        method: 'POST',
        headers: {
          'content-type': 'application/x-amz-json-1.1',
          'x-amz-target': 'secretsmanager.ListSecrets',
        },
        body: '{}',
      });
      expect(answer.status).toBe(400);
      expect(await answer.text()).toContain('MissingAuthenticationToken');
    });
  });
}

function tagOf(Key: string, Value: string): { Key: string; Value: string } {
  return { Key, Value };
}
