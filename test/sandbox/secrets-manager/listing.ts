// ListSecrets: filters, pages and the shape of an entry.
import { createHash } from 'node:crypto';
import * as z from 'zod';
import { Refusal } from './refusal.ts';
import type { Appearance } from './secret.ts';

const keys = [
  'description',
  'name',
  'tag-key',
  'tag-value',
  'primary-region',
  'owning-service',
  'all',
] as const;

/** Filters as ListSecrets and BatchGetSecretValue take them. */
export const filtersInput = z
  .array(z.object({ Key: z.enum(keys), Values: z.array(z.string().min(1).max(512)).min(1).max(10) }))
  .max(10);
export type Filters = z.output<typeof filtersInput>;

/** Those that every filter accepts, by any of its values; prefixes, case-sensitive, `!` negates. */
export function filterSecrets(secrets: readonly Appearance[], filters: Filters): readonly Appearance[] {
  return secrets.filter((secret) =>
    filters.every(({ Key, Values }) =>
      Values.some((value) =>
        value.startsWith('!') ? !accepts(secret, Key, value.slice(1)) : accepts(secret, Key, value),
      ),
    ),
  );
}

function accepts(secret: Appearance, key: Filters[number]['Key'], value: string): boolean {
  switch (key) {
    case 'name':
      return secret.name.startsWith(value);
    case 'tag-key':
      return [...secret.tags.keys()].some((tag) => tag.startsWith(value));
    case 'tag-value':
      return [...secret.tags.values()].some((tag) => tag.startsWith(value));
    case 'description':
    case 'primary-region':
    case 'owning-service':
    case 'all':
      throw new Refusal('InvalidParameterException', `The sandbox does not filter by ${key}.`);
  }
}

/** One page, and the token of the next. A token is good only for the filters it was given for.
 *  @throws Refusal for a token that is not one of ours. */
export function cutPage(
  secrets: readonly Appearance[],
  size: number,
  token: string | undefined,
  filters: Filters,
): { readonly page: readonly Appearance[]; readonly next: string | undefined } {
  const seal = createHash('sha256').update(JSON.stringify(filters)).digest('base64url').slice(0, 12);
  const match = token === undefined ? undefined : /^([\w-]{12})\.(.+)$/.exec(token);
  if (token !== undefined && match?.[1] !== seal)
    throw new Refusal('InvalidNextTokenException', 'The NextToken value is invalid.');
  const after = match?.[2];
  const start = after === undefined ? 0 : secrets.findIndex((secret) => secret.arn === after) + 1;
  const page = secrets.slice(start, start + size);
  const last = page.at(-1);
  return { page, next: last && start + size < secrets.length ? `${seal}.${last.arn}` : undefined };
}

/** One entry of ListSecrets' answer. */
export function describeAppearance(secret: Appearance): object {
  return {
    ARN: secret.arn,
    Name: secret.name,
    CreatedDate: secret.created.getTime() / 1000,
    LastChangedDate: secret.changed.getTime() / 1000,
    DeletedDate: secret.deleted && secret.deleted.getTime() / 1000,
    Tags: [...secret.tags].map(([Key, Value]) => ({ Key, Value })),
    SecretVersionsToStages: labelsByVersion(secret.labels),
  };
}

/** Version id to its labels; versions without labels do not appear. */
export function labelsByVersion(labels: ReadonlyMap<string, string>): Record<string, string[]> {
  const byVersion = Map.groupBy(labels, ([, version]) => version);
  return Object.fromEntries([...byVersion].map(([version, held]) => [version, held.map(([label]) => label)]));
}
