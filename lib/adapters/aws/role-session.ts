// Assumes an IAM role that the inventory names (STS AssumeRole), and renews its session before it expires.
import { AssumeRoleCommand, STSClient, type STSClientConfig } from '@aws-sdk/client-sts';
import { once } from '../../async/promise-cache.ts';
import type { Clock } from '../../ports/clock.ts';
import { readAwsFailure } from './failure.ts';
import { awsTimeouts } from './timeouts.ts';

/** AWS credentials of a role's session. */
export interface SessionCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: Date;
}

/** Why a role cannot be assumed. `Denied`: AWS refuses it; the refusal is kept for the whole run.
 *  `Throttled`: too many requests in the account. `Failed`: anything else. */
export type RoleFailure = 'Denied' | 'Throttled' | 'Failed';

/** Which role, and how STS is reached. */
export interface RoleSessionOptions {
  readonly roleArn: string;
  /** The `sts:ExternalId` that the role's trust policy requires. */
  readonly externalId?: string | undefined;
  /** Path of the role in the inventory, for messages, e.g. `dns.zones`. */
  readonly namedAt: string;
  /** Makes the error to throw: one of the adapter that needs the role. */
  readonly fail: (code: RoleFailure, message: string, options?: { readonly cause?: unknown }) => Error;
  /** Name of the session, which CloudTrail shows. A character that STS does not allow becomes a hyphen. */
  readonly sessionName: string;
  readonly clock: Clock;
  /** Overrides what the SDK reads from the environment (region, credentials, endpoint). */
  readonly config?: STSClientConfig | undefined;
}

/** A session is renewed this long before it expires: longer than one call can take with all its attempts. */
const marginMs = 5 * 60_000;

/** The session of one role. The first call opens a connection. */
export class RoleSession {
  readonly #options: RoleSessionOptions;
  readonly #client: STSClient;
  readonly #current = once((signal: AbortSignal) => this.#assume(signal), {
    isFresh: ({ expiration }) => expiration.getTime() - this.#options.clock.now().getTime() > marginMs,
    keepsFailure: () => this.#isRefused,
  });
  #isRefused = false;

  constructor(options: RoleSessionOptions) {
    this.#options = options;
    this.#client = new STSClient({ requestHandler: awsTimeouts, ...options.config });
  }

  /** Credentials that are valid for at least 5 more minutes. They are shared until then. A refusal is kept
   *  for the run.
   *  @throws the error that `fail` makes; its message says what to change. */
  credentials(signal: AbortSignal): Promise<SessionCredentials> {
    return this.#current(signal);
  }

  async #assume(signal: AbortSignal): Promise<SessionCredentials> {
    const { roleArn, externalId, sessionName, fail } = this.#options;
    const command = new AssumeRoleCommand({
      RoleArn: roleArn,
      RoleSessionName: sessionName.replaceAll(/[^\w+=,.@-]/g, '-').slice(0, 64),
      ExternalId: externalId,
    });
    try {
      const { Credentials } = await this.#client.send(command, { abortSignal: signal });
      const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = Credentials ?? {};
      if (AccessKeyId && SecretAccessKey && SessionToken && Expiration) {
        return {
          accessKeyId: AccessKeyId,
          secretAccessKey: SecretAccessKey,
          sessionToken: SessionToken,
          expiration: Expiration,
        };
      }
    } catch (error) {
      const failure = explain(error, this.#options, signal);
      this.#isRefused = failure.code === 'Denied';
      throw fail(failure.code, failure.message, { cause: failure.cause });
    }
    throw fail('Failed', `AWS answered sts:AssumeRole of ${roleArn} without credentials`);
  }
}

/** The code and the message for a failed AssumeRole. */
function explain(
  error: unknown,
  { roleArn, externalId, namedAt }: RoleSessionOptions,
  signal: AbortSignal,
): { readonly code: RoleFailure; readonly message: string; readonly cause: unknown } {
  if (signal.aborted) {
    const message = `the run ended before sts:AssumeRole of ${roleArn} was answered`;
    return { code: 'Failed', message, cause: signal.reason };
  }
  const { kind, cause } = readAwsFailure(error);
  if (kind === 'denied') {
    const principal = principalIn(cause instanceof Error ? cause.message : '');
    const condition =
      externalId === undefined ? '' : ', with the externalId of the inventory as sts:ExternalId,';
    const message = `AWS refused to let ${principal} assume the role ${roleArn} of ${namedAt}: its trust policy must allow sts:AssumeRole to that principal${condition} and the principal's own policy must allow sts:AssumeRole on the role (run serverless deploy after a change of ${namedAt})`;
    return { code: 'Denied', message, cause };
  }
  if (kind === 'throttled') {
    return { code: 'Throttled', message: `AWS throttled sts:AssumeRole of ${roleArn}`, cause };
  }
  return { code: 'Failed', message: `sts:AssumeRole of ${roleArn} failed`, cause };
}

/** ARN of the role that STS refused. STS names the ARN of its session, but a trust policy needs that of the
 *  role. */
function principalIn(refusal: string): string {
  const [, arn] = /^User: (\S+) is not authorized/.exec(refusal) ?? [];
  if (arn === undefined) return "the function's IAM role";
  const [, partition, account, role] = /^arn:([\w-]+):sts::(\d+):assumed-role\/([^/]+)\//.exec(arn) ?? [];
  return role === undefined ? arn : `arn:${partition}:iam::${account}:role/${role}`;
}
