// Stores ACME accounts in AWS secrets named `<prefix>/accounts/<hash of the directory URL>`.
import { createHash } from 'node:crypto';
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import type { AccountStore, AcmeAccount } from '../../ports/accounts.ts';
import { StoreError } from '../../ports/store.ts';
import { callSecrets, checkSize, isRefusal } from './calls.ts';

/** Loaded when an account is needed, because a run that finds nothing due needs none. */
const loadValues = () => import('./values.ts');

/** `AccountStore` in AWS Secrets Manager. */
export class SecretAccounts implements AccountStore {
  readonly #client: SecretsManagerClient;
  readonly #prefix: string;
  readonly #uuid: () => string;

  /** `uuid`: a new random UUID at each call, for version ids. */
  constructor(client: SecretsManagerClient, prefix: string, uuid: () => string) {
    this.#client = client;
    this.#prefix = prefix;
    this.#uuid = uuid;
  }

  async read(directory: string, signal: AbortSignal): Promise<AcmeAccount | undefined> {
    try {
      return await this.#read(directory, {}, signal);
    } catch (error) {
      if (isRefusal(error, 'ResourceNotFoundException')) return undefined;
      throw error;
    }
  }

  async #read(
    directory: string,
    which: { readonly VersionId?: string },
    signal: AbortSignal,
  ): Promise<AcmeAccount> {
    const secret = this.secretOf(directory);
    const { readAccount } = await loadValues();
    const { SecretString } = await callSecrets('GetSecretValue', secret, signal, (options) =>
      this.#client.send(new GetSecretValueCommand({ SecretId: secret, ...which }), options),
    );
    const account = readAccount(SecretString);
    if (account) return account;
    // Never overwritten: a key in it may be the only way to revoke the account's certificates.
    throw new StoreError(
      'Failed',
      `the AWS secret ${secret} does not hold an ACME account of ours for ${directory}: put back an earlier version of it, or delete it to register a new account`,
    );
  }

  async create(directory: string, account: AcmeAccount, signal: AbortSignal): Promise<AcmeAccount> {
    const secret = this.secretOf(directory);
    const { writeAccount } = await loadValues();
    const request = {
      Name: secret,
      SecretString: checkSize(writeAccount(directory, account), secret),
      ClientRequestToken: this.#uuid(),
    };
    try {
      await callSecrets('CreateSecret', secret, signal, (options) =>
        this.#client.send(new CreateSecretCommand(request), options),
      );
      return account;
    } catch (error) {
      if (!isRefusal(error, 'ResourceExistsException')) throw error;
      const existing = await this.read(directory, signal);
      if (!existing) throw error;
      return existing;
    }
  }

  async beginExchange(
    directory: string,
    account: AcmeAccount & { readonly nextKey: string },
    signal: AbortSignal,
  ): Promise<AcmeAccount> {
    // A version cannot be stored twice with other contents, so the first exchange of a key is the only one.
    const version = createHash('sha256').update(`exchange ${account.key}`).digest('hex');
    try {
      await this.#put(directory, account, version, signal);
      return account;
    } catch (error) {
      if (!isRefusal(error, 'ResourceExistsException')) throw error;
      return await this.#read(directory, { VersionId: version }, signal);
    }
  }

  async update(directory: string, account: AcmeAccount, signal: AbortSignal): Promise<void> {
    await this.#put(directory, account, this.#uuid(), signal);
  }

  async #put(directory: string, account: AcmeAccount, version: string, signal: AbortSignal): Promise<void> {
    const secret = this.secretOf(directory);
    const { writeAccount } = await loadValues();
    const request = {
      SecretId: secret,
      SecretString: checkSize(writeAccount(directory, account), secret),
      ClientRequestToken: version,
      VersionStages: ['AWSCURRENT'],
    };
    await callSecrets('PutSecretValue', secret, signal, (options) =>
      this.#client.send(new PutSecretValueCommand(request), options),
    );
  }

  secretOf(directory: string): string {
    const hash = createHash('sha256').update(directory).digest('hex').slice(0, 32);
    return `${this.#prefix}/accounts/${hash}`;
  }
}
