// Who may do what in the sandbox: functions by the roles of the packaged template, agents by theirs, sessions
// of roles of other accounts by what those roles say, and the person at the terminal everything.
import { ownAccount, type Sessions } from '../sts/sessions.ts';
import { checkAction } from './condition-keys.ts';
import { type AccessRequest, isAllowed, type Statement } from './evaluation.ts';

/** Whom a part of the sandbox asks before it carries out a call. */
export interface Access {
  /** What AWS says to a call that is not allowed; `undefined` where all that it needs is.
   *  @throws Error for a caller or an action that nobody has said anything about. */
  refuse(principal: string, needed: readonly AccessRequest[]): string | undefined;
}

/** @param statements By the name that the journal gives to a function or an agent. */
export function createAccess(
  statements: ReadonlyMap<string, readonly Statement[]>,
  sessions: Sessions,
): Access {
  function statementsOf(principal: string): readonly Statement[] {
    const role = sessions.roles.find(({ arn }) => arn.endsWith(`:role/${principal}`));
    const found = statements.get(principal) ?? role?.statements;
    if (!found) throw new Error(`the sandbox's IAM does not know what ${principal} may do`);
    return found;
  }

  return {
    refuse(principal, needed) {
      if (principal === 'operator') return undefined;
      const own = statementsOf(principal);
      for (const request of needed) {
        const { action, resource } = request;
        checkAction(action);
        if (isAllowed(own, request)) continue;
        // The service asks KMS, and says no more than this of it.
        if (action.startsWith('kms:')) return 'Access to KMS is not allowed';
        const user = `arn:aws:sts::${ownAccount}:assumed-role/${principal}/${principal}`;
        return `User: ${user} is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`;
      }
      return undefined;
    },
  };
}
