// Connects to AWS Secrets Manager: certificates, accounts, agents, and texts such as webhook secrets.
import {
  GetSecretValueCommand,
  SecretsManagerClient,
  type SecretsManagerClientConfig,
} from '@aws-sdk/client-secrets-manager';
import type { AccountStore } from '../../ports/accounts.ts';
import type { AgentRegistry } from '../../ports/agents.ts';
import type { InstallationStore } from '../../ports/installation.ts';
import type { NotesStore } from '../../ports/notes.ts';
import type { OperationStore } from '../../ports/operations.ts';
import type { RetirementStore } from '../../ports/retirement.ts';
import { type CertificateStore, type ReadText, StoreError } from '../../ports/store.ts';
import { awsTimeouts } from '../aws/timeouts.ts';
import { SecretAccounts } from './accounts.ts';
import { SecretAgents } from './agents.ts';
import { callSecrets, isRefusal } from './calls.ts';
import { SecretCertificates } from './certificates.ts';
import { DescribedSecret } from './described.ts';
import { SecretInstallation } from './installation.ts';
import { SecretOperations } from './operations.ts';
import { SecretRetirements } from './retirements.ts';

/** What a connection needs. */
export interface SecretsManagerOptions {
  /** First part of every AWS secret's name, without a slash at the end. */
  readonly prefix: string;
  /** A new random UUID at each call, for version ids. */
  readonly uuid: () => string;
  /** Tags of the operator's own for certificates' AWS secrets that are made. */
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** ARN of the KMS key of certificates' AWS secrets that are made; absent: AWS's own key. */
  readonly kmsKey?: string | undefined;
  /** Overrides what the SDK reads from the environment (region, credentials, endpoint). */
  readonly config?: SecretsManagerClientConfig;
}

/** Everything that Certrelay keeps in AWS Secrets Manager. */
export interface SecretsManagerConnection {
  readonly certificates: CertificateStore;
  readonly retirements: RetirementStore;
  readonly accounts: AccountStore;
  readonly installation: InstallationStore;
  readonly operations: OperationStore;
  readonly notes: NotesStore;
  readonly readText: ReadText;
  readonly agents: AgentRegistry;
  /** The private key that statements for agents are signed with, as PKCS#8 PEM. The first call ever stores
   *  the key that `generate` returns.
   *  @throws StoreError, e.g. `Failed` if the AWS secret contains something else. */
  readonly signingKey: (generate: () => string, signal: AbortSignal) => Promise<string>;
  /** The public key that belongs to it, from a tag; `undefined` if there is no key yet. */
  readonly publicKey: (signal: AbortSignal) => Promise<string | undefined>;
  /** Closes idle connections. */
  readonly close: () => void;
}

/** A connection; the first call opens it. The SDK tries a call up to 3 times after a temporary failure. */
export function connectSecretsManager({
  prefix,
  uuid,
  tags = {},
  kmsKey,
  config,
}: SecretsManagerOptions): SecretsManagerConnection {
  const client = new SecretsManagerClient({ requestHandler: awsTimeouts, ...config });
  const installation = new DescribedSecret(client, `${prefix}/installation`);
  // Only `status` and `dashboard` read notes.
  const openNotes = async () => new (await import('./notes.ts')).SecretNotes(client, prefix, uuid);
  return {
    certificates: new SecretCertificates(client, { prefix, uuid, tags, kmsKey }),
    retirements: new SecretRetirements(client, prefix),
    accounts: new SecretAccounts(client, prefix, uuid),
    installation: new SecretInstallation(client, installation, uuid),
    operations: new SecretOperations(client, installation),
    notes: {
      read: async (signal) => (await openNotes()).read(signal),
      write: async (notes, signal) => (await openNotes()).write(notes, signal),
    },
    agents: new SecretAgents(client, prefix),
    async readText(secret, signal) {
      const read = callSecrets('GetSecretValue', secret, signal, (options) =>
        client.send(new GetSecretValueCommand({ SecretId: secret }), options),
      );
      const { SecretString, SecretBinary } = await read.catch((error: unknown) => {
        if (!isRefusal(error, 'ResourceNotFoundException')) throw error;
        const message = `the AWS secret ${secret} does not exist, or has no value yet: create it`;
        throw new StoreError('Failed', message, { cause: error });
      });
      return SecretString ?? new TextDecoder().decode(SecretBinary);
    },
    async signingKey(generate, signal) {
      const { obtainSigningKey } = await import('./signing-key.ts');
      return obtainSigningKey(client, { secret: `${prefix}/signing-key`, uuid, generate }, signal);
    },
    async publicKey(signal) {
      const { readPublicKey } = await import('./signing-key.ts');
      return readPublicKey(client, `${prefix}/signing-key`, signal);
    },
    close: () => client.destroy(),
  };
}
