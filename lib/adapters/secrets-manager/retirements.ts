// Schedules the deletion of certificates' AWS secrets, and cancels it.
import {
  DeleteSecretCommand,
  DescribeSecretCommand,
  ListSecretsCommand,
  RemoveRegionsFromReplicationCommand,
  RestoreSecretCommand,
  type SecretsManagerClient,
  type Tag,
} from '@aws-sdk/client-secrets-manager';
import { isCertificateName } from '../../certificate/certificate-name.ts';
import type { DeletedEntry, RetirementStore } from '../../ports/retirement.ts';
import { decodeState } from '../../state/codec/tags.ts';
import { callSecrets, isAwaitingDeletion, isRefusal } from './calls.ts';

/** AWS's longest window. Roles may ask for no other (infra/template/roles.yml). */
const windowDays = 30;
const dayMs = 86_400_000;

/** `RetirementStore` in AWS Secrets Manager. */
export class SecretRetirements implements RetirementStore {
  readonly #client: SecretsManagerClient;
  readonly #folder: string;

  constructor(client: SecretsManagerClient, prefix: string) {
    this.#client = client;
    this.#folder = `${prefix}/certificates/`;
  }

  async listDeleted(signal: AbortSignal): Promise<readonly DeletedEntry[]> {
    const entries: DeletedEntry[] = [];
    let next: string | undefined;
    do {
      const request = {
        Filters: [{ Key: 'name' as const, Values: [this.#folder] }],
        IncludePlannedDeletion: true,
        MaxResults: 100,
        NextToken: next,
      };
      const page = await callSecrets('ListSecrets', '*', signal, (options) =>
        this.#client.send(new ListSecretsCommand(request), options),
      );
      for (const { Name = '', DeletedDate, Tags } of page.SecretList ?? []) {
        const name = Name.slice(this.#folder.length);
        const isOurs = Name.startsWith(this.#folder) && isCertificateName(name);
        if (isOurs && DeletedDate) entries.push(toEntry(name, DeletedDate, Tags));
      }
      next = page.NextToken;
    } while (next !== undefined);
    return entries.toSorted((one, other) => (one.name < other.name ? -1 : 1));
  }

  async findDeleted(name: string, signal: AbortSignal): Promise<DeletedEntry | undefined> {
    const found = await this.#describe(name, signal);
    return found?.DeletedDate && toEntry(name, found.DeletedDate, found.Tags);
  }

  async scheduleDeletion(name: string, signal: AbortSignal): Promise<Date> {
    const secret = this.#folder + name;
    const { DeletedDate, ReplicationStatus = [] } = (await this.#describe(name, signal)) ?? {};
    if (DeletedDate) return endOfWindow(DeletedDate);
    const regions = ReplicationStatus.flatMap(({ Region }) => Region ?? []);
    if (regions.length > 0) {
      const request = { SecretId: secret, RemoveReplicaRegions: regions };
      await callSecrets('RemoveRegionsFromReplication', secret, signal, (options) =>
        this.#client.send(new RemoveRegionsFromReplicationCommand(request), options),
      );
    }
    return this.#delete(name, signal);
  }

  async #delete(name: string, signal: AbortSignal): Promise<Date> {
    const secret = this.#folder + name;
    const request = { SecretId: secret, RecoveryWindowInDays: windowDays };
    try {
      const { DeletionDate } = await callSecrets('DeleteSecret', secret, signal, (options) =>
        this.#client.send(new DeleteSecretCommand(request), options),
      );
      return DeletionDate ?? endOfWindow(new Date());
    } catch (error) {
      // Another run was faster, or the answer of the first attempt was lost.
      const found = isAwaitingDeletion(error) ? await this.findDeleted(name, signal) : undefined;
      if (found) return found.until;
      throw error;
    }
  }

  async restore(name: string, signal: AbortSignal): Promise<void> {
    const secret = this.#folder + name;
    await callSecrets('RestoreSecret', secret, signal, (options) =>
      this.#client.send(new RestoreSecretCommand({ SecretId: secret }), options),
    );
  }

  async #describe(name: string, signal: AbortSignal) {
    const secret = this.#folder + name;
    try {
      return await callSecrets('DescribeSecret', secret, signal, (options) =>
        this.#client.send(new DescribeSecretCommand({ SecretId: secret }), options),
      );
    } catch (error) {
      if (isRefusal(error, 'ResourceNotFoundException')) return undefined;
      throw error;
    }
  }
}

function toEntry(name: string, deletedDate: Date, list: readonly Tag[] = []): DeletedEntry {
  const tags = new Map(list.map(({ Key = '', Value = '' }) => [Key, Value]));
  return { name, until: endOfWindow(deletedDate), state: decodeState(tags) };
}

/** AWS documents `DeletedDate` as the day of the request (ListSecrets) and as the scheduled day
 *  (DescribeSecret). One that has passed is taken for the day of the request. */
function endOfWindow(deletedDate: Date): Date {
  const isEnd = deletedDate.getTime() > Date.now();
  return isEnd ? deletedDate : new Date(deletedDate.getTime() + windowDays * dayMs);
}
