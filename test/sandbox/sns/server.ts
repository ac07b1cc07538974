// Amazon SNS for the sandbox: Publish over its Query protocol, as strict as its API Reference, signature too.
import { SignatureV4 } from '@smithy/signature-v4';
import { Sha256 } from '../../../lib/adapters/aws/sha256.ts';
import { type Answer, type Part, type Request, type Surroundings, serve } from '../http-server.ts';
import { ownSecretKey, readSignature } from '../principal.ts';

export interface Published {
  readonly topic: string;
  readonly subject: string | undefined;
  /** What a mail says. */
  readonly mail: string;
  /** What an SMS says. */
  readonly sms: string;
}

export interface Sns {
  /** For `AWS_ENDPOINT_URL_SNS`. */
  readonly url: string;
  readonly published: readonly Published[];
  stop(): Promise<void>;
}

class Refusal extends Error {
  readonly code: string;
  readonly status: number;
  constructor(code: string, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

/** `topics`: ARNs of those that are there. */
export async function startSns(topics: readonly string[], surroundings: Surroundings): Promise<Sns> {
  const published: Published[] = [];
  const part: Part = {
    service: 'sns',
    describe({ headers, body }) {
      const parameters = new URLSearchParams(body.toString());
      const action = parameters.get('Action');
      if (action === null) return undefined;
      const principal = readSignature(headers.authorization)?.principal ?? 'unknown';
      return { action, resource: parameters.get('TopicArn') ?? '*', principal };
    },
    async handle(request) {
      try {
        await checkSignature(request);
        published.push(readPublish(new URLSearchParams(request.body.toString()), topics));
        return {
          status: 200,
          headers: { 'content-type': 'text/xml' },
          body: '<PublishResponse xmlns="https://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>94f20ce6-13c5-43a0-9a9e-ca52d816e90b</MessageId></PublishResult></PublishResponse>',
        };
      } catch (error) {
        if (error instanceof Refusal) return refuse(error.code, error.status, error.message);
        throw error;
      }
    },
    refuse,
    denials: {
      denied: { code: 'AuthorizationError', status: 403 },
      unknown: { code: 'InvalidClientTokenId', status: 403 },
    },
  };
  const server = await serve(part, surroundings);
  return { url: server.url, published, stop: () => server.stop() };
}

/** Signs the request again with the sandbox's secret key and compares (AWS Signature Version 4). */
async function checkSignature({ headers, body, url }: Request): Promise<void> {
  const signed = readSignature(headers.authorization);
  const date = String(headers['x-amz-date'] ?? '');
  const [, y, mo, d, h, mi, s] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date) ?? [];
  const [, names = ''] = /SignedHeaders=([^,]+)/.exec(headers.authorization ?? '') ?? [];
  if (!signed || y === undefined || signed.service !== 'sns') {
    throw new Refusal('MissingAuthenticationToken', 'Request is missing Authentication Token', 403);
  }
  const signer = new SignatureV4({
    service: 'sns',
    region: signed.region,
    sha256: Sha256,
    credentials: { accessKeyId: signed.accessKey, secretAccessKey: ownSecretKey },
  });
  const own = Object.fromEntries(names.split(';').map((name) => [name, String(headers[name] ?? '')]));
  const request = {
    method: 'POST',
    protocol: 'http:',
    hostname: url.hostname,
    path: url.pathname,
    headers: own,
    body: body.toString(),
  };
  const signingDate = new Date(`${y}-${mo}-${d}T${h}:${mi}:${s}Z`);
  const again = await signer.sign(request, { signingDate });
  if (again.headers.authorization !== headers.authorization) {
    throw new Refusal('SignatureDoesNotMatch', 'The request signature we calculated does not match', 403);
  }
}

function readPublish(parameters: URLSearchParams, topics: readonly string[]): Published {
  const read = (name: string) => parameters.get(name) ?? undefined;
  if (read('Action') !== 'Publish' || read('Version') !== '2010-03-31') {
    throw new Refusal('InvalidAction', `The action ${read('Action')} is not valid for this endpoint`);
  }
  const topic = read('TopicArn') ?? '';
  if (!topics.includes(topic)) throw new Refusal('NotFound', 'Topic does not exist', 404);
  const subject = read('Subject');
  if (subject !== undefined && !/^[!-~][ -~]{0,98}$/.test(subject)) {
    throw new Refusal('InvalidParameter', 'Invalid parameter: Subject');
  }
  const message = read('Message') ?? '';
  if (message === '') throw new Refusal('InvalidParameter', 'Invalid parameter: Empty message');
  if (Buffer.byteLength(message) > 262_144)
    throw new Refusal('InvalidParameter', 'Invalid parameter: Message too long');
  if (read('MessageStructure') !== 'json') return { topic, subject, mail: message, sms: message };
  const texts = readStructure(message);
  const { default: text = '' } = texts;
  return { topic, subject, mail: texts.email ?? text, sms: texts.sms ?? text };
}

function readStructure(message: string): Readonly<Record<string, string>> {
  const refusal = new Refusal(
    'InvalidParameter',
    'Invalid parameter: Message Structure - JSON message body failed to parse',
  );
  let parsed: unknown;
  try {
    parsed = JSON.parse(message);
  } catch {
    throw refusal;
  }
  if (typeof parsed !== 'object' || parsed === null) throw refusal;
  const texts = Object.entries(parsed).flatMap(([key, text]) =>
    typeof text === 'string' ? [[key, text]] : [],
  );
  if (!('default' in parsed)) {
    throw new Refusal(
      'InvalidParameter',
      'Invalid parameter: Message Structure - No default entry in JSON message body',
    );
  }
  return Object.fromEntries(texts) as Record<string, string>;
}

function refuse(code: string, status: number, message: string): Answer {
  return {
    status,
    headers: { 'content-type': 'text/xml' },
    body: `<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`,
  };
}
