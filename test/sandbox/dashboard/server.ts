// The dashboard in the sandbox: an HTTP server on 127.0.0.1 that shows the widget as CloudWatch's console
// does, and calls functions with the rights of one person.
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { Faults } from '../faults.ts';
import { type Answer, type Part, type Request, type RunningServer, serve } from '../http-server.ts';
import { Journal } from '../journal.ts';
import type { Lambda } from '../lambda/server.ts';
import { makeFrame } from './page.ts';

/** What a person may call who presses buttons (docs/operating/dashboard.md), by short name. */
export const operatorCalls: readonly string[] = ['dashboard', 'issue', 'deploy', 'pause', 'status'];

export interface DashboardOptions {
  readonly lambda: Pick<Lambda, 'invoke'>;
  /** What the person may call; `operatorCalls` if not given. */
  readonly mayCall?: readonly string[] | undefined;
}

const arnOf = (name: string) => `arn:aws:lambda:eu-central-1:123456789012:function:${name}`;
const callBody = z.strictObject({ endpoint: z.string(), event: z.record(z.string(), z.unknown()) });
/** Nothing is loaded from elsewhere, nothing is sent elsewhere, and nobody puts the page into a frame. */
const headers = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

/** Starts the server; its `url` is for a browser. */
export async function startDashboard({
  lambda,
  mayCall = operatorCalls,
}: DashboardOptions): Promise<RunningServer> {
  const token = randomBytes(24).toString('base64url');
  const script = await readFile(join(import.meta.dirname, 'browser.js'));
  let port = 0;

  const part: Part = {
    service: 'lambda',
    // A person's browser is no part of AWS.
    describe: () => undefined,
    refuse: (_, status, message) => fail(status, message),
    async handle(request) {
      const { method, url } = request;
      // Another name in Host is a page of a stranger, whose name has led here.
      if (!hosts().includes(request.headers.host ?? '')) return fail(403, 'this host is not served here');
      if (method === 'GET' && url.pathname === '/')
        return text('text/html', makeFrame(token, arnOf('dashboard')));
      if (method === 'GET' && url.pathname === '/browser.js') return text('text/javascript', script);
      if (method === 'POST' && url.pathname === '/call') return callFunction(request);
      return fail(404, 'there is nothing here');
    },
  };
  const server = await serve(part, { journal: new Journal(), faults: new Faults() });
  ({ port } = server);
  return server;

  function hosts(): readonly string[] {
    return [`127.0.0.1:${port}`, `localhost:${port}`];
  }

  /** As the person who looks: what that person may not call is refused as AWS refuses it. */
  async function callFunction(request: Request): Promise<Answer> {
    const { origin, 'x-sandbox-token': given, 'content-type': type } = request.headers;
    const isOwn = hosts().some((host) => origin === `http://${host}`);
    if (!isOwn || !isSame(String(given ?? ''), token))
      return fail(403, 'the call does not come from this page');
    if (type !== 'application/json') return fail(415, 'send JSON');
    const body = callBody.safeParse(parseJson(request.body.toString('utf8')));
    if (!body.success) return fail(400, 'send endpoint and event');
    const { endpoint, event } = body.data;
    const name = mayCall.find((one) => arnOf(one) === endpoint);
    if (name === undefined) {
      return fail(403, `User is not authorized to perform: lambda:InvokeFunction on resource: ${endpoint}`);
    }
    const { answer, error } = await lambda.invoke(name, event);
    return text('application/json', JSON.stringify(error ? { error: error.errorMessage } : { answer }));
  }
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function text(type: string, body: string | Buffer): Answer {
  return { status: 200, headers: { ...headers, 'content-type': `${type}; charset=utf-8` }, body };
}

function fail(status: number, error: string): Answer {
  const type = 'application/json; charset=utf-8';
  return { status, headers: { ...headers, 'content-type': type }, body: JSON.stringify({ error }) };
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
