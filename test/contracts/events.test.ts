// The sandbox's glue: a label that moves becomes a message, an HTTP request becomes a function's event.
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { expect, onTestFinished, test } from 'vitest';
import { parseDeployEvent } from '../../lib/requests/requests.ts';
import { createEventBus, type EventPattern, matchesPattern } from '../sandbox/events.ts';
import { Faults } from '../sandbox/faults.ts';
import { startHttpApi } from '../sandbox/http-api.ts';
import { Journal } from '../sandbox/journal.ts';
import { Queue } from '../sandbox/sqs/queue.ts';

const pattern: EventPattern = {
  source: ['aws.secretsmanager'],
  'detail-type': ['Secret Label Updated'],
  detail: { labelUpdated: ['AWSCURRENT'], name: [{ prefix: 'certrelay/certificates/' }] },
};

test('a certificate that becomes current is a message that deploy understands; other labels and names are none', async () => {
  const queue = new Queue('deploy');
  const journal = new Journal();
  const tell = createEventBus([{ pattern, queue }], journal);
  const arn = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:x-AbCdEf';
  const shop = { name: 'certrelay/certificates/shop', arn, versionId: 'v1' };
  tell({ ...shop, labelUpdated: 'CERTRELAY_CLAIM' });
  tell({ ...shop, name: 'certrelay/accounts/shop', labelUpdated: 'AWSCURRENT' });
  tell({ ...shop, labelUpdated: 'AWSCURRENT' });
  await queue.untilVisible(AbortSignal.timeout(30_000));
  const bodies = queue.bodies();
  expect(bodies).toHaveLength(1);
  const batch = { Records: [{ messageId: 'm', body: bodies[0], eventSource: 'aws:sqs' }] };
  expect(parseDeployEvent(batch, 'certrelay')).toMatchObject({
    messages: [{ request: { certificates: ['shop'] } }],
  });
  expect(journal.calls).toMatchObject([
    { action: 'SendMessage', resource: queue.arn, principal: 'events.amazonaws.com' },
  ]);
});

const patterns: [EventPattern, unknown, boolean][] = [
  [{ a: ['x', 'y'] }, { a: 'y', b: 1 }, true],
  [{ a: ['x'] }, { a: 'xx' }, false],
  [{ a: ['x'] }, { b: 'x' }, false],
  [{ a: [{ prefix: 'x' }] }, { a: 'xx' }, true],
  [{ a: [{ prefix: 'x' }] }, { a: 'yx' }, false],
  [{ a: { b: ['x'] } }, { a: { b: 'x' } }, true],
  [{ a: { b: ['x'] } }, { a: 'x' }, false],
  [{ toString: ['x'] }, {}, false],
];
test.each(patterns)('%j against %j is %s', (wanted, event, matches) => {
  expect(matchesPattern(wanted, event)).toBe(matches);
});

/** An API with one route, whose function answers as it is told. */
async function open(answer: (event: APIGatewayProxyEventV2) => unknown, integrationTimeoutMs?: number) {
  const events: APIGatewayProxyEventV2[] = [];
  const api = await startHttpApi({
    journal: new Journal(),
    faults: new Faults(),
    routes: { 'ANY /domains': 'register', 'ANY /domains/{name}': 'register', 'POST /only': 'register' },
    integrationTimeoutMs,
    call: async (name, event) => {
      expect(name).toBe('register');
      events.push(event);
      return answer(event);
    },
  });
  onTestFinished(() => api.stop());
  return { api, events };
}

test('a request is an event of payload format 2.0, and the answer is the response', async () => {
  const { api, events } = await open(() => ({
    statusCode: 202,
    headers: { 'Content-Type': 'application/json', 'Retry-After': 5 },
    body: '{"ok":true}',
  }));
  const response = await fetch(`${api.url}/domains?a=1&a=2`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Webhook-Id': 'msg_1' },
    body: '{"domains":["ü.example.com"]}',
  });
  expect(response.status).toBe(202);
  expect(response.headers.get('retry-after')).toBe('5');
  expect(await response.json()).toEqual({ ok: true });
  expect(events).toMatchObject([
    {
      version: '2.0',
      routeKey: 'ANY /domains',
      rawPath: '/domains',
      rawQueryString: 'a=1&a=2',
      queryStringParameters: { a: '1,2' },
      headers: { 'content-type': 'application/json', 'webhook-id': 'msg_1' },
      requestContext: { http: { method: 'POST', path: '/domains' }, stage: '$default' },
      body: '{"domains":["ü.example.com"]}',
      isBase64Encoded: false,
    },
  ]);
});

test('a segment of the path that a route names is a parameter, decoded, and never two segments or none', async () => {
  const { api, events } = await open(() => ({ statusCode: 200 }));
  const statusOf = async (path: string) => (await fetch(`${api.url}${path}`, { method: 'DELETE' })).status;
  expect(await statusOf('/domains/shop%20a')).toBe(200);
  expect(events).toMatchObject([
    { routeKey: 'ANY /domains/{name}', rawPath: '/domains/shop%20a', pathParameters: { name: 'shop a' } },
  ]);
  expect(await Promise.all(['/domains/', '/domains/a/b', '/other/a'].map(statusOf))).toEqual([404, 404, 404]);
});

test('a body that is no text rides in base64, in both directions', async () => {
  const { api, events } = await open((event) => ({
    statusCode: 200,
    headers: { 'content-type': 'application/octet-stream' },
    body: event.body,
    isBase64Encoded: event.isBase64Encoded,
  }));
  const bytes = new Uint8Array([0, 255, 1]);
  const response = await fetch(`${api.url}/domains`, { method: 'PUT', body: bytes });
  expect(new Uint8Array(await response.arrayBuffer())).toEqual(bytes);
  expect(events).toMatchObject([{ body: 'AP8B', isBase64Encoded: true }]);
});

const answers: [title: string, answer: () => unknown, status: number, body: string][] = [
  ['an answer without status is the body', () => ({ a: 1 }), 200, '{"a":1}'],
  [
    'a function that fails',
    () => Promise.reject(new Error('secret')),
    500,
    '{"message":"Internal Server Error"}',
  ],
  ['a status that is no number', () => ({ statusCode: 'yes' }), 500, '{"message":"Internal Server Error"}'],
  ['a function that takes too long', () => new Promise(() => {}), 503, '{"message":"Service Unavailable"}'],
];
test.each(answers)('%s', async (_, answer, status, body) => {
  const { api } = await open(answer, 100);
  const response = await fetch(`${api.url}/domains`);
  expect([response.status, await response.text()]).toEqual([status, body]);
});

test('what no route names is not found, and calls no function', async () => {
  const { api, events } = await open(() => ({}));
  for (const [method, path] of [
    ['GET', '/only'],
    ['POST', '/none'],
    ['POST', '/domains/'],
  ] as const) {
    const response = await fetch(`${api.url}${path}`, { method });
    expect([response.status, await response.text()]).toEqual([404, '{"message":"Not Found"}']);
  }
  const large = await fetch(`${api.url}/domains`, { method: 'POST', body: 'x'.repeat(10_485_761) });
  expect(large.status).toBe(413);
  expect(events).toEqual([]);
});
