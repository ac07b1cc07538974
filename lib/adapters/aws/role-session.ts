// The session of a role that the inventory names: made by STS AssumeRole, renewed before it ends.
import { AssumeRoleCommand, STSClient, type STSClientConfig } from '@aws-sdk/client-sts';
import { once } from '../../async/promise-cache.ts';
import type { Clock } from '../../ports/clock.ts';
import { readAwsFailure } from './failure.ts';
import { awsTimeouts } from './timeouts.ts';

/** What requests in the role's name are signed with. */
export interface SessionCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: Date;
}

/** `Denied`: AWS refuses the role, and will for the whole run. */
export type RoleFailure = 'Denied' | 'Throttled' | 'Failed';

export interface RoleSessionOptions {
  readonly roleArn: string;
  /** What the role's trust policy asks for as `sts:ExternalId`. */
  readonly externalId?: string | undefined;
  /** Where the inventory names the role, such as `dns.zones`. */
  readonly namedAt: string;
  /** Makes what is thrown: an error of the adapter that asks. */
  readonly fail: (code: RoleFailure, message: string, options?: { readonly cause?: unknown }) => Error;
  /** Names the session in CloudTrail; what STS does not take there becomes a hyphen. */
  readonly sessionName: string;
  readonly clock: Clock;
  /** Beside what the environment says (region, credentials, endpoint). */
  readonly config?: STSClientConfig | undefined;
}

/** Longer than any one call takes with all of its attempts. */
const marginMs = 5 * 60_000;

/** One role. Opens no connection before the first question. */
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

  /** Credentials that last for five minutes more, the same ones for as long as they do. A refusal is for the whole run.
   *  @throws what `fail` makes, with what to change. */
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
    throw fail('Failed', `sts:AssumeRole of ${roleArn} gave no credentials`);
  }
}

function explain(
  error: unknown,
  { roleArn, externalId, namedAt }: RoleSessionOptions,
  signal: AbortSignal,
): { readonly code: RoleFailure; readonly message: string; readonly cause: unknown } {
  if (signal.aborted) {
    const message = `the run ended before sts:AssumeRole of ${roleArn} was answered`;
    return { code: 'Failed', message, cause: signal.reason };
  }
  const { kind, said, cause } = readAwsFailure(error);
  if (kind === 'denied') {
    const principal = principalIn(said);
    const condition =
      externalId === undefined ? '' : ', where sts:ExternalId is the externalId of the inventory,';
    const message = `AWS refused to let ${principal} assume the role ${roleArn} of ${namedAt}: its trust policy must allow sts:AssumeRole to that principal${condition} and the principal's own policy must allow sts:AssumeRole on the role, which a deploy after the change of ${namedAt} sees to`;
    return { code: 'Denied', message, cause };
  }
  if (kind === 'throttled') {
    return { code: 'Throttled', message: `AWS throttled sts:AssumeRole of ${roleArn}`, cause };
  }
  return { code: 'Failed', message: `sts:AssumeRole of ${roleArn} failed`, cause };
}

/** The role that STS says was refused: its ARN tells of the session, a trust policy names the role. */
function principalIn(said: string): string {
  const [, arn] = /^User: (\S+) is not authorized/.exec(said) ?? [];
  if (arn === undefined) return "the function's IAM role";
  const [, partition, account, role] = /^arn:([\w-]+):sts::(\d+):assumed-role\/([^/]+)\//.exec(arn) ?? [];
  return role === undefined ? arn : `arn:${partition}:iam::${account}:role/${role}`;
}
