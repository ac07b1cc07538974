// Converts what AWS answers about an AWS secret to a `StoreEntry`.
import type { Tag } from '@aws-sdk/client-secrets-manager';
import type { StoreEntry } from '../../ports/store.ts';
import { decodeState } from '../../state/codec/tags.ts';

/** Tags in the form of AWS requests. */
export function toList(tags: Readonly<Record<string, string>>): Tag[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

/** The entry of a certificate. `labels`: labels by version id. `createdAt`: only from a list. */
export function toEntry(
  name: string,
  tags: ReadonlyMap<string, string>,
  labels: Readonly<Record<string, readonly string[]>> = {},
  createdAt?: Date,
): StoreEntry {
  const state = decodeState(tags);
  const versionWith = (label: string) =>
    Object.keys(labels).find((version) => labels[version]?.includes(label));
  return {
    name,
    current: versionWith('AWSCURRENT'),
    previous: versionWith('AWSPREVIOUS'),
    pending: versionWith('AWSPENDING'),
    ...(state.source && createdAt ? { createdAt } : {}),
    state,
  };
}
