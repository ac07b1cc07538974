// Writes the tags of certificates' AWS secrets: keeps within AWS's limit of 50 and leaves no unused parts.
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

/** With at most so many tags, an AWS secret has room for all tags that a certificate can get meanwhile. */
const roomy = 32;

/** Writes tags. It remembers the tags of an AWS secret only if a write needs them: if there are many, or one
 *  value is in several parts. */
export class TagWriter {
  readonly #client: SecretsManagerClient;
  readonly #seen = new Map<string, ReadonlyMap<string, string>>();

  constructor(client: SecretsManagerClient) {
    this.#client = client;
  }

  /** Returns the tags that AWS answered for a secret by key, and remembers them if a write needs them. */
  learn(secret: string, list: readonly Tag[] = []): ReadonlyMap<string, string> {
    const tags = new Map(list.map(({ Key = '', Value = '' }) => [Key, Value]));
    const isNeeded = tags.size > roomy || [...tags.keys()].some((key) => key.endsWith('.1'));
    if (isNeeded) this.#seen.set(secret, tags);
    else this.#seen.delete(secret);
    return tags;
  }

  /** Writes tags in one call, and removes others in a second one if there is no room for all.
   *  @throws StoreError */
  async write(secret: string, tags: TagChange['write'], signal: AbortSignal): Promise<void> {
    const planned = fitTags(tags, this.#seen.get(secret));
    const change = planned.remove.length > 0 ? await this.#makeRoom(secret, planned, signal) : planned;
    const Tags = toList(change.write);
    if (Tags.length > 0) {
      await callSecrets('TagResource', secret, signal, (options) =>
        this.#client.send(new TagResourceCommand({ SecretId: secret, Tags }), options),
      );
    }
    this.#remember(secret, change);
  }

  /** Removes tags, and returns the change that is left to write. If the IAM role may not remove tags, that
   *  change empties them. */
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

  #remember(secret: string, { write, remove }: TagChange): void {
    const before = this.#seen.get(secret);
    const isInParts = Object.keys(write).some((key) => key.endsWith('.1'));
    if (!before && !isInParts) return;
    const kept = [...(before ?? [])].filter(([key]) => !remove.includes(key));
    this.#seen.set(secret, new Map([...kept, ...Object.entries(write)]));
  }
}
