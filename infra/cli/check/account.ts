// Who calls, and what Lambda gives the account.
import { GetAccountSettingsCommand } from '@aws-sdk/client-lambda';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { explainCredentials } from '../aws-errors.ts';
import { describeMissing } from '../connection.ts';
import type { CheckedAws } from './aws.ts';
import { type CheckedPart, fine, lookAt, unseen, wrong } from './part.ts';

/** Whose credentials these are. */
export async function checkCaller({ sts, signalOf, canAsk }: CheckedAws): Promise<CheckedPart> {
  const part = 'credentials';
  if (!canAsk('STS')) return unseen(part, describeMissing('STS'));
  const looked = await lookAt(part, undefined, () =>
    sts.send(new GetCallerIdentityCommand(), { abortSignal: signalOf() }),
  );
  if ('seen' in looked) return fine(part, looked.seen.Arn ?? 'AWS takes them');
  const refused = explainCredentials(looked.thrown);
  return refused === undefined ? looked.unseen : wrong(part, refused);
}

/** Runs at the same time that all functions need: five of `deploy`, two of `issue`, and one of each that a
 *  schedule calls. */
const fewestRuns = 10;

/** How many functions the account may run at the same time. */
export async function checkLimits({ lambda, signalOf }: CheckedAws): Promise<CheckedPart> {
  const part = 'limits';
  const looked = await lookAt(part, 'lambda:GetAccountSettings', () =>
    lambda.send(new GetAccountSettingsCommand(), { abortSignal: signalOf() }),
  );
  if ('unseen' in looked) return looked.unseen;
  const runs = looked.seen.AccountLimit?.UnreservedConcurrentExecutions;
  if (runs === undefined)
    return unseen(part, 'Lambda did not say how many functions may run at the same time');
  if (runs >= fewestRuns) return fine(part, `${runs} functions may run at the same time`);
  return wrong(
    part,
    `only ${runs} functions may run at the same time, and Certrelay wants ${fewestRuns}: ask for more at Service Quotas, Lambda, "Concurrent executions"`,
  );
}
