// What AWS tells of an AWS secret, as an entry of the store.
import type { Tag } from '@aws-sdk/client-secrets-manager';
import type { StoreEntry } from '../../ports/store.ts';
import { decodeState } from '../../state/codec/tags.ts';

/** Tags as AWS takes them. */
export function toList(tags: Readonly<Record<string, string>>): Tag[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

/** An entry by what AWS tells of it. @param createdAt Where a list tells that. */
export function toEntry(
  name: string,
  tags: ReadonlyMap<string, string>,
  labels: Readonly<Record<string, readonly string[]>> = {},
  createdAt?: Date,
): StoreEntry {
  const state = decodeState(tags);
  const holder = (label: string) => Object.keys(labels).find((version) => labels[version]?.includes(label));
  return {
    name,
    current: holder('AWSCURRENT'),
    previous: holder('AWSPREVIOUS'),
    pending: holder('AWSPENDING'),
    ...(state.source && createdAt ? { createdAt } : {}),
    state,
  };
}
