// What is said of a call that never reached a cluster, when the HTTP client's own words quote the
// credentials.
import { inspect } from 'node:util';
import { ApiException } from '@kubernetes/client-node';
import { expect, test } from 'vitest';
import { translateFailure } from '../../lib/adapters/kubernetes/failure.ts';
import { findRbacCommand } from '../../lib/policy/commands.ts';
import { describeError } from '../../lib/ports/errors.ts';

const subject = {
  cluster: 'lab',
  verb: 'get',
  resource: 'secrets',
  namespace: 'default',
  name: 'web',
} as const;
const access = { server: 'https://api.example:6443', origin: 'the kubeconfig', onRefusal: '' };
const password = 'PASSW0RD';

test.for([
  ['a header that cannot be sent', 'https://host', { authorization: `Bearer ${password}\nx` }],
  ['a URL with credentials', `https://user:${password}@host`, {}],
  ['a URL that cannot be read', `https://user:${password}@[host`, {}],
] as const)('%s is not quoted', async ([, url, headers]) => {
  const thrown: unknown = await fetch(url, { headers }).catch((error: unknown) => error);
  expect(inspect(thrown)).toContain(password);
  const { error } = translateFailure(subject, thrown, access);
  expect(error).toMatchObject({
    code: 'Unreachable',
    message: expect.stringContaining(
      'no answer from api.example:6443 (the request could not be made: check server, proxy-url and token',
    ),
  });
  expect(describeError(error)).toBe(error.message);
  expect(inspect(error)).not.toContain(password);
});

test.for([
  ['ECONNRESET', 'ECONNRESET: the connection was closed'],
  ['EAI_AGAIN', 'EAI_AGAIN: DNS did not answer'],
  ['UND_ERR_SOCKET', 'the connection was closed'],
  ['UND_ERR_INFO', 'the connection was closed'],
  ['ERR_HTTP2_STREAM_ERROR', 'ERR_HTTP2_STREAM_ERROR'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
] as const)('%s is told in words, and the error behind it kept', ([code, words]) => {
  const network = Object.assign(new Error('of the network'), { code });
  const { error } = translateFailure(subject, new TypeError('fetch failed', { cause: network }), access);
  expect(error.message).toContain(`no answer from api.example:6443 (${words}`);
  expect(error.cause).toBe(network);
});

test.for([
  [
    'system:serviceaccount:certrelay:certrelay',
    /; to give all rights .*, run: npx certrelay rbac lab --service-account certrelay\/certrelay \| kubectl --context lab apply -f -$/,
  ],
  [
    'arn:aws:iam::1:role/x',
    /, run: npx certrelay rbac lab --user 'arn:aws:iam::1:role\/x' \| kubectl --context lab apply -f -$/,
  ],
  [
    'uid=relay+1,ou=ops',
    /, run: npx certrelay rbac lab --user 'uid=relay\+1,ou=ops' \| kubectl --context lab apply -f -$/,
  ],
  ["x' --user '; id", /correct the target\)$/],
  ['x'.repeat(200), /correct the target\)$/],
] as const)('a missing right of the user %j ends with the command that gives it, if that is a name', ([
  user,
  words,
]) => {
  const message = `secrets "web" is forbidden: User "${user}" cannot get resource "secrets" in API group ""`;
  const refusal = new ApiException(403, 'Forbidden', JSON.stringify({ kind: 'Status', message }), {});
  const { error } = translateFailure(subject, refusal, access);
  expect(error.code).toBe('Forbidden');
  expect(error.message).toMatch(words);
  const command = /npx certrelay rbac .*/.exec(error.message)?.[0];
  expect(findRbacCommand('lab', error.message), 'what status reads of it').toBe(command);
});
