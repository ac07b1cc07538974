// Makes events of an HTTP API as senders cause them, signed by the rules of Standard Webhooks written out
// here anew.
import { createHmac } from 'node:crypto';

export interface Sent {
  readonly method?: string;
  /** The certificate's name in the path; absent: the request is about `/domains`. */
  readonly name?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
}

/** An event in API Gateway's payload format 2.0. */
export function httpEvent({
  method = 'POST',
  name,
  headers = {},
  body,
  isBase64Encoded = false,
}: Sent): object {
  const path = name === undefined ? '/domains' : `/domains/${encodeURIComponent(name)}`;
  return {
    version: '2.0',
    routeKey: name === undefined ? 'ANY /domains' : 'ANY /domains/{name}',
    rawPath: path,
    ...(name === undefined ? {} : { pathParameters: { name } }),
    rawQueryString: '',
    headers: { 'content-type': 'application/json', host: 'api.example.com', ...headers },
    requestContext: {
      accountId: '123456789012',
      apiId: 'a1b2c3',
      http: { method, path, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'test' },
      requestId: 'gateway-1',
      stage: '$default',
      timeEpoch: 0,
    },
    ...(body === undefined ? {} : { body }),
    isBase64Encoded,
  };
}

/** The headers of a signed request: HMAC-SHA256 of `id.timestamp.body` with the bytes of the secret, `whsec_`
 *  before it or not. */
export function signatureHeaders(
  secrets: readonly string[],
  body: string,
  sentAt: Date,
  id = 'msg_1',
): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(sentAt.getTime() / 1000));
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
    return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
  });
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  };
}
