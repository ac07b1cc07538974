// Who may call functions through the sandbox's dashboard: its own page, and nobody else.
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../http-server.ts';
import { startDashboard } from './server.ts';

const called: unknown[] = [];
let server: RunningServer;
let token: string;
beforeAll(async () => {
  server = await startDashboard({
    lambda: {
      async invoke(name, event) {
        called.push([name, event]);
        const error = name === 'pause' ? { errorType: 'Error', errorMessage: 'it broke' } : undefined;
        return { answer: '<p>fine</p>', error, peakMemoryMb: 1, log: [] };
      },
    },
    mayCall: ['dashboard', 'pause'],
  });
  const { body } = await send('GET', '/', { host: `127.0.0.1:${server.port}` });
  token = /name="token" content="([^"]+)"/.exec(body)?.[1] ?? '';
});
afterAll(() => server.stop());

/** Fetch would choose Host and Origin itself. */
function send(method: string, path: string, headers: Readonly<Record<string, string>>, body = '') {
  return new Promise<{
    readonly status?: number | undefined;
    readonly body: string;
    readonly policy: unknown;
  }>((resolve, reject) => {
    const call = request({ host: '127.0.0.1', port: server.port, method, path, headers }, (response) => {
      const policy = response.headers['content-security-policy'];
      text(response).then((read) => resolve({ status: response.statusCode, body: read, policy }), reject);
    });
    call.on('error', reject);
    call.end(body);
  });
}

const arn = (name: string) => `arn:aws:lambda:eu-central-1:123456789012:function:${name}`;
const own = () => ({
  host: `127.0.0.1:${server.port}`,
  origin: `http://127.0.0.1:${server.port}`,
  'content-type': 'application/json',
  'x-sandbox-token': token,
});
const bodyFor = (name: string) => JSON.stringify({ endpoint: arn(name), event: { page: 2 } });

describe('a call', () => {
  it('of the page reaches the function, and comes back with its answer or its error', async () => {
    const answered = await send('POST', '/call', own(), bodyFor('dashboard'));
    expect(answered).toMatchObject({ status: 200, body: '{"answer":"<p>fine</p>"}' });
    expect(called).toEqual([['dashboard', { page: 2 }]]);
    expect(await send('POST', '/call', own(), bodyFor('pause'))).toMatchObject({
      body: '{"error":"it broke"}',
    });
  });

  it.each<[string, Readonly<Record<string, string>>, string, number]>([
    ['by another name of this address', { host: 'evil.example' }, bodyFor('pause'), 403],
    ['from the page of a stranger', { origin: 'https://evil.example' }, bodyFor('pause'), 403],
    ['from nowhere', { origin: 'null' }, bodyFor('pause'), 403],
    ['without the token', { 'x-sandbox-token': '' }, bodyFor('pause'), 403],
    ['with another token', { 'x-sandbox-token': 'x'.repeat(32) }, bodyFor('pause'), 403],
    ['as a form', { 'content-type': 'text/plain' }, bodyFor('pause'), 415],
    ['of a function that the person may not call', {}, bodyFor('issue'), 403],
    ['that is no JSON', {}, '{', 400],
  ])('%s is refused', async (_, headers, body, status) => {
    const before = called.length;
    expect(await send('POST', '/call', { ...own(), ...headers }, body)).toMatchObject({ status });
    expect(called).toHaveLength(before);
  });
});

it('the page is not for another name either, and lets the browser load nothing from elsewhere', async () => {
  expect((await send('GET', '/', { host: 'evil.example' })).status).toBe(403);
  const { policy } = await send('GET', '/', { host: `localhost:${server.port}` });
  expect(policy).toContain("default-src 'none'; script-src 'self'");
  expect((await send('GET', '/../server.ts', { host: `localhost:${server.port}` })).status).toBe(404);
});
