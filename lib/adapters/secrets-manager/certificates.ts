// Stores certificates in AWS secrets named `<prefix>/certificates/<name>`: labels are claims, tags the index.
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
  type ListSecretsCommandInput,
  PutSecretValueCommand,
  type SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { isCertificateName } from '../../certificate/certificate-name.ts';
import type { PendingOrder, SpecSource, StoredCertificate, StoredSpec } from '../../certificate/stored.ts';
import type { CertificateStore, Creation, StoredVersion, StoreEntry } from '../../ports/store.ts';
import { encodeState } from '../../state/codec/tags.ts';
import { stateOfSpec } from '../../state/describe.ts';
import type { StateChange } from '../../state/state.ts';
import { callSecrets, checkSize, isAwaitingDeletion, isRefusal } from './calls.ts';
import { toEntry, toList } from './entry.ts';
import { TagWriter } from './tag-writer.ts';

/** Loaded when a value is read or written. A run that finds nothing due only lists, and reads tags. */
const loadValues = () => import('./values.ts');

/** Label that the version of a claim is stored with. With AWSPENDING, PutSecretValue would silently take the
 *  label from another run. The version keeps this label after a release; the next claim moves it. */
const parkingLabel = 'CERTRELAY_CLAIM';
const claimAttempts = 3;

/** How AWS secrets of certificates are named and made. */
interface CertificateSecretOptions {
  readonly prefix: string;
  /** A new random UUID at each call, for version ids. */
  readonly uuid: () => string;
  /** Tags of the operator's own for AWS secrets that are made. */
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** ARN of the KMS key of AWS secrets that are made; absent: AWS's own key. */
  readonly kmsKey?: string | undefined;
}

/** `CertificateStore` in AWS Secrets Manager. */
export class SecretCertificates implements CertificateStore {
  readonly #client: SecretsManagerClient;
  readonly #folder: string;
  readonly #uuid: () => string;
  readonly #tags: TagWriter;
  readonly #ownTags: Readonly<Record<string, string>>;
  readonly #kmsKey: string | undefined;

  constructor(client: SecretsManagerClient, { prefix, uuid, tags = {}, kmsKey }: CertificateSecretOptions) {
    this.#client = client;
    this.#ownTags = tags;
    this.#kmsKey = kmsKey;
    this.#folder = `${prefix}/certificates/`;
    this.#tags = new TagWriter(client);
    this.#uuid = uuid;
  }

