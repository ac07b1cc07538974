// An API Gateway HTTP API for the sandbox: routes that call functions with payload format 2.0.
import { randomUUID } from 'node:crypto';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import * as z from 'zod';
import { type Answer, type Request, type Surroundings, serve } from './http-server.ts';

export interface HttpApiOptions extends Surroundings {
  /** Route key (`POST /domains`, `ANY /domains/{name}`) to the name of a function. */
  readonly routes: Readonly<Record<string, string>>;
  /** Invokes a function and gives its answer; rejects where it failed. */
  readonly call: (name: string, event: APIGatewayProxyEventV2) => Promise<unknown>;
  /** How long a function may take to answer; API Gateway's is 30 s. */
  readonly integrationTimeoutMs?: number | undefined;
}

const largestBodyBytes = 10_485_760;
const textTypes = /^(text\/|application\/(json|javascript|xml)\b)/i;

const structured = z.object({
  statusCode: z.number().int().min(100).max(599),
  headers: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
  body: z.string().optional(),
  isBase64Encoded: z.boolean().optional(),
});

/** Starts it. Nothing here is journalled: whoever calls is outside. */
export async function startHttpApi({
  routes,
  call,
  integrationTimeoutMs = 30_000,
  ...surroundings
}: HttpApiOptions): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const server = await serve(
    {
      service: 'apigateway',
      describe: () => undefined,
      async handle(request) {
        const { pathname } = request.url;
        const found = findRoute(Object.keys(routes), request.method, pathname);
        const name = found && routes[found.routeKey];
        if (!name) return message(404, 'Not Found');
        if (request.body.length > largestBodyBytes) return message(413, 'Request Too Long');
        const late = Promise.withResolvers<Answer>();
        const timer = setTimeout(
          () => late.resolve(message(503, 'Service Unavailable')),
          integrationTimeoutMs,
        );
        try {
          return await Promise.race([call(name, toEvent(request, found)).then(toAnswer), late.promise]);
        } catch {
          return message(500, 'Internal Server Error');
        } finally {
          clearTimeout(timer);
        }
      },
      refuse: (_, status, text) => message(status, text),
    },
    surroundings,
  );
  return { url: server.url, stop: () => server.stop() };
}

interface FoundRoute {
  readonly routeKey: string;
  readonly pathParameters: Readonly<Record<string, string>>;
}

/** The route of a path, whole paths before those with a parameter, and a method before any. A parameter is
 *  one segment, and decoded. */
function findRoute(routeKeys: readonly string[], method: string, pathname: string): FoundRoute | undefined {
  const segments = pathname.split('/');
  const found = routeKeys.flatMap((routeKey): readonly FoundRoute[] => {
    const [verb, path = ''] = routeKey.split(' ');
    const wanted = path.split('/');
    if ((verb !== 'ANY' && verb !== method) || wanted.length !== segments.length) return [];
    const pairs = wanted.map((part, index) => [part, segments[index] ?? ''] as const);
    const isParameter = (part: string) => part.startsWith('{');
    if (!pairs.every(([part, is]) => (isParameter(part) ? is !== '' : part === is))) return [];
    const named = pairs.filter(([part]) => isParameter(part));
    const entries = named.map(([part, is]) => [part.slice(1, -1), decodeURIComponent(is)] as const);
    return [{ routeKey, pathParameters: Object.fromEntries(entries) }];
  });
  const cost = ({ routeKey, pathParameters }: FoundRoute) =>
    2 * Object.keys(pathParameters).length + (routeKey.startsWith('ANY ') ? 1 : 0);
  return found.toSorted((one, other) => cost(one) - cost(other))[0];
}

/** Text bodies ride as they are, all others in base64. */
function toEvent(
  { method, url, headers, body }: Request,
  { routeKey, pathParameters }: FoundRoute,
): APIGatewayProxyEventV2 {
  const isText = textTypes.test(headers['content-type'] ?? '');
  const now = new Date();
  const query = [...new Set(url.searchParams.keys())].map((key) => [
    key,
    url.searchParams.getAll(key).join(),
  ]);
  return {
    version: '2.0',
    routeKey,
    rawPath: url.pathname,
    rawQueryString: url.search.slice(1),
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])),
    ...(Object.keys(pathParameters).length > 0 && { pathParameters }),
    ...(query.length > 0 && { queryStringParameters: Object.fromEntries(query) }),
    requestContext: {
      accountId: '123456789012',
      apiId: 'sandbox',
      domainName: 'sandbox.execute-api.eu-central-1.amazonaws.com',
      domainPrefix: 'sandbox',
      http: {
        method,
        path: url.pathname,
        protocol: 'HTTP/1.1',
        sourceIp: '127.0.0.1',
        userAgent: headers['user-agent'] ?? '',
      },
      requestId: randomUUID(),
      routeKey,
      stage: '$default',
      time: now.toUTCString(),
      timeEpoch: now.getTime(),
    },
    ...(body.length > 0 && { body: body.toString(isText ? 'utf8' : 'base64') }),
    isBase64Encoded: body.length > 0 && !isText,
  };
}

/** An answer without `statusCode` is itself the body. One with a status that makes no sense is the function's
 *  failure. */
function toAnswer(answer: unknown): Answer {
  const isStructured = typeof answer === 'object' && answer !== null && 'statusCode' in answer;
  if (!isStructured) {
    const body = typeof answer === 'string' ? answer : JSON.stringify(answer);
    return { status: 200, headers: { 'content-type': 'application/json' }, body };
  }
  const { statusCode: status, headers = {}, body = '', isBase64Encoded } = structured.parse(answer);
  const named = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)] as const);
  return {
    status,
    headers: { 'content-type': 'text/plain; charset=utf-8', ...Object.fromEntries(named) },
    body: isBase64Encoded ? Buffer.from(body, 'base64') : body,
  };
}

function message(status: number, text: string): Answer {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify({ message: text }) };
}
