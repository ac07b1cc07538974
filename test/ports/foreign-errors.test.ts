// What people read of errors of Node, of the HTTP client and of the AWS SDK: real ones, by real servers.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { DescribeClusterCommand, EKSClient } from '@aws-sdk/client-eks';
import { ListHostedZonesCommand, Route53Client } from '@aws-sdk/client-route-53';
import { request } from 'undici';
import { expect, onTestFinished, test } from 'vitest';
import { readAwsFailure } from '../../lib/adapters/aws/failure.ts';
import { CertrelayError, describeError } from '../../lib/ports/errors.ts';

const html = '<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head></html>';
const xml = '<?xml version="1.0"?><ErrorResponse><Error><Message>no right</Message></Error></ErrorResponse>';
/** What no person is to read. */
const raw =
  /UND_ERR|fetch failed|hang up|side closed|Unexpected token|Deserialization|parse error|UnknownError|\$response|<|XML/;

/** The URL of a server that answers so; without a body it closes the connection. */
async function serve(status: number, body: string | undefined): Promise<string> {
  const server =
    body === undefined
      ? createTcpServer(
          (socket) => void socket.on('error', () => undefined).once('data', () => socket.destroy()),
        )
      : createServer((_, response) => void response.writeHead(status).end(body));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const options = (endpoint: string) => ({
  endpoint,
  region: 'eu-central-1',
  maxAttempts: 1,
  credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
});
const clients: Readonly<Record<string, (url: string) => Promise<unknown>>> = {
  EKS: (url) => new EKSClient(options(url)).send(new DescribeClusterCommand({ name: 'lab' })),
  'Route 53': (url) => new Route53Client(options(url)).send(new ListHostedZonesCommand({})),
  undici: (url) => request(url),
  fetch: (url) => fetch(url),
};

test.for<[string, string, () => Promise<string>, RegExp]>([
  ['EKS', 'answers in XML', () => serve(403, xml), /^its answer 403 cannot be read: look whether a proxy/],
  ['EKS', 'answers in HTML', () => serve(502, html), /^its answer 502 cannot be read/],
  ['Route 53', 'answers in HTML', () => serve(502, html), /^it answered 502 without saying why$/],
  ['Route 53', 'answers in JSON', () => serve(400, '{"a":1}'), /^its answer 400 cannot be read/],
  ['EKS', 'answers nothing', () => serve(500, ''), /^it answered 500 without saying why$/],
  ...Object.keys(clients).flatMap((name): [string, string, () => Promise<string>, RegExp][] => [
    [
      name,
      'closes the connection',
      () => serve(0, undefined),
      /^(ECONNRESET: )?the connection was closed before/,
    ],
    [
      name,
      'is not there',
      async () => 'http://127.0.0.1:9/',
      name === 'fetch'
        ? /^the request failed: bad port$/
        : /^127\.0\.0\.1, port 9 \(ECONNREFUSED: nothing accepts/,
    ],
    [
      name,
      'is not in DNS',
      async () => 'http://nowhere.invalid/',
      /^\S*nowhere\.invalid \((ENOTFOUND: DNS does not know|EAI_AGAIN: DNS did not answer)/,
    ],
  ]),
])('%s that %s is told in words', async ([client, , start, words]) => {
  const url = await start();
  const error: unknown = await clients[client]?.(url).catch((thrown: unknown) => thrown);
  for (const told of [
    describeError(error),
    describeError(new CertrelayError('Failed', 'eks failed', { cause: error })),
  ])
    expect(told).not.toMatch(raw);
  expect(describeError(error)).toMatch(words);
  expect(readAwsFailure(error).message).not.toMatch(raw);
});

test.each<[string, Error, string]>([
  [
    'a reason that is the same twice',
    new Error('the quota is used up. the quota is used up.'),
    'the quota is used up',
  ],
  [
    'a sentence that only begins alike',
    new Error('the quota of a: the quota of b'),
    'the quota of a: the quota of b',
  ],
  [
    'a cause that begins with the whole message',
    new Error('AWS denied the call', { cause: new Error('AWS denied the call: no right') }),
    'AWS denied the call: no right',
  ],
  [
    'a message of ours over an error of the network',
    new Error('the inventory was not read', {
      cause: Object.assign(new Error('x'), { code: 'UND_ERR_INFO' }),
    }),
    'the inventory was not read: the connection was closed before the answer',
  ],
  ['words of ours with a placeholder', new Error('give --user <name>'), 'give --user <name>'],
  [
    'a time limit',
    new DOMException('The operation was aborted due to timeout', 'TimeoutError'),
    'time ran out before there was an answer',
  ],
  ['XML in words', new Error(`403: ${xml}`), 'no right'],
  [
    'HTML in words',
    new Error('oops </body>'),
    'an answer in HTML or XML: look whether a proxy answers in its place',
  ],
  [
    'what JSON.parse says, which quotes',
    new SyntaxError(`Unexpected token 's', "secret" is not valid JSON`),
    'it is not JSON',
  ],
])('%s is told once and in words', (_, error, words) => {
  expect(describeError(error)).toBe(words);
});
