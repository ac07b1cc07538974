// AWS Secrets Manager for the sandbox: its AWS JSON 1.1 protocol over HTTP, as strict as its API reference.
import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { type Answer, type Part, type Request, type Surroundings, serve } from '../http-server.ts';
import { tagConditions } from '../iam/condition-keys.ts';
import type { AccessRequest } from '../iam/evaluation.ts';
import { readSignature } from '../principal.ts';
import { changingActions } from './actions.ts';
import { readingActions } from './reading.ts';
import { Refusal } from './refusal.ts';
import { Vault } from './vault.ts';

/** EventBridge's `Secret Label Updated`, sent for every label but AWSPENDING and AWSPREVIOUS. */
export interface LabelEvent {
  /** Name of the AWS secret. */
  readonly name: string;
  readonly arn: string;
  readonly labelUpdated: string;
  readonly versionId: string;
}

/** What a test may change while it runs. */
export interface SecretsManagerSettings {
  /** How old the state is that ListSecrets (and BatchGetSecretValue by filter) shows; AWS documents up to 5
   *  minutes. */
  listLagMs: number;
}

export interface SecretsManager {
  /** For `AWS_ENDPOINT_URL_SECRETS_MANAGER`. */
  readonly url: string;
  /** Secrets without the protocol: to look at, and to write by hand as a person in the console would. */
  readonly vault: Vault;
  readonly settings: SecretsManagerSettings;
  stop(): Promise<void>;
}

const target = /^secretsmanager\.(\w+)$/;
const subject = z.object({ SecretId: z.string().optional(), Name: z.string().optional() });

/** Starts it with nothing stored. Only signed requests are answered. */
export async function startSecretsManager({
  onLabel,
  now = () => new Date(),
  ...surroundings
}: Surroundings & {
  readonly onLabel?: (event: LabelEvent) => void;
  readonly now?: () => Date;
}): Promise<SecretsManager> {
  const settings: SecretsManagerSettings = { listLagMs: 0 };
  const vault = new Vault(now, ({ name, arn }, labelUpdated, versionId) => {
    if (labelUpdated !== 'AWSPENDING' && labelUpdated !== 'AWSPREVIOUS')
      onLabel?.({ name, arn, labelUpdated, versionId });
  });
  const actions = { ...changingActions, ...readingActions(() => settings.listLagMs) };

  const part: Part = {
    service: 'secretsmanager',
    describe(request) {
      const action = target.exec(String(request.headers['x-amz-target'] ?? ''))?.[1];
      if (action === undefined) return undefined;
      const principal = readSignature(request.headers.authorization)?.principal ?? 'unknown';
      const resource = resourceOf(vault, request);
      return { action, resource, principal, needs: neededBy(action, vault, request, resource) };
    },
    handle(request) {
      try {
        checkSignature(request);
        const action = actions[target.exec(String(request.headers['x-amz-target']))?.[1] ?? ''];
        if (!action) throw new Refusal('UnknownOperationException', 'There is no such operation here.');
        return answer(200, action(vault, readJson(request)));
      } catch (error) {
        if (error instanceof Refusal) return refuse(error.code, 400, error.message);
        if (error instanceof z.ZodError) return refuse('ValidationException', 400, z.prettifyError(error));
        throw error;
      }
    },
    refuse,
    denials: {
      denied: { code: 'AccessDeniedException', status: 400 },
      unknown: { code: 'UnrecognizedClientException', status: 400 },
    },
  };
  const server = await serve(part, surroundings);
  return { url: server.url, vault, settings, stop: () => server.stop() };
}

function checkSignature(request: Request): void {
  const signature = readSignature(request.headers.authorization);
  if (!signature) throw new Refusal('MissingAuthenticationTokenException', 'Missing Authentication Token');
  if (signature.service !== 'secretsmanager')
    throw new Refusal(
      'InvalidSignatureException',
      "Credential should be scoped to correct service: 'secretsmanager'.",
    );
}

/** What DeleteSecret is judged by besides. Whether AWS sends the window where the request does not name it
 *  is not documented: here it is absent, so a policy that asks for it holds only if the request says it. */
const deletion = z.object({
  RecoveryWindowInDays: z.number().optional(),
  ForceDeleteWithoutRecovery: z.boolean().optional(),
});

