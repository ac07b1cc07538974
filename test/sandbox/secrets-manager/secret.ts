// One secret of the double: its versions, its staging labels, its tags, and what listing shows of it when.
import { checkTagCount } from './limits.ts';
import { Refusal } from './refusal.ts';

const dayMs = 86_400_000;
/** ListSecrets may lag by this much at most; older appearances are forgotten. */
const longestLagMs = 300_000;

/** One version's value, text or base64. */
export interface Value {
  readonly text?: string;
  readonly binary?: string;
}

/** One version. Without labels it is deprecated: readable by id only. */
export interface Version {
  readonly id: string;
  readonly value: Value;
  readonly created: Date;
}

/** What listing shows of a secret. */
export interface Appearance {
  readonly name: string;
  readonly arn: string;
  readonly created: Date;
  readonly changed: Date;
  /** When its deletion was asked for. */
  readonly deleted: Date | undefined;
  readonly tags: ReadonlyMap<string, string>;
  readonly labels: ReadonlyMap<string, string>;
}

/** A label came to a version; `AWSPENDING` and `AWSPREVIOUS` included. */
export type LabelListener = (secret: Secret, label: string, version: string) => void;

export class Secret {
  readonly name: string;
  readonly arn: string;
  readonly created: Date;
  /** By version id, oldest first. */
  readonly versions = new Map<string, Version>();
  /** Which version each label is on. */
  readonly labels = new Map<string, string>();
  readonly tags = new Map<string, string>();
  /** Regions that have a replica. */
  readonly replicas = new Set<string>();
  /** ARN of its KMS key; absent: `aws/secretsmanager`. */
  kmsKey: string | undefined;
  /** When it was scheduled for deletion. */
  deleted: Date | undefined;
  /** End of its recovery window. */
  deletionDate: Date | undefined;
  readonly #now: () => Date;
  readonly #onLabel: LabelListener;
  readonly #appearances: Appearance[] = [];

  constructor(name: string, arn: string, now: () => Date, onLabel: LabelListener) {
    this.name = name;
    this.arn = arn;
    this.#now = now;
    this.#onLabel = onLabel;
    this.created = now();
    this.noteChange();
  }

  /** Adds a version with labels. The first version of all takes AWSCURRENT beside whatever was asked for.
   *  Does nothing where the id is there with the same value.
   *  @throws Refusal where it is there with another value. */
  addVersion(id: string, value: Value, labels: readonly string[] | undefined): void {
    const there = this.versions.get(id);
    if (there) {
      if (there.value.text === value.text && there.value.binary === value.binary) return;
      throw new Refusal(
        'ResourceExistsException',
        `The version ${id} exists with another value, and a version cannot be changed.`,
      );
    }
    const isFirst = this.versions.size === 0;
    this.versions.set(id, { id, value, created: this.#now() });
    for (const label of new Set([...(isFirst ? ['AWSCURRENT'] : []), ...(labels ?? ['AWSCURRENT'])]))
      this.#attach(label, id);
    this.#forgetDeprecated();
    this.noteChange();
  }

  /** UpdateSecretVersionStage: a compare-and-swap on the version that holds the label.
   *  @throws Refusal where the label is on another version than `from`. */
  moveLabel(label: string, from: string | undefined, to: string | undefined): void {
    const holder = this.labels.get(label);
    for (const id of [from, to])
      if (id !== undefined && !this.versions.has(id))
        throw new Refusal('ResourceNotFoundException', `Secrets Manager can't find the version ${id}.`);
    if (from === undefined && to === undefined)
      throw new Refusal('InvalidParameterException', 'Name a version to move the label to or from.');
    if (to === undefined && label === 'AWSCURRENT')
      throw new Refusal('InvalidParameterException', 'AWSCURRENT can be moved but not taken away.');
    if (from !== undefined && holder !== from)
      throw new Refusal(
        'InvalidParameterException',
        `The staging label ${label} is not attached to the version in RemoveFromVersionId.`,
      );
    if (from === undefined && holder !== undefined && holder !== to)
      throw new Refusal(
        'InvalidParameterException',
        `The staging label ${label} is attached to version ${holder}: name it in RemoveFromVersionId.`,
      );
    if (to === undefined) this.labels.delete(label);
    else if (holder !== to) this.#attach(label, to);
    this.noteChange();
  }

  /** @throws Refusal where more than 50 would be there. */
  setTags(tags: Iterable<readonly [string, string]>): void {
    const merged = new Map([...this.tags, ...tags]);
    checkTagCount(merged.size);
    for (const [key, value] of merged) this.tags.set(key, value);
    this.noteChange();
  }

  removeTags(keys: readonly string[]): void {
    for (const key of keys) this.tags.delete(key);
    this.noteChange();
  }

  /** DeleteSecret with a recovery window.
   *  @throws Refusal where it is scheduled already, or has replicas. */
  scheduleDeletion(days: number): Date {
    if (this.deleted)
      throw new Refusal(
        'InvalidRequestException',
        "You can't perform this operation on the secret because it was already scheduled for deletion.",
      );
    this.requireNoReplicas();
    this.deleted = this.#now();
    this.deletionDate = new Date(this.deleted.getTime() + days * dayMs);
    this.noteChange();
    return this.deletionDate;
  }

  /** @throws Refusal for a primary secret with replicas. */
  requireNoReplicas(): void {
    if (this.replicas.size === 0) return;
    throw new Refusal(
      'InvalidRequestException',
      "You can't delete a primary secret that has replicas. Remove the replicas first.",
    );
  }

  restore(): void {
    this.deleted = undefined;
    this.deletionDate = undefined;
    this.noteChange();
  }

  labelsOf(version: string): readonly string[] {
    return [...this.labels].filter(([, id]) => id === version).map(([label]) => label);
  }

  /** What a listing that lags by `lagMs` shows; `undefined` where it does not know the secret yet. */
  appearance(lagMs: number): Appearance | undefined {
    if (lagMs <= 0) return this.#appearances.at(-1);
    const horizon = this.#now().getTime() - lagMs;
    return this.#appearances.findLast((appearance) => appearance.changed.getTime() <= horizon);
  }

  /** Writes down what listing will show from now on. */
  noteChange(): void {
    const { name, arn, created, deleted } = this;
    const changed = this.#now();
    const known = this.#appearances.findLastIndex(
      (appearance) => appearance.changed.getTime() <= changed.getTime() - longestLagMs,
    );
    if (known > 0) this.#appearances.splice(0, known);
    const tags = new Map(this.tags);
    this.#appearances.push({ name, arn, created, changed, deleted, tags, labels: new Map(this.labels) });
  }

  #attach(label: string, id: string): void {
    const before = this.labels.get(label);
    this.labels.set(label, id);
    if (label === 'AWSCURRENT' && before !== undefined) this.labels.set('AWSPREVIOUS', before);
    this.#onLabel(this, label, id);
  }

  /** Versions without labels go when there are more than 100, but not within a day of their making. */
  #forgetDeprecated(): void {
    const labelled = new Set(this.labels.values());
    const deprecated = [...this.versions.values()].filter((version) => !labelled.has(version.id));
    const dayAgo = this.#now().getTime() - dayMs;
    for (const version of deprecated.slice(0, Math.max(0, deprecated.length - 100)))
      if (version.created.getTime() <= dayAgo) this.versions.delete(version.id);
  }
}
