// The actions of the Secrets Manager API that read values and list secrets.
import * as z from 'zod';
import type { Action } from './actions.ts';
import { cutPage, describeAppearance, filterSecrets, filtersInput } from './listing.ts';
import { Refusal } from './refusal.ts';
import type { Vault } from './vault.ts';

const getInput = z.object({
  SecretId: z.string().min(1).max(2048),
  VersionId: z.string().min(32).max(64).optional(),
  VersionStage: z.string().min(1).max(256).optional(),
});
const listInput = z.object({
  Filters: filtersInput.default([]),
  MaxResults: z.number().int().min(1).max(100).default(100),
  NextToken: z.string().optional(),
  IncludePlannedDeletion: z.boolean().default(false),
});
const batchInput = z.object({
  SecretIdList: z.array(z.string()).min(1).max(20).optional(),
  Filters: filtersInput.optional(),
  MaxResults: z.number().int().min(1).max(20).default(20),
  NextToken: z.string().optional(),
});

/** By the API's own names. `listLagMs` is asked at each call. */
export function readingActions(listLagMs: () => number): Readonly<Record<string, Action>> {
  return {
    GetSecretValue: (vault, input) => getSecretValue(vault, getInput.parse(input)),
    BatchGetSecretValue: (vault, input) => batchGetSecretValue(vault, batchInput.parse(input), listLagMs()),
    ListSecrets: (vault, input) => listSecrets(vault, listInput.parse(input), listLagMs()),
  };
}

function getSecretValue(vault: Vault, input: z.output<typeof getInput>): object {
  const secret = vault.mustFindLive(input.SecretId);
  const label = input.VersionStage ?? (input.VersionId === undefined ? 'AWSCURRENT' : undefined);
  const labelled = label === undefined ? undefined : secret.labels.get(label);
  if (label !== undefined && labelled === undefined)
    throw new Refusal(
      'ResourceNotFoundException',
      `Secrets Manager can't find the specified secret value for staging label: ${label}`,
    );
  if (input.VersionId !== undefined && labelled !== undefined && input.VersionId !== labelled)
    throw new Refusal(
      'InvalidRequestException',
      'You provided a VersionStage that is not associated to the provided VersionId.',
    );
  const version = secret.versions.get(input.VersionId ?? labelled ?? '');
  if (!version)
    throw new Refusal(
      'ResourceNotFoundException',
      `Secrets Manager can't find the specified secret value for VersionId: ${input.VersionId}`,
    );
  vault.requireKey(secret.kmsKey, 'DecryptionFailure');
  return {
    ARN: secret.arn,
    Name: secret.name,
    VersionId: version.id,
    SecretString: version.value.text,
    SecretBinary: version.value.binary,
    VersionStages: secret.labelsOf(version.id),
    CreatedDate: version.created.getTime() / 1000,
  };
}

function batchGetSecretValue(vault: Vault, input: z.output<typeof batchInput>, lagMs: number): object {
  if ((input.SecretIdList === undefined) === (input.Filters === undefined))
    throw new Refusal('InvalidParameterException', 'Give either SecretIdList or Filters, not both.');
  const filters = input.Filters ?? [];
  const { page, next } = input.SecretIdList
    ? { page: input.SecretIdList, next: undefined }
    : cutPage(filterSecrets(visible(vault, lagMs), filters), input.MaxResults, input.NextToken, filters);
  const values: object[] = [];
  const errors: object[] = [];
  for (const entry of page) {
    const id = typeof entry === 'string' ? entry : entry.arn;
    try {
      values.push(getSecretValue(vault, { SecretId: id }));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      errors.push({ SecretId: id, ErrorCode: error.code, Message: error.message });
    }
  }
  return { SecretValues: values, Errors: errors, NextToken: next };
}

function listSecrets(vault: Vault, input: z.output<typeof listInput>, lagMs: number): object {
  const all = input.IncludePlannedDeletion ? vault.list(lagMs) : visible(vault, lagMs);
  const found = filterSecrets(all, input.Filters);
  const { page, next } = cutPage(found, input.MaxResults, input.NextToken, input.Filters);
  return { SecretList: page.map(describeAppearance), NextToken: next };
}

function visible(vault: Vault, lagMs: number) {
  return vault.list(lagMs).filter((secret) => secret.deleted === undefined);
}
