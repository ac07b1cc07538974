// Describes one AWS secret for several readers.
import {
  DescribeSecretCommand,
  type DescribeSecretCommandOutput,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { callSecrets, isRefusal } from './calls.ts';

/** One AWS secret, which several stores read. */
export class DescribedSecret {
  /** Its name. */
  readonly name: string;
  readonly #client: SecretsManagerClient;
  readonly #underWay = new Map<AbortSignal, Promise<DescribeSecretCommandOutput | undefined>>();

  constructor(client: SecretsManagerClient, name: string) {
    this.#client = client;
    this.name = name;
  }

  /** What AWS says of it; `undefined` if it does not exist. Whoever asks with the same signal while a call is
   *  under way shares its answer; nothing is kept after it.
   *  @throws StoreError */
  describe(signal: AbortSignal): Promise<DescribeSecretCommandOutput | undefined> {
    const asked = this.#underWay.get(signal);
    if (asked) return asked;
    const answer = this.#call(signal).finally(() => this.#underWay.delete(signal));
    this.#underWay.set(signal, answer);
    return answer;
  }

  async #call(signal: AbortSignal): Promise<DescribeSecretCommandOutput | undefined> {
    try {
      return await callSecrets('DescribeSecret', this.name, signal, (options) =>
        this.#client.send(new DescribeSecretCommand({ SecretId: this.name }), options),
      );
    } catch (error) {
      if (isRefusal(error, 'ResourceNotFoundException')) return undefined;
      throw error;
    }
  }
}
