// The actions of the Secrets Manager API that change or describe secrets, each from its parsed input to its
// answer.
import * as z from 'zod';
import { checkLabels, checkTag, checkTagCount, checkToken, checkValue } from './limits.ts';
import { labelsByVersion } from './listing.ts';
import { Refusal } from './refusal.ts';
import type { Value } from './secret.ts';
import type { Vault } from './vault.ts';

/** Carries out one action on its JSON input and gives its JSON answer.
 *  @throws Refusal */
export type Action = (vault: Vault, input: unknown) => object;

const secretId = z.object({ SecretId: z.string().min(1).max(2048) });
const valueInput = z.object({
  ClientRequestToken: z.string().optional(),
  SecretString: z.string().optional(),
  SecretBinary: z.string().optional(),
});
const tagsInput = z.array(z.object({ Key: z.string(), Value: z.string().default('') }));

const createInput = valueInput.extend({
  Name: z.string(),
  Tags: tagsInput.default([]),
  KmsKeyId: z.string().max(2048).optional(),
});
const putInput = secretId.extend(valueInput.shape).extend({ VersionStages: z.array(z.string()).optional() });
const moveInput = secretId.extend({
  VersionStage: z.string().min(1).max(256),
  RemoveFromVersionId: z.string().optional(),
  MoveToVersionId: z.string().optional(),
});
const tagInput = secretId.extend({ Tags: tagsInput });
const untagInput = secretId.extend({ TagKeys: z.array(z.string()) });
const deleteInput = secretId.extend({
  RecoveryWindowInDays: z.number().int().min(7).max(30).optional(),
  ForceDeleteWithoutRecovery: z.boolean().optional(),
});

const regionsInput = secretId.extend({
  RemoveReplicaRegions: z.array(z.string().regex(/^([a-z]+-)+\d+$/)).min(1),
});

function createSecret(vault: Vault, raw: unknown): object {
  const input = createInput.parse(raw);
  for (const tag of input.Tags) checkTag(tag.Key, tag.Value);
  checkTagCount(input.Tags.length);
  const hasValue = input.SecretString !== undefined || input.SecretBinary !== undefined;
  const token = hasValue ? checkToken(input.ClientRequestToken) : undefined;
  if (hasValue) checkValue(input.SecretString, input.SecretBinary);
  const there = vault.find(input.Name);
  if (there?.deleted)
    throw new Refusal(
      'InvalidRequestException',
      "You can't create this secret because a secret with this name is already scheduled for deletion.",
    );
  // The same request again (an answer was lost) is answered again; anything else of that name is refused.
  if (there && !(token !== undefined && there.versions.has(token)))
    throw new Refusal(
      'ResourceExistsException',
      `The operation failed because the secret ${input.Name} already exists.`,
    );
  vault.requireKey(input.KmsKeyId, 'EncryptionFailure');
  const secret = there ?? vault.make(input.Name);
  if (!there) secret.kmsKey = input.KmsKeyId;
  if (token !== undefined) secret.addVersion(token, secretValue(input), undefined);
  if (!there) secret.setTags(input.Tags.map((tag) => [tag.Key, tag.Value]));
  return { ARN: secret.arn, Name: secret.name, VersionId: token };
}

function putSecretValue(vault: Vault, raw: unknown): object {
  const input = putInput.parse(raw);
  const token = checkToken(input.ClientRequestToken);
  checkValue(input.SecretString, input.SecretBinary);
  if (input.VersionStages) checkLabels(input.VersionStages);
  const secret = vault.mustFindLive(input.SecretId);
  vault.requireKey(secret.kmsKey, 'EncryptionFailure');
  secret.addVersion(token, secretValue(input), input.VersionStages);
  return {
    ARN: secret.arn,
    Name: secret.name,
    VersionId: token,
    VersionStages: secret.labelsOf(token),
  };
}

function updateSecretVersionStage(vault: Vault, raw: unknown): object {
  const input = moveInput.parse(raw);
  const secret = vault.mustFindLive(input.SecretId);
  secret.moveLabel(input.VersionStage, input.RemoveFromVersionId, input.MoveToVersionId);
  return { ARN: secret.arn, Name: secret.name };
}

function describeSecret(vault: Vault, raw: unknown): object {
  const secret = vault.mustFind(secretId.parse(raw).SecretId);
  return {
    ARN: secret.arn,
    Name: secret.name,
    KmsKeyId: secret.kmsKey,
    CreatedDate: secret.created.getTime() / 1000,
    // "The date the secret is scheduled for deletion"; lists have the date of the request.
    DeletedDate: secret.deletionDate && secret.deletionDate.getTime() / 1000,
    ReplicationStatus:
      secret.replicas.size > 0
        ? [...secret.replicas].map((Region) => ({ Region, Status: 'InSync' }))
        : undefined,
    Tags: [...secret.tags].map(([Key, Value]) => ({ Key, Value })),
    VersionIdsToStages: labelsByVersion(secret.labels),
  };
}

function tagResource(vault: Vault, raw: unknown): object {
  const input = tagInput.parse(raw);
  for (const tag of input.Tags) checkTag(tag.Key, tag.Value);
  vault.mustFindLive(input.SecretId).setTags(input.Tags.map((tag) => [tag.Key, tag.Value]));
  return {};
}

function untagResource(vault: Vault, raw: unknown): object {
  const input = untagInput.parse(raw);
  vault.mustFindLive(input.SecretId).removeTags(input.TagKeys);
  return {};
}

function deleteSecret(vault: Vault, raw: unknown): object {
  const input = deleteInput.parse(raw);
  if (input.ForceDeleteWithoutRecovery && input.RecoveryWindowInDays !== undefined)
    throw new Refusal(
      'InvalidParameterException',
      'RecoveryWindowInDays and ForceDeleteWithoutRecovery exclude each other.',
    );
  const secret = vault.mustFind(input.SecretId);
  if (input.ForceDeleteWithoutRecovery) {
    secret.requireNoReplicas();
    vault.remove(secret);
    return { ARN: secret.arn, Name: secret.name, DeletionDate: vault.now().getTime() / 1000 };
  }
  const end = secret.scheduleDeletion(input.RecoveryWindowInDays ?? 30);
  return { ARN: secret.arn, Name: secret.name, DeletionDate: end.getTime() / 1000 };
}

function removeRegions(vault: Vault, raw: unknown): object {
  const input = regionsInput.parse(raw);
  const secret = vault.mustFindLive(input.SecretId);
  for (const region of input.RemoveReplicaRegions) secret.replicas.delete(region);
  return { ARN: secret.arn, ReplicationStatus: [...secret.replicas].map((Region) => ({ Region })) };
}

function restoreSecret(vault: Vault, raw: unknown): object {
  const secret = vault.mustFind(secretId.parse(raw).SecretId);
  secret.restore();
  return { ARN: secret.arn, Name: secret.name };
}

function secretValue(input: z.output<typeof valueInput>): Value {
  return input.SecretString === undefined
    ? { binary: input.SecretBinary ?? '' }
    : { text: input.SecretString };
}

/** By the API's own names. */
export const changingActions: Readonly<Record<string, Action>> = {
  CreateSecret: createSecret,
  PutSecretValue: putSecretValue,
  UpdateSecretVersionStage: updateSecretVersionStage,
  DescribeSecret: describeSecret,
  TagResource: tagResource,
  UntagResource: untagResource,
  DeleteSecret: deleteSecret,
  RestoreSecret: restoreSecret,
  RemoveRegionsFromReplication: removeRegions,
};
