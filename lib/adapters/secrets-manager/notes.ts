// Stores what `status` remembers as the value of the AWS secret `<prefix>/installation`.
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import * as z from 'zod';
import type { NotesStore, StatusNotes } from '../../ports/notes.ts';
import { healthWords, type SubjectNote, tellers } from '../../state/health.ts';
import { callSecrets, checkSize, isRefusal } from './calls.ts';

const instant = z.iso.datetime().transform((text) => new Date(text));
const note = z.object({
  health: z.enum(healthWords),
  reason: z.string(),
  since: instant,
  told: z.array(z.enum(tellers)),
  wasDegraded: z.literal(true).optional().catch(undefined),
  isCaused: z.literal(true).optional().catch(undefined),
  turn: z.string().optional().catch(undefined),
  acknowledged: z.object({ until: instant, reason: z.string(), words: z.string() }).optional(),
  wellSince: instant.optional().catch(undefined),
});
/** The shape of the value. Versions before had `{"version":1}`, which says nothing. */
const value = z.object({
  version: z.literal(1),
  began: instant,
  // One note that cannot be read loses itself alone.
  subjects: z.record(z.string(), z.unknown()).default({}),
  digestedAt: instant.optional().catch(undefined),
  writes: z
    .object({ since: instant, count: z.int().min(0), last: instant })
    .optional()
    .catch(undefined),
});

/** `NotesStore` in AWS Secrets Manager. */
export class SecretNotes implements NotesStore {
  readonly #client: SecretsManagerClient;
  readonly #secret: string;
  readonly #uuid: () => string;

  /** `uuid`: a new random UUID at each call, for version ids. */
  constructor(client: SecretsManagerClient, prefix: string, uuid: () => string) {
    this.#client = client;
    this.#secret = `${prefix}/installation`;
    this.#uuid = uuid;
  }

  async read(signal: AbortSignal): Promise<StatusNotes | undefined> {
    try {
      const { SecretString } = await callSecrets('GetSecretValue', this.#secret, signal, (options) =>
        this.#client.send(new GetSecretValueCommand({ SecretId: this.#secret }), options),
      );
      return parse(SecretString ?? '');
    } catch (error) {
      if (isRefusal(error, 'ResourceNotFoundException')) return undefined;
      throw error;
    }
  }

  async write(notes: StatusNotes, signal: AbortSignal): Promise<void> {
    const SecretString = checkSize(JSON.stringify({ version: 1, ...notes }), this.#secret);
    const ClientRequestToken = this.#uuid();
    try {
      const request = { SecretId: this.#secret, SecretString, ClientRequestToken };
      await callSecrets('PutSecretValue', this.#secret, signal, (options) =>
        this.#client.send(new PutSecretValueCommand(request), options),
      );
    } catch (error) {
      if (!isRefusal(error, 'ResourceNotFoundException')) throw error;
      const request = { Name: this.#secret, SecretString, ClientRequestToken };
      await callSecrets('CreateSecret', this.#secret, signal, (options) =>
        this.#client.send(new CreateSecretCommand(request), options),
      );
    }
  }
}

function parse(text: string): StatusNotes | undefined {
  const read = value.safeParse(toJson(text));
  if (!read.success) return undefined;
  const { began, subjects, digestedAt, writes } = read.data;
  const known = Object.entries(subjects).flatMap(([subject, told]): readonly [string, SubjectNote][] => {
    const one = note.safeParse(told);
    return one.success ? [[subject, one.data]] : [];
  });
  const times = { ...(digestedAt && { digestedAt }), ...(writes && { writes }) };
  return { began, subjects: Object.fromEntries(known), ...times };
}

function toJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
