// The webhook: POST /domains asks for a certificate, signed as Standard Webhooks say.
import { randomUUID } from 'node:crypto';
import { connectSecretsManager } from '../lib/adapters/secrets-manager/connection.ts';
import { connectIssueQueue } from '../lib/adapters/sqs/issue-queue.ts';
import { createEndpoint } from '../lib/adapters/webhook/endpoint.ts';
import { rememberGithubStanding } from '../lib/adapters/webhook/github.ts';
import type { HttpAnswer } from '../lib/adapters/webhook/http.ts';
import { type ReadSecrets, rememberSecrets } from '../lib/adapters/webhook/secrets.ts';
import { ConfigError } from '../lib/ports/errors.ts';
import type { IssueQueue } from '../lib/ports/queues.ts';
import type { CertificateStore } from '../lib/ports/store.ts';
import { createRegister } from '../lib/register/registration.ts';
import { beginInvocation, type Context, type Invocation } from './runtime/invocation.ts';

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
