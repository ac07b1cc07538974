// Stores the record of the installation as tags of the AWS secret `<prefix>/installation`.
import {
  CreateSecretCommand,
  type SecretsManagerClient,
  TagResourceCommand,
} from '@aws-sdk/client-secrets-manager';
import type { InstallationRecord, InstallationStore } from '../../ports/installation.ts';
import { StoreError } from '../../ports/store.ts';
import type { FailingChannel, ToldIncident } from '../../state/channels.ts';
import { failingChannels, toldIncidents } from '../../state/codec/channels.ts';
import { decodeInstant, fromParts, toParts } from '../../state/codec/text.ts';
import { callSecrets, isRefusal } from './calls.ts';
import type { DescribedSecret } from './described.ts';
import { toList } from './entry.ts';
import { passTags } from './operations.ts';

/** Tags by field. Each function may write only its own (infra/template/roles.yml). */
const tags = {
  firstRun: 'certrelay:firstRun',
  isUpgraded: 'certrelay:upgraded',
  lastPass: passTags.issue,
  comparedUntil: 'certrelay:comparedUntil',
} as const;

/** Fields of the tags that `notify` writes, without `certrelay:`. */
const channelsField = 'channels';
/** Named after what it was made for. */
const incidentsField = 'closed';

/** Value of the tag `lastPass` until a run has ended. An empty tag, which a person made, does not mean
 *  this. */
const open = 'open';

/** `InstallationStore` in AWS Secrets Manager. The value of the AWS secret contains nothing secret. */
export class SecretInstallation implements InstallationStore {
  readonly #client: SecretsManagerClient;
  readonly #described: DescribedSecret;
  readonly #secret: string;
  readonly #uuid: () => string;

  /** `secret`: `<prefix>/installation`. `uuid`: a new random UUID at each call, for version ids. */
  constructor(client: SecretsManagerClient, secret: DescribedSecret, uuid: () => string) {
    this.#client = client;
    this.#described = secret;
    this.#secret = secret.name;
    this.#uuid = uuid;
  }

  async read(signal: AbortSignal): Promise<InstallationRecord | undefined> {
    const { Tags = [], DeletedDate } = (await this.#described.describe(signal)) ?? {};
    if (DeletedDate) {
      const message = `the AWS secret ${this.#secret} is scheduled for deletion: restore it (aws secretsmanager restore-secret --secret-id ${this.#secret})`;
      throw new StoreError('Failed', message);
    }
    const values = new Map(Tags.map(({ Key = '', Value = '' }) => [Key, Value]));
    // Another function has made it: `issue` has not run here yet.
    return values.has(tags.firstRun) || values.has(tags.lastPass) ? toRecord(values) : undefined;
  }

  async create(
    { firstRun, isUpgraded }: Pick<InstallationRecord, 'firstRun' | 'isUpgraded'>,
    signal: AbortSignal,
  ): Promise<void> {
    const values = {
      [tags.firstRun]: firstRun.toISOString(),
      [tags.isUpgraded]: isUpgraded ? 'yes' : 'no',
      [tags.lastPass]: open,
    };
    const request = {
      Name: this.#secret,
      SecretString: '{"version":1}',
      ClientRequestToken: this.#uuid(),
      Tags: toList(values),
    };
    try {
      await callSecrets('CreateSecret', this.#secret, signal, (options) =>
        this.#client.send(new CreateSecretCommand(request), options),
      );
    } catch (error) {
      if (!isRefusal(error, 'ResourceExistsException')) throw error;
      if ((await this.read(signal)) === undefined) await this.#tag(values, signal);
    }
  }

  async recordPass(
    { endedAt, comparedUntil }: { readonly endedAt: Date; readonly comparedUntil: Date },
    signal: AbortSignal,
  ): Promise<void> {
    const ends = { [tags.lastPass]: endedAt, [tags.comparedUntil]: comparedUntil };
    const values = Object.entries(ends).map(([key, at]) => [key, at.toISOString()] as const);
    await this.#tag(Object.fromEntries(values), signal);
  }

  async #tag(values: Readonly<Record<string, string>>, signal: AbortSignal): Promise<void> {
    const request = { SecretId: this.#secret, Tags: toList(values) };
    await callSecrets('TagResource', this.#secret, signal, (options) =>
      this.#client.send(new TagResourceCommand(request), options),
    );
  }

  async recordChannels(channels: readonly FailingChannel[], signal: AbortSignal): Promise<void> {
    await this.#tag(Object.fromEntries(toParts(channelsField, failingChannels.write(channels))), signal);
  }

  async recordIncidents(told: readonly ToldIncident[], signal: AbortSignal): Promise<void> {
    await this.#tag(Object.fromEntries(toParts(incidentsField, toldIncidents.write(told))), signal);
  }
}

/** The record in the tags. A first run that cannot be read counts as 1970, so that no certificate counts as
 *  new. */
function toRecord(values: ReadonlyMap<string, string>): InstallationRecord {
  const instant = (key: string) => decodeInstant(values.get(key) ?? '');
  const lastPass = values.get(tags.lastPass);
  const channels = failingChannels.read(fromParts(channelsField, values) ?? '');
  const told = toldIncidents.read(fromParts(incidentsField, values) ?? '');
  return {
    firstRun: instant(tags.firstRun) ?? new Date(0),
    isUpgraded: values.get(tags.isUpgraded) !== 'no',
    lastPass: lastPass === open ? open : instant(tags.lastPass),
    comparedUntil: instant(tags.comparedUntil),
    ...(channels && channels.length > 0 ? { failingChannels: channels } : {}),
    ...(told && told.length > 0 ? { toldIncidents: told } : {}),
  };
}
