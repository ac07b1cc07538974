// AWS Secrets Manager without a network: the sandbox's part behind an SDK client that hands its commands over
// in this process, so that the real adapter works on it. Signing and HTTP are left out: they take most time.
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SecretCertificates } from '../../lib/adapters/secrets-manager/certificates.ts';
import { DescribedSecret } from '../../lib/adapters/secrets-manager/described.ts';
import { SecretInstallation } from '../../lib/adapters/secrets-manager/installation.ts';
import { readValue } from '../../lib/adapters/secrets-manager/values.ts';
import type { StoredCertificate } from '../../lib/certificate/stored.ts';
import type { InstallationStore } from '../../lib/ports/installation.ts';
import type { CertificateStore } from '../../lib/ports/store.ts';
import { decodeState } from '../../lib/state/codec/tags.ts';
import type { CertificateState } from '../../lib/state/state.ts';
import { changingActions } from '../sandbox/secrets-manager/actions.ts';
import { readingActions } from '../sandbox/secrets-manager/reading.ts';
import { Refusal } from '../sandbox/secrets-manager/refusal.ts';
import { Vault } from '../sandbox/secrets-manager/vault.ts';
import type { VirtualClock } from './clock.ts';

const folder = 'certrelay/certificates/';

/** A call of the API as the SDK has sent it. */
export interface SecretsCall {
  readonly action: string;
  /** Name of the certificate or of the AWS secret; `*` for a list. */
  readonly subject: string;
  readonly isWrite: boolean;
}

/** Answers a call by `act`, or fails it as the SDK does: it throws what AWS answered, or the connection. */
export type CallSecrets = (
  call: SecretsCall,
  act: () => object,
  signal: AbortSignal | undefined,
) => Promise<object>;

/** What one invocation keeps in Secrets Manager. */
export interface SimulatedStore {
  readonly certificates: CertificateStore;
  readonly installation: InstallationStore;
}

/** What is stored of one certificate, as it is and not as lists show it. */
export interface KeptCertificate {
  readonly current: string | undefined;
  readonly certificate: StoredCertificate | undefined;
  readonly isClaimed: boolean;
  readonly state: CertificateState;
}

/** All AWS secrets of one simulation. */
export class MemorySecrets {
  readonly vault: Vault;
  /** How old the state is that lists show, in milliseconds. */
  listLagMs = 0;
  /** Is told of each label that came to a version. */
  onLabel: (certificate: string, label: string, version: string) => void = () => undefined;
  readonly #actions;

  constructor(clock: VirtualClock) {
    this.vault = new Vault(
      () => new Date(clock.now),
      ({ name }, label, version) => {
        if (name.startsWith(folder)) this.onLabel(name.slice(folder.length), label, version);
      },
    );
    this.#actions = { ...changingActions, ...readingActions(() => this.listLagMs) };
  }

  /** A connection of one invocation. */
  connect(uuid: () => string, call: CallSecrets): SimulatedStore {
    const send = async (command: SentCommand, { abortSignal }: SendOptions = {}) => {
      const action = command.constructor.name.replace(/Command$/, '');
      // What goes over the wire is text, and nothing that is undefined.
      const input: unknown = JSON.parse(JSON.stringify(command.input));
      const asked = { action, subject: subjectOf(input), isWrite: !/^(Get|List|Describe)/.test(action) };
      return call(asked, () => this.#answer(action, input), abortSignal);
    };
    const client: SecretsManagerClient = Object.assign(Object.create(idleClient), { send });
    return {
      certificates: new SecretCertificates(client, { prefix: 'certrelay', uuid }),
      installation: new SecretInstallation(
        client,
        new DescribedSecret(client, 'certrelay/installation'),
        uuid,
      ),
    };
  }

  /** What is stored of a certificate; `undefined` if there is no AWS secret. */
  look(certificate: string): KeptCertificate | undefined {
    const secret = this.vault.find(folder + certificate);
    if (!secret) return undefined;
    const current = secret.labels.get('AWSCURRENT');
    const value = readValue(secret.versions.get(current ?? '')?.value.text);
    return {
      current,
      certificate: value.kind === 'certificate' ? value.certificate : undefined,
      isClaimed: secret.labels.has('AWSPENDING'),
      state: decodeState(secret.tags),
    };
  }

  /** What its tags say; `undefined` if there is no AWS secret. */
  stateOf(certificate: string): CertificateState | undefined {
    const secret = this.vault.find(folder + certificate);
    return secret && decodeState(secret.tags);
  }

  #answer(action: string, input: unknown): object {
    try {
      const act = this.#actions[action];
      if (!act) throw new Refusal('UnknownOperationException', `there is no operation ${action}`);
      return withDates(JSON.parse(JSON.stringify(act(this.vault, input))));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      throw awsError(error.code, error.message);
    }
  }
}

interface SentCommand {
  readonly constructor: { readonly name: string };
  readonly input: object;
}

interface SendOptions {
  readonly abortSignal?: AbortSignal | undefined;
}

/** Makes no call of its own. */
const idleClient = new SecretsManagerClient({
  region: 'eu-central-1',
  credentials: { accessKeyId: 'simulation', secretAccessKey: 'simulation' },
});

/** What the SDK throws for an answer with this error. */
export function awsError(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}

/** Instants are seconds on the wire, and dates for those who call the SDK. */
function withDates(answer: unknown): object {
  if (typeof answer !== 'object' || answer === null) return {};
  if (Array.isArray(answer)) return answer.map(dateWithin);
  return Object.fromEntries(
    Object.entries(answer).map(([name, value]) => [
      name,
      name.endsWith('Date') ? new Date(Number(value) * 1_000) : dateWithin(value),
    ]),
  );
}

function dateWithin(value: unknown): unknown {
  return typeof value === 'object' ? withDates(value) : value;
}

function subjectOf(input: unknown): string {
  const named = typeof input === 'object' && input !== null ? input : {};
  const id = 'SecretId' in named ? named.SecretId : 'Name' in named ? named.Name : '*';
  return String(id).replace(folder, '');
}
