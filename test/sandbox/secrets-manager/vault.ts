// All secrets of the double: found by name or ARN, made, deleted and listed.
import { randomBytes } from 'node:crypto';
import { checkName } from './limits.ts';
import { Refusal } from './refusal.ts';
import { type Appearance, type LabelListener, Secret } from './secret.ts';

const arnPrefix = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:';

export class Vault {
  readonly #secrets = new Map<string, Secret>();
  /** ARNs given to names before there is a secret, so that the journal can name what a call would make. */
  readonly #reserved = new Map<string, string>();
  /** ARNs of KMS keys that are disabled or wait for their deletion. */
  readonly unusableKeys = new Set<string>();
  readonly now: () => Date;
  readonly #onLabel: LabelListener;

  constructor(now: () => Date, onLabel: LabelListener) {
    this.now = now;
    this.#onLabel = onLabel;
  }

  /** The secret of that name or ARN, scheduled for deletion or not. */
  find(id: string): Secret | undefined {
    this.#purge();
    if (!id.startsWith('arn:')) return this.#secrets.get(id);
    // A partial ARN (without the six characters) finds the secret as well.
    const name = id.slice(arnPrefix.length);
    const secret = this.#secrets.get(name) ?? this.#secrets.get(name.replace(/-[A-Za-z0-9]{6}$/, ''));
    return secret && (secret.arn === id || secret.arn.startsWith(`${id}-`)) ? secret : undefined;
  }

  /** @throws Refusal where there is none. */
  mustFind(id: string): Secret {
    const secret = this.find(id);
    if (!secret)
      throw new Refusal('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
    return secret;
  }

  /** As `mustFind`.
   *  @throws Refusal also where it is scheduled for deletion. */
  mustFindLive(id: string): Secret {
    const secret = this.mustFind(id);
    if (secret.deleted)
      throw new Refusal(
        'InvalidRequestException',
        "You can't perform this operation on the secret because it was marked for deletion.",
      );
    return secret;
  }

  /** @throws Refusal where the KMS key cannot be used. */
  requireKey(kmsKey: string | undefined, code: 'EncryptionFailure' | 'DecryptionFailure'): void {
    if (kmsKey === undefined || !this.unusableKeys.has(kmsKey)) return;
    const verb = code === 'EncryptionFailure' ? 'encrypt' : 'decrypt';
    throw new Refusal(
      code,
      `Secrets Manager can't ${verb} the protected secret text using the provided KMS key. Check that the KMS key is available, enabled, and not in an invalid state.`,
    );
  }

  /** ARN of that name or ARN: the secret's own, or the one it would get. */
  arnOf(id: string): string {
    const found = this.find(id);
    if (found) return found.arn;
    if (id.startsWith('arn:')) return id;
    const arn = this.#reserved.get(id) ?? `${arnPrefix}${id}-${randomSuffix()}`;
    this.#reserved.set(id, arn);
    return arn;
  }

  /** A new secret without versions.
   *  @throws Refusal for a bad name. */
  make(name: string): Secret {
    checkName(name);
    const secret = new Secret(name, this.arnOf(name), this.now, this.#onLabel);
    this.#reserved.delete(name);
    this.#secrets.set(name, secret);
    return secret;
  }

  /** Deletes for good, at once. */
  remove(secret: Secret): void {
    this.#secrets.delete(secret.name);
  }

  /** What a listing that lags by `lagMs` shows, in the order of creation. */
  list(lagMs: number): readonly Appearance[] {
    this.#purge();
    return [...this.#secrets.values()]
      .map((secret) => secret.appearance(lagMs))
      .filter((appearance) => appearance !== undefined);
  }

  /** Secrets whose recovery window has ended are gone. AWS may take longer. */
  #purge(): void {
    const now = this.now();
    for (const [name, { deletionDate }] of this.#secrets)
      if (deletionDate && deletionDate <= now) this.#secrets.delete(name);
  }

  get secrets(): readonly Secret[] {
    return [...this.#secrets.values()];
  }
}

/** Six letters and digits, as AWS puts at the end of an ARN. */
function randomSuffix(): string {
  return randomBytes(12)
    .toString('base64')
    .replace(/[^A-Za-z0-9]/g, '')
    .padEnd(6, 'x')
    .slice(0, 6);
}
