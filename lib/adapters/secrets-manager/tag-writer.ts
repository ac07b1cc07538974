// Writes the tags of certificates' AWS secrets, within the 50 that one can have and without leaving anything behind.
import {
  type SecretsManagerClient,
  type Tag,
  TagResourceCommand,
  UntagResourceCommand,
} from '@aws-sdk/client-secrets-manager';
import { StoreError } from '../../ports/store.ts';
import { fitTags, type TagChange } from '../../state/budget.ts';
import { callSecrets } from './calls.ts';
import { toList } from './entry.ts';

/** Up to so many tags there is room for all that a certificate can have got since. */
const roomy = 32;

/** Remembers the tags of those AWS secrets alone that a write must look at: with many, or with a value in parts. */
export class TagWriter {
  readonly #client: SecretsManagerClient;
  readonly #seen = new Map<string, ReadonlyMap<string, string>>();

  constructor(client: SecretsManagerClient) {
    this.#client = client;
  }

  /** Takes note of the tags that AWS told of a secret, and returns them by key. */
  learn(secret: string, list: readonly Tag[] = []): ReadonlyMap<string, string> {
    const tags = new Map(list.map(({ Key = '', Value = '' }) => [Key, Value]));
    const matters = tags.size > roomy || [...tags.keys()].some((key) => key.endsWith('.1'));
    if (matters) this.#seen.set(secret, tags);
    else this.#seen.delete(secret);
    return tags;
  }

  /** Writes tags, in one call where there is room. @throws StoreError. */
  async write(secret: string, tags: TagChange['write'], signal: AbortSignal): Promise<void> {
    const change = fitTags(tags, this.#seen.get(secret));
    const done = change.remove.length > 0 ? await this.#makeRoom(secret, change, signal) : change;
    const Tags = toList(done.write);
    if (Tags.length > 0) {
      await callSecrets('TagResource', secret, signal, (options) =>
        this.#client.send(new TagResourceCommand({ SecretId: secret, Tags }), options),
      );
    }
    this.#note(secret, done);
  }

  /** Takes away what the change does; what the role may not take away is emptied. */
  async #makeRoom(secret: string, change: TagChange, signal: AbortSignal): Promise<TagChange> {
    const TagKeys = [...change.remove];
    try {
      await callSecrets('UntagResource', secret, signal, (options) =>
        this.#client.send(new UntagResourceCommand({ SecretId: secret, TagKeys }), options),
      );
      return change;
    } catch (error) {
      if (!(error instanceof StoreError && error.code === 'Denied')) throw error;
      const emptied = Object.fromEntries(TagKeys.map((key) => [key, '']));
      return { write: { ...change.write, ...emptied }, remove: [] };
    }
  }

  #note(secret: string, { write, remove }: TagChange): void {
    const before = this.#seen.get(secret);
    const isInParts = Object.keys(write).some((key) => key.endsWith('.1'));
    if (!before && !isInParts) return;
    const kept = [...(before ?? [])].filter(([key]) => !remove.includes(key));
    this.#seen.set(secret, new Map([...kept, ...Object.entries(write)]));
  }
}