  async list(signal: AbortSignal, sources?: readonly SpecSource[]): Promise<readonly StoreEntry[]> {
    // AWS filters by the beginning of any tag's value, so the results are filtered again below.
    const values = sources ? [{ Key: 'tag-value' as const, Values: [...sources] }] : [];
    const entries: StoreEntry[] = [];
    let next: string | undefined;
    do {
      const request: ListSecretsCommandInput = {
        Filters: [{ Key: 'name', Values: [this.#folder] }, ...values],
        MaxResults: 100,
        NextToken: next,
      };
      const page = await callSecrets('ListSecrets', '*', signal, (options) =>
        this.#client.send(new ListSecretsCommand(request), options),
      );
      for (const {
        Name = '',
        ARN: arn,
        SecretVersionsToStages: labels,
        Tags,
        CreatedDate,
      } of page.SecretList ?? []) {
        const name = this.#certificateName(Name);
        if (name === undefined) continue;
        const tags = this.#tags.learn(Name, Tags);
        entries.push(toEntry(name, tags, { arn, labels, createdAt: CreatedDate }));
      }
      next = page.NextToken;
    } while (next !== undefined);
    return sources ? entries.filter(({ state: { source } }) => source && sources.includes(source)) : entries;
  }

  async describe(name: string, signal: AbortSignal): Promise<StoreEntry | undefined> {
    const secret = this.#folder + name;
    try {
      const response = await callSecrets('DescribeSecret', secret, signal, (options) =>
        this.#client.send(new DescribeSecretCommand({ SecretId: secret }), options),
      );
      // Scheduled for deletion: its value cannot be read, and lists do not show it.
      if (response.DeletedDate) return undefined;
      const { ARN: arn, VersionIdsToStages: labels, CreatedDate: createdAt, Tags } = response;
      return toEntry(name, this.#tags.learn(secret, Tags), { arn, labels, createdAt });
    } catch (error) {
      if (isRefusal(error, 'ResourceNotFoundException')) return undefined;
      throw error;
    }
  }

  async read(
    name: string,
    which: Parameters<CertificateStore['read']>[1],
    signal: AbortSignal,
  ): Promise<StoredVersion | undefined> {
    const secret = this.#folder + name;
    const version = typeof which === 'string' ? { VersionStage: which } : { VersionId: which.version };
    try {
      const { VersionId, SecretString, CreatedDate } = await callSecrets(
        'GetSecretValue',
        secret,
        signal,
        (options) => this.#client.send(new GetSecretValueCommand({ SecretId: secret, ...version }), options),
      );
      const { readValue } = await loadValues();
      return { version: VersionId ?? '', createdAt: CreatedDate, value: readValue(SecretString) };
    } catch (error) {
      if (isRefusal(error, 'ResourceNotFoundException')) return undefined;
      throw error;
    }
  }

  async create(name: string, spec: StoredSpec | undefined, signal: AbortSignal): Promise<Creation> {
    const secret = this.#folder + name;
    const { writeSpecification } = await loadValues();
    const request = {
      Name: secret,
      KmsKeyId: this.#kmsKey,
      SecretString: checkSize(writeSpecification(spec), secret),
      ClientRequestToken: this.#uuid(),
      // Created together with the secret: after a crash in between, no run would find the specification.
      Tags: toList({ ...this.#ownTags, ...(spec ? encodeState(stateOfSpec(spec)) : {}) }),
    };
    try {
      await callSecrets('CreateSecret', secret, signal, (options) =>
        this.#client.send(new CreateSecretCommand(request), options),
      );
      return 'created';
    } catch (error) {
      if (isRefusal(error, 'ResourceExistsException')) return 'exists';
      if (isAwaitingDeletion(error)) return 'deleted';
      throw error;
    }
  }

  async claim(
    name: string,
    order: PendingOrder,
    over: string | undefined,
    signal: AbortSignal,
  ): Promise<{ readonly version: string } | 'claimedByOther'> {
    const version = this.#uuid();
    const { writePending } = await loadValues();
    await this.#put(name, { value: writePending(order), version, label: parkingLabel }, signal);
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#moveClaim(name, over, version, signal);
        return { version };
      } catch (error) {
        if (!isRefusal(error, 'InvalidParameterException')) throw error;
        const pending = (await this.describe(name, signal))?.pending;
        // A first attempt succeeded, but its answer was lost.
        if (pending === version) return { version };
        if (pending !== over) return 'claimedByOther';
        // The label is at `over`: another run has released its claim meanwhile, or AWS has another reason.
        if (attempt >= claimAttempts) throw error;
      }
    }
  }

  async put(
    name: string,
    certificate: StoredCertificate,
    version: string,
    signal: AbortSignal,
  ): Promise<void> {
    const { writeCertificate } = await loadValues();
    try {
      // AWS changes nothing if the version exists, so a retry never moves AWSCURRENT back to an old version.
      await this.#put(name, { value: writeCertificate(certificate), version, label: 'AWSCURRENT' }, signal);
    } catch (error) {
      if (!isRefusal(error, 'ResourceExistsException')) throw error;
      // The version exists with another value. If only the specification differs, the certificate is stored.
      const existing = (await this.read(name, { version }, signal))?.value;
      const isSame = existing?.kind === 'certificate' && existing.certificate.chain === certificate.chain;
      if (!isSame) throw error;
    }
  }

  async release(name: string, version: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#moveClaim(name, version, undefined, signal);
    } catch (error) {
      if (isRefusal(error, 'ResourceNotFoundException')) return;
      if (!isRefusal(error, 'InvalidParameterException')) throw error;
      if ((await this.describe(name, signal))?.pending === version) throw error;
    }
  }

  async record(name: string, state: StateChange, signal: AbortSignal): Promise<void> {
    const tags = encodeState(state);
    if (Object.keys(tags).length > 0) await this.#tags.write(this.#folder + name, tags, signal);
  }

  async #put(
    name: string,
    { value, version, label }: { readonly value: string; readonly version: string; readonly label: string },
    signal: AbortSignal,
  ): Promise<void> {
    const secret = this.#folder + name;
    const request = {
      SecretId: secret,
      SecretString: checkSize(value, secret),
      ClientRequestToken: version,
      VersionStages: [label],
    };
    await callSecrets('PutSecretValue', secret, signal, (options) =>
      this.#client.send(new PutSecretValueCommand(request), options),
    );
  }

  async #moveClaim(
    name: string,
    from: string | undefined,
    to: string | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const secret = this.#folder + name;
    const request = {
      SecretId: secret,
      VersionStage: 'AWSPENDING',
      RemoveFromVersionId: from,
      MoveToVersionId: to,
    };
    await callSecrets('UpdateSecretVersionStage', secret, signal, (options) =>
      this.#client.send(new UpdateSecretVersionStageCommand(request), options),
    );
  }

  /** The certificate's name; `undefined` for an AWS secret that is not one of our certificates. */
  #certificateName(secret: string): string | undefined {
    const name = secret.slice(this.#folder.length);
    return secret.startsWith(this.#folder) && isCertificateName(name) ? name : undefined;
  }
}
