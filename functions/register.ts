// The webhook: POST /domains asks for a certificate, signed as Standard Webhooks say.
import { randomUUID } from 'node:crypto';
import { ConfigError } from '../lib/config.ts';
import type { CertificateStore, IssueQueue } from '../lib/ports.ts';
import { createRegister } from '../lib/register/registration.ts';
import { connectSecretsManager } from '../lib/secrets-manager/connection.ts';
import { connectIssueQueue } from '../lib/sqs/issue-queue.ts';
import { createEndpoint } from '../lib/webhook/endpoint.ts';
import { rememberGithubStanding } from '../lib/webhook/github.ts';
import type { HttpAnswer } from '../lib/webhook/http.ts';
import { type ReadSecrets, rememberSecrets } from '../lib/webhook/secrets.ts';
import { beginInvocation, type Context, type Invocation } from './invocation.ts';

interface Connections {
  readonly store: CertificateStore;
  readonly queue: IssueQueue;
  readonly readSecrets: ReadSecrets;
  readonly githubStandingOf: ReturnType<typeof rememberGithubStanding>;
}

// Kept from call to call, so that a flood of requests reads the signing secret once a minute.
let connections: Connections | undefined;

/** Answers an event of an HTTP API (payload 2.0). @throws ConfigError where settings or inventory are wrong. */
export async function handler(event: unknown, context: Context): Promise<HttpAnswer> {
  const invocation = await beginInvocation(context);
  const { inventory, log, clock, id, signal } = invocation;
  connections ??= connect(invocation);
  const { store, queue, readSecrets, githubStandingOf } = connections;
  const register = createRegister({ inventory, store, queue, log });
  const githubAllowedUntil = githubStandingOf(inventory.registration, log);
  return createEndpoint({ readSecrets, register, githubAllowedUntil, clock, log })(event, id, signal);
}

function connect({ settings, clock }: Invocation): Connections {
  const { prefix, webhookSecret, issueQueueUrl } = settings;
  if (!issueQueueUrl) {
    throw new ConfigError(
      'Settings',
      'CERTRELAY_ISSUE_QUEUE_URL must be set: registrations are told to issue by it',
    );
  }
  const secrets = connectSecretsManager({ prefix, uuid: randomUUID });
  return {
    store: secrets.certificates,
    queue: connectIssueQueue({ url: issueQueueUrl }),
    readSecrets: rememberSecrets((signal) => secrets.readText(webhookSecret, signal), clock),
    githubStandingOf: rememberGithubStanding({
      installation: secrets.installation,
      store: secrets.certificates,
      clock,
    }),
  };
}