function deletionConditions(action: string, request: Request): Readonly<Record<string, readonly string[]>> {
  const { RecoveryWindowInDays: days, ForceDeleteWithoutRecovery: isForced } =
    (action === 'DeleteSecret' && deletion.safeParse(parseJson(request)).data) || {};
  return {
    ...(days === undefined ? {} : { 'secretsmanager:RecoveryWindowInDays': [String(days)] }),
    ...(isForced === undefined ? {} : { 'secretsmanager:ForceDeleteWithoutRecovery': [String(isForced)] }),
  };
}

const untagged = z.object({ TagKeys: z.array(z.string()).min(1) });
const tagged = z.object({ Tags: z.array(z.object({ Key: z.string(), Value: z.string().default('') })) });

/** What IAM is asked: of the secret as it is, and of the tags that the request brings, if it can be read.
 *  Tags need the right to tag, also where they come with a new secret (User Guide, "Permissions for
 *  tagging"). */
function neededBy(
  action: string,
  vault: Vault,
  request: Request,
  resource: string,
): readonly AccessRequest[] {
  const { Tags } = tagged.safeParse(parseJson(request)).data ?? { Tags: [] };
  const requestTags = Tags.map(({ Key, Value }) => [Key, Value] as const);
  const untagging = untagged.safeParse(parseJson(request)).data;
  const conditions = {
    ...tagConditions(requestTags, vault.find(resource)?.tags ?? []),
    ...(untagging && { 'aws:TagKeys': untagging.TagKeys }),
    ...deletionConditions(action, request),
  };
  const actions = [action, ...(action === 'CreateSecret' && Tags.length > 0 ? ['TagResource'] : [])];
  // A secret that is made is judged with the six characters that it gets. Nobody documents how one that is
  // not there is: with any six, or with none. So both have to be allowed.
  const isMissing = resource !== '*' && action !== 'CreateSecret' && !vault.find(resource);
  const resources = [resource, ...(isMissing ? [resource.replace(/-[A-Za-z0-9]{6}$/, '')] : [])];
  const ofSecret = resources.flatMap((one) =>
    actions.map((name) => ({ action: `secretsmanager:${name}`, resource: one, conditions })),
  );
  return [...ofSecret, ...neededOfKey(action, vault, request, resource)];
}

/** What Secrets Manager asks of KMS in the caller's name, if the secret has a key of the customer (API
 *  reference, CreateSecret; User Guide, "Secret encryption and decryption"). */
const keyActions: Readonly<Record<string, readonly string[]>> = {
  CreateSecret: ['kms:GenerateDataKey', 'kms:Decrypt'],
  PutSecretValue: ['kms:GenerateDataKey', 'kms:Decrypt'],
  GetSecretValue: ['kms:Decrypt'],
};
const withKey = z.object({ KmsKeyId: z.string().optional() });

function neededOfKey(
  action: string,
  vault: Vault,
  request: Request,
  resource: string,
): readonly AccessRequest[] {
  const key =
    action === 'CreateSecret'
      ? withKey.safeParse(parseJson(request)).data?.KmsKeyId
      : vault.find(resource)?.kmsKey;
  if (key === undefined) return [];
  const conditions = { 'kms:ViaService': ['secretsmanager.eu-central-1.amazonaws.com'] };
  return (keyActions[action] ?? []).map((name) => ({ action: name, resource: key, conditions }));
}

function resourceOf(vault: Vault, request: Request): string {
  const named = subject.safeParse(parseJson(request)).data;
  const id = named?.SecretId ?? named?.Name;
  return id === undefined ? '*' : vault.arnOf(id);
}

function readJson(request: Request): unknown {
  const json = parseJson(request);
  if (json === undefined) throw new Refusal('ValidationException', 'The request is not JSON.');
  return json;
}

/** `undefined` for what is no JSON. */
function parseJson(request: Request): unknown {
  try {
    return JSON.parse(request.body.toString('utf8') || '{}');
  } catch {
    return undefined;
  }
}

function refuse(code: string, status: number, message: string): Answer {
  return answer(status, { __type: code, Message: message });
}

function answer(status: number, body: object): Answer {
  return {
    status,
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': randomUUID() },
    body: JSON.stringify(body),
  };
}
