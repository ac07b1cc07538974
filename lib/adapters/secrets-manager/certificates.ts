// Certificates in AWS Secrets Manager: `<prefix>/certificates/<name>`, staging labels as claims, tags as the index.

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
import type { CertificateStore, StoredVersion, StoreEntry } from '../../ports/store.ts';
import { encodeState } from '../../state/codec/tags.ts';
import { stateOfSpec } from '../../state/describe.ts';
import type { StateChange } from '../../state/state.ts';
import { callSecrets, checkSize, isRefusal } from './calls.ts';
import { toEntry, toList } from './entry.ts';
import { TagWriter } from './tag-writer.ts';

/** Loaded once a value is read or written: a pass that finds nothing due lists, and tags tell it all. */
const loadValues = () => import('./values.ts');

/** A claim's version is put under this label, because PutSecretValue would take AWSPENDING from another run without a
 *  word. It stays where it is when a claim is released and goes with the next claim: at most one version has it. */
const parkingLabel = 'CERTRELAY_CLAIM';
const claimAttempts = 3;

export class SecretCertificates implements CertificateStore {
  readonly #client: SecretsManagerClient;
  readonly #folder: string;
  readonly #uuid: () => string;
  readonly #tags: TagWriter;

  constructor(client: SecretsManagerClient, prefix: string, uuid: () => string) {
    this.#client = client;
    this.#folder = `${prefix}/certificates/`;
    this.#tags = new TagWriter(client);
    this.#uuid = uuid;
  }

  async list(signal: AbortSignal, sources?: readonly SpecSource[]): Promise<readonly StoreEntry[]> {
    // AWS compares any tag's value by its start; which tag it is stands in what is found.
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
      for (const { Name = '', SecretVersionsToStages, Tags, CreatedDate } of page.SecretList ?? []) {
        const name = this.#certificateName(Name);
        if (name === undefined) continue;
        const tags = this.#tags.learn(Name, Tags);
        entries.push(toEntry(name, tags, SecretVersionsToStages, CreatedDate));
      }
      next = page.NextToken;
    } while (next !== undefined);
    return sources ? entries.filter(({ state: { source } }) => source && sources.includes(source)) : entries;
  }

  async describe(name: string, signal: AbortSignal): Promise<StoreEntry | undefined> {
    const secret = this.#folder + name;
    try {
      const found = await callSecrets('DescribeSecret', secret, signal, (options) =>
        this.#client.send(new DescribeSecretCommand({ SecretId: secret }), options),
      );
      // Scheduled for deletion: nothing can be read from it, and listing does not show it either.
      if (found.DeletedDate) return undefined;
      return toEntry(name, this.#tags.learn(secret, found.Tags), found.VersionIdsToStages);
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
      const found = await callSecrets('GetSecretValue', secret, signal, (options) =>
        this.#client.send(new GetSecretValueCommand({ SecretId: secret, ...version }), options),
      );
      const { readValue } = await loadValues();
      return { version: found.VersionId ?? '', value: readValue(found.SecretString) };
    } catch (error) {
      if (isRefusal(error, 'ResourceNotFoundException')) return undefined;
      throw error;
    }
  }

  async create(
    name: string,
    spec: StoredSpec | undefined,
    signal: AbortSignal,
  ): Promise<'created' | 'exists'> {
    const secret = this.#folder + name;
    const { writeSpecification } = await loadValues();
    const request = {
      Name: secret,
      SecretString: checkSize(writeSpecification(spec), secret),
      ClientRequestToken: this.#uuid(),
      // With the secret itself: a crash must not leave a specification that no pass would find.
      Tags: spec ? toList(encodeState(stateOfSpec(spec))) : [],
    };
    try {
      await callSecrets('CreateSecret', secret, signal, (options) =>
        this.#client.send(new CreateSecretCommand(request), options),
      );
      return 'created';
    } catch (error) {
      if (isRefusal(error, 'ResourceExistsException')) return 'exists';
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
        // The answer to a first attempt was lost, and it had been carried out.
        if (pending === version) return { version };
        if (pending !== over) return 'claimedByOther';
        // The label is where we said it was: whoever held it has let go meanwhile, or AWS means something else.
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
      // For a version that exists AWS does nothing, labels included: a retry never brings back what was replaced since.
      await this.#put(name, { value: writeCertificate(certificate), version, label: 'AWSCURRENT' }, signal);
    } catch (error) {
      if (!isRefusal(error, 'ResourceExistsException')) throw error;
      // The same certificate stored before its specification changed is stored all the same.
      const there = (await this.read(name, { version }, signal))?.value;
      const isSame = there?.kind === 'certificate' && there.certificate.chain === certificate.chain;
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

  /** `undefined` for what is below the prefix and yet no certificate of ours. */
  #certificateName(secret: string): string | undefined {
    const name = secret.slice(this.#folder.length);
    return secret.startsWith(this.#folder) && isCertificateName(name) ? name : undefined;
  }
}
