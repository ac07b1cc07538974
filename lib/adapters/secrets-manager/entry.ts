// Converts what AWS answers about an AWS secret to a `StoreEntry`.
import type { Tag } from '@aws-sdk/client-secrets-manager';
import type { StoreEntry } from '../../ports/store.ts';
import { decodeState } from '../../state/codec/tags.ts';

/** Tags in the form of AWS requests. */
export function toList(tags: Readonly<Record<string, string>>): Tag[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

/** What AWS says of an AWS secret beside its tags. `labels`: labels by version id. `createdAt`: when
 *  it was made. */
export interface SecretAnswer {
  readonly arn?: string | undefined;
  readonly labels?: Readonly<Record<string, readonly string[]>> | undefined;
  readonly createdAt?: Date | undefined;
}

/** The entry of a certificate. */
export function toEntry(
  name: string,
  tags: ReadonlyMap<string, string>,
  { arn, labels = {}, createdAt }: SecretAnswer,
): StoreEntry {
  const state = decodeState(tags);
  const versionWith = (label: string) =>
    Object.keys(labels).find((version) => labels[version]?.includes(label));
  return {
    name,
    ...(arn === undefined ? {} : { arn }),
    current: versionWith('AWSCURRENT'),
    previous: versionWith('AWSPREVIOUS'),
    pending: versionWith('AWSPENDING'),
    ...(state.source && createdAt ? { createdAt } : {}),
    state,
  };
}
