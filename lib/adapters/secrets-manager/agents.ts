// Stores the records of agents as tags of AWS secrets named `<prefix>/agents/<cluster>`.
import {
  ListSecretsCommand,
  type SecretsManagerClient,
  TagResourceCommand,
} from '@aws-sdk/client-secrets-manager';
import { oneLine } from '../../policy/bounds.ts';
import type { AgentRecord, AgentRegistry } from '../../ports/agents.ts';
import { StoreError } from '../../ports/store.ts';
import { decodeInstant, decodeText, encodeText, longestTagValue } from '../../state/codec/text.ts';
import { callSecrets, isRefusal } from './calls.ts';

/** Tags by field. Roles of agents name them (infra/agent-role.yaml). */
const tags = {
  lastSeen: 'certrelay:lastSeen',
  version: 'certrelay:agentVersion',
  problem: 'certrelay:problem',
  deregistered: 'certrelay:deregistered',
} as const;

/** Longest text in characters. Encoded, each may take 3 of the 256 characters of a tag. */
const longestText = 80;

/** `AgentRegistry` in AWS Secrets Manager. */
export class SecretAgents implements AgentRegistry {
  readonly #client: SecretsManagerClient;
  readonly #folder: string;

  constructor(client: SecretsManagerClient, prefix: string) {
    this.#client = client;
    this.#folder = `${prefix}/agents/`;
  }

  async list(signal: AbortSignal): Promise<readonly AgentRecord[]> {
    const records: AgentRecord[] = [];
    let next: string | undefined;
    do {
      const request = {
        Filters: [{ Key: 'name' as const, Values: [this.#folder] }],
        MaxResults: 100,
        NextToken: next,
      };
      const page = await callSecrets('ListSecrets', '*', signal, (options) =>
        this.#client.send(new ListSecretsCommand(request), options),
      );
      for (const { Name = '', Tags = [] } of page.SecretList ?? []) {
        const values = new Map(Tags.map(({ Key = '', Value = '' }) => [Key, Value]));
        if (Name.startsWith(this.#folder)) records.push(toRecord(Name.slice(this.#folder.length), values));
      }
      next = page.NextToken;
    } while (next !== undefined);
    return records;
  }

  async record(record: AgentRecord, signal: AbortSignal): Promise<void> {
    const secret = this.#folder + record.cluster;
    const { lastSeen, version = '', problem = '', deregistered } = record;
    const texts = {
      [tags.lastSeen]: lastSeen?.toISOString() ?? '',
      [tags.version]: shorten(version),
      [tags.problem]: shorten(problem),
      [tags.deregistered]: deregistered?.toISOString() ?? '',
    };
    const Tags = Object.entries(texts).map(([Key, text]) => ({ Key, Value: encodeText(text) }));
    try {
      await callSecrets('TagResource', secret, signal, (options) =>
        this.#client.send(new TagResourceCommand({ SecretId: secret, Tags }), options),
      );
    } catch (error) {
      if (!isRefusal(error, 'ResourceNotFoundException')) throw error;
      const message = `the AWS secret ${secret} does not exist: deploy infra/agent-role.yaml for this cluster, which creates it`;
      throw new StoreError('Failed', message, { cause: error });
    }
  }
}

function toRecord(cluster: string, values: ReadonlyMap<string, string>): AgentRecord {
  const text = (key: string) => {
    const written = decodeText(values.get(key) ?? '');
    return written && oneLine(written, longestTagValue);
  };
  const instant = (key: string) => decodeInstant(text(key) ?? '');
  return {
    cluster,
    lastSeen: instant(tags.lastSeen),
    version: text(tags.version),
    problem: text(tags.problem),
    deregistered: instant(tags.deregistered),
  };
}

/** The text in printable ASCII, at most `longestText` characters. */
function shorten(text: string): string {
  return text.replace(/[^ -~]/g, '?').slice(0, longestText);
}
