// AWS accounts in the sandbox: roles, the sessions that STS made of them, and whose name a request is signed
// in.
import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Statement } from '../iam/evaluation.ts';
import { ownSecretKey, principalOf, readSignature } from '../principal.ts';

/** The account that the functions and the operator belong to. */
export const ownAccount = '123456789012';

/** A role that others may assume. */
export interface RoleSpec {
  readonly arn: string;
  /** Its trust policy: ARNs of roles, or an account's `arn:aws:iam::<account>:root`; and `sts:ExternalId`
   *  where it asks for one. */
  readonly trust: { readonly principals: readonly string[]; readonly externalId?: string };
  /** What it may do; absent: nobody has said, and a sandbox that asks IAM takes no call in its name. */
  readonly statements?: readonly Statement[];
  /** MaxSessionDuration; an hour where absent. */
  readonly maxSessionSeconds?: number;
}

/** Who made a request. */
export interface Caller {
  readonly account: string;
  /** For the journal: a function's name, or that of the role. */
  readonly principal: string;
  /** As STS and IAM write it. */
  readonly arn: string;
}

/** What AWS says to a request whose signature it does not take ("Common errors"). */
export interface BadSignature {
  readonly code: 'MissingAuthenticationToken' | 'InvalidClientTokenId' | 'ExpiredToken';
  readonly message: string;
}

/** What AssumeRole gives. */
export interface Session {
  readonly accessKey: string;
  readonly secretKey: string;
  readonly token: string;
  readonly expires: Date;
  readonly caller: Caller;
}

/** The sessions of one sandbox. Roles may be added while it runs. */
export class Sessions {
  readonly roles: RoleSpec[];
  readonly #sessions = new Map<string, Session>();
  readonly #now: () => number;

  /** @param now Milliseconds since the epoch; the real clock where absent. */
  constructor(roles: readonly RoleSpec[] = [], now: () => number = Date.now) {
    this.roles = [...roles];
    this.#now = now;
  }

  open({ arn }: RoleSpec, sessionName: string, seconds: number): Session {
    const account = accountOf(arn);
    const name = arn.slice(arn.lastIndexOf('/') + 1);
    const session: Session = {
      accessKey: `ASIA${randomBytes(8).toString('hex').toUpperCase()}`,
      secretKey: randomBytes(30).toString('base64'),
      token: randomBytes(60).toString('base64'),
      expires: new Date(this.#now() + seconds * 1000),
      caller: {
        account,
        principal: name,
        arn: `arn:aws:sts::${account}:assumed-role/${name}/${sessionName}`,
      },
    };
    this.#sessions.set(session.accessKey, session);
    return session;
  }

  /** The secret of an access key that is good now, and whose it is. */
  keyOf(
    accessKey: string,
    token: string | undefined,
  ): { readonly secretKey: string; readonly caller: Caller } | undefined {
    const session = this.#sessions.get(accessKey);
    if (session) {
      const isGood = session.token === token && session.expires.getTime() > this.#now();
      return isGood ? session : undefined;
    }
    const principal = principalOf(accessKey);
    return principal === undefined ? undefined : { secretKey: ownSecretKey, caller: ownCaller(principal) };
  }

  /** A session's key is good with its token and until it ends; every other key is one of the own account. */
  identify(headers: IncomingHttpHeaders): Caller | BadSignature {
    const signature = readSignature(headers.authorization);
    if (!signature) return { code: 'MissingAuthenticationToken', message: 'Missing Authentication Token' };
    const { accessKey, principal } = signature;
    if (!accessKey.startsWith('ASIA')) {
      return ownCaller(principal);
    }
    const session = this.#sessions.get(accessKey);
    if (!session || headers['x-amz-security-token'] !== session.token) {
      const message = 'The security token included in the request is invalid.';
      return { code: 'InvalidClientTokenId', message };
    }
    if (session.expires.getTime() <= this.#now()) {
      return { code: 'ExpiredToken', message: 'The security token included in the request is expired' };
    }
    return session.caller;
  }
}

/** Whether a trust policy lets somebody assume the role. One that asks for an external id refuses whoever
 *  brings none. */
export function trusts({ trust }: RoleSpec, caller: Caller, externalId: string | undefined): boolean {
  const [, account = '', name = ''] = /::(\d+):assumed-role\/([^/]+)\//.exec(caller.arn) ?? [];
  const names = [`arn:aws:iam::${account}:role/${name}`, `arn:aws:iam::${account}:root`];
  const isNamed = trust.principals.some((principal) => names.includes(principal));
  return isNamed && (trust.externalId === undefined || trust.externalId === externalId);
}

function ownCaller(principal: string): Caller {
  const arn = `arn:aws:sts::${ownAccount}:assumed-role/${principal}/${principal}`;
  return { account: ownAccount, principal, arn };
}

function accountOf(arn: string): string {
  return arn.split(':')[4] ?? '';
}
