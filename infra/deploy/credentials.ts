// Checks the credentials of whoever deploys before anything is built for them.
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { toError } from '../../lib/ports/errors.ts';
import { describeAwsError } from './deployed-stack.ts';

/** The account of whoever calls, by `sts:GetCallerIdentity`, which needs no right; or why AWS does not know
 *  them, with what to do. Never throws.
 *  @param readConfig Returns region and credentials, as AWS clients take them. */
export async function checkCredentials(
  readConfig: () => Promise<object>,
): Promise<{ readonly account: string } | { readonly refusal: string }> {
  try {
    const client = new STSClient(await readConfig());
    try {
      const { Account = '' } = await client.send(new GetCallerIdentityCommand(), {
        abortSignal: AbortSignal.timeout(mostMs),
      });
      return { account: Account };
    } finally {
      client.destroy();
    }
  } catch (thrown) {
    return { refusal: `${adviceFor(toError(thrown))}\n(${describeAwsError(thrown)})` };
  }
}

/** How long AWS may take to answer, in milliseconds. */
const mostMs = 20_000;

const signIn =
  'sign in first (aws sso login, or aws configure), or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY';

function adviceFor({ name, message }: Error): string {
  if (/expired/i.test(`${name} ${message}`)) return `your AWS credentials have expired; ${signIn}`;
  if (
    /InvalidClientTokenId|SignatureDoesNotMatch|UnrecognizedClient|InvalidSignature|InvalidAccessKeyId/.test(
      name,
    )
  )
    return `AWS does not accept your credentials; ${signIn}`;
  if (/credential|profile|token/i.test(`${name} ${message}`))
    return `no AWS credentials were found; ${signIn}`;
  return 'AWS could not be asked whose credentials these are, so nothing was built; check the network and the region, and try again';
}
