// Notes the work of functions as tags of the AWS secret `<prefix>/installation`.
import {
  type SecretsManagerClient,
  TagResourceCommand,
  UntagResourceCommand,
} from '@aws-sdk/client-secrets-manager';
import type { OperationRecord, OperationStore, PassName } from '../../ports/operations.ts';
import { decodeCluster, encodeCluster } from '../../state/codec/health.ts';
import { decodeInstant } from '../../state/codec/text.ts';
import type { Trouble } from '../../state/health.ts';
import { callSecrets, isRefusal } from './calls.ts';
import type { DescribedSecret } from './described.ts';

/** The tag of each pass. Each function may write its own only (infra/template/tag-keys.ts). */
export const passTags: Readonly<Record<PassName, string>> = {
  issue: 'certrelay:issuePass',
  deploy: 'certrelay:deployPass',
  probe: 'certrelay:probePass',
  discover: 'certrelay:discoverPass',
};

/** `OperationStore` in AWS Secrets Manager. */
export class SecretOperations implements OperationStore {
  readonly #client: SecretsManagerClient;
  readonly #described: DescribedSecret;
  readonly #secret: string;

  /** `secret`: `<prefix>/installation`. */
  constructor(client: SecretsManagerClient, secret: DescribedSecret) {
    this.#client = client;
    this.#described = secret;
    this.#secret = secret.name;
  }

  async read(signal: AbortSignal): Promise<OperationRecord> {
    const described = await this.#described.describe(signal);
    const tags = new Map((described?.Tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value]));
    const passes = Object.entries(passTags).flatMap(([pass, key]) => {
      const end = decodeInstant(tags.get(key) ?? '');
      return end ? [[pass, end] as const] : [];
    });
    const clusters = [...tags].flatMap((tag) => decodeCluster(...tag) ?? []);
    return {
      passes: Object.fromEntries(passes),
      clusters: Object.fromEntries(clusters.map(({ cluster, trouble }) => [cluster, trouble])),
    };
  }

  async recordEnd(pass: Exclude<PassName, 'issue'>, at: Date, signal: AbortSignal): Promise<void> {
    await this.#tag(passTags[pass], at.toISOString(), signal);
  }

  async recordCluster(cluster: string, trouble: Trouble | null, signal: AbortSignal): Promise<void> {
    const [key, value] = encodeCluster(cluster, trouble);
    if (trouble) return this.#tag(key, value, signal);
    // Taken away and not emptied: there are 50 tags, and may be more clusters.
    const request = { SecretId: this.#secret, TagKeys: [key] };
    await this.#call('UntagResource', signal, (options) =>
      this.#client.send(new UntagResourceCommand(request), options),
    );
  }

  async #tag(Key: string, Value: string, signal: AbortSignal): Promise<void> {
    const request = { SecretId: this.#secret, Tags: [{ Key, Value }] };
    await this.#call('TagResource', signal, (options) =>
      this.#client.send(new TagResourceCommand(request), options),
    );
  }

  /** The answer of AWS; `undefined` if there is no AWS secret. */
  async #call<T>(
    action: string,
    signal: AbortSignal,
    send: (options: { readonly abortSignal: AbortSignal }) => Promise<T>,
  ): Promise<T | undefined> {
    try {
      return await callSecrets(action, this.#secret, signal, send);
    } catch (error) {
      if (isRefusal(error, 'ResourceNotFoundException')) return undefined;
      throw error;
    }
  }
}
