// Which principal a refused AssumeRole names: the one that goes into a trust policy.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RoleSession } from '../../lib/adapters/aws/role-session.ts';
import { FakeClock } from '../fakes/clock.ts';

const roleArn = 'arn:aws:iam::222222222222:role/dns';
const signal = new AbortController().signal;
let refusal: { readonly code: string; readonly message: string; readonly status: number };
const sts = createServer((_request, response) => {
  const { code, message, status } = refusal;
  response
    .writeHead(status, { 'content-type': 'text/xml' })
    .end(
      `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`,
    );
});
beforeAll(() => new Promise<void>((resolve) => sts.listen(0, '127.0.0.1', resolve)));
afterAll(() => new Promise((resolve) => sts.close(resolve)));

/** The code and message of an assumption that STS refuses. */
async function refuse(code: string, message: string, status = 403): Promise<readonly string[]> {
  refusal = { code, message, status };
  const session = new RoleSession({
    roleArn,
    namedAt: 'dns.zones',
    sessionName: 'certrelay',
    clock: new FakeClock('2027-01-01T00:00:00Z'),
    fail: (failure, text) => new Error(`${failure}\n${text}`),
    config: {
      endpoint: `http://127.0.0.1:${(sts.address() as AddressInfo).port}`,
      region: 'eu-central-1',
      credentials: { accessKeyId: 'a', secretAccessKey: 's' },
      maxAttempts: 1,
    },
  });
  const failure = await session.credentials(signal).then(
    () => 'none',
    (error: unknown) => (error instanceof Error ? error.message : 'no error'),
  );
  return failure.split('\n');
}

const refused = (arn: string) =>
  `User: ${arn} is not authorized to perform: sts:AssumeRole on resource: ${roleArn}`;
const longName = 'CertrelayProductionIssueLambdaRoleEuCentral1ABCDEF';

it.each([
  [
    'a session of a role as the role',
    'arn:aws:sts::111111111111:assumed-role/certrelay-issue/certrelay-issue',
    'arn:aws:iam::111111111111:role/certrelay-issue',
  ],
  [
    'in its own partition',
    'arn:aws-us-gov:sts::111111111111:assumed-role/issue/x',
    'arn:aws-us-gov:iam::111111111111:role/issue',
  ],
  [
    'also one whose name looks like a key',
    `arn:aws:sts::111111111111:assumed-role/${longName}/x`,
    `arn:aws:iam::111111111111:role/${longName}`,
  ],
  ['a user as it is', 'arn:aws:iam::111111111111:user/ops', 'arn:aws:iam::111111111111:user/ops'],
])('%s', async (_, arn, principal) => {
  const [code, message] = await refuse('AccessDenied', refused(arn));
  expect(code).toBe('Denied');
  expect(message).toContain(`AWS refused to let ${principal} assume the role ${roleArn} of dns.zones: `);
});

it('nobody by name where AWS does not say who', async () => {
  const [, message] = await refuse('AccessDenied', 'not authorized');
  expect(message).toContain("AWS refused to let the function's IAM role assume");
});

it('other refusals say nothing of trust policies', async () => {
  expect(await refuse('Throttling', 'Rate exceeded', 400)).toEqual([
    'Throttled',
    `AWS throttled sts:AssumeRole of ${roleArn}`,
  ]);
  expect(await refuse('InternalFailure', 'later', 500)).toEqual([
    'Failed',
    `sts:AssumeRole of ${roleArn} failed`,
  ]);
});
