// A bare ACME client that can also say wrong things: every member of a request can be replaced.
import { createHash, createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { Agent, request as send } from 'node:https';
import * as z from 'zod';

/** What the CA answered, whatever its status. */
export interface AcmeAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** What of a signed request is other than it should be. */
export interface Overrides {
  /** Members of the protected header; `undefined` leaves one out. */
  readonly header?: Readonly<Record<string, unknown>>;
  /** Signs instead of the account's key. */
  readonly key?: KeyObject;
  readonly contentType?: string;
  /** Members beside protected, payload and signature. */
  readonly outer?: Readonly<Record<string, unknown>>;
}

const problem = z.looseObject({ type: z.string(), detail: z.string() });
const directory = z.looseObject({
  newNonce: z.url(),
  newAccount: z.url(),
  newOrder: z.url(),
  keyChange: z.url(),
  revokeCert: z.url(),
  renewalInfo: z.url().optional(),
  meta: z.looseObject({
    termsOfService: z.url().optional(),
    profiles: z.record(z.string(), z.string()).optional(),
  }),
});
const order = z.looseObject({
  status: z.enum(['pending', 'ready', 'processing', 'valid', 'invalid']),
  identifiers: z.array(z.object({ type: z.string(), value: z.string() })),
  authorizations: z.array(z.url()),
  finalize: z.url(),
  certificate: z.url().optional(),
});
const challenge = z.looseObject({
  type: z.string(),
  url: z.url(),
  status: z.string(),
  token: z.string().optional(),
  error: problem.optional(),
});
const authorization = z.looseObject({
  status: z.string(),
  identifier: z.object({ type: z.literal('dns'), value: z.string() }),
  wildcard: z.boolean().optional(),
  challenges: z.array(challenge),
});

/** Objects as the CA sends them, checked for the members that the contract uses. */
export type RawOrder = z.infer<typeof order> & { readonly url: string };
export type RawAuthorization = z.infer<typeof authorization>;
export type RawChallenge = z.infer<typeof challenge> & { readonly token: string };

/** One key at one CA, over a kept connection; nonces are taken from the last answer. */
export class RawClient {
  readonly directory: z.infer<typeof directory>;
  readonly key: KeyObject;
  readonly jwk: Readonly<Record<string, unknown>>;
  /** The account's URL, once registered. */
  kid: string | undefined;
  readonly #agent: Agent;
  #nonce: string | undefined;

  /** @param caPem the authority behind the CA's HTTPS certificate */
  static async connect(url: string, caPem: string): Promise<RawClient> {
    const agent = new Agent({ ca: caPem, keepAlive: true });
    const answer = await exchange(agent, 'GET', url);
    return new RawClient(directory.parse(JSON.parse(answer.text)), agent);
  }

  private constructor(parsed: z.infer<typeof directory>, agent: Agent) {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.directory = parsed;
    this.key = privateKey;
    this.jwk = { ...publicKey.export({ format: 'jwk' }) };
    this.#agent = agent;
  }

  /** Another account at the same CA. */
  another(): RawClient {
    return new RawClient(this.directory, this.#agent);
  }

  fetch(method: string, url: string): Promise<AcmeAnswer> {
    return exchange(this.#agent, method, url);
  }

  /** A nonce that was not used yet. */
  async nonce(): Promise<string> {
    const kept = this.#nonce;
    this.#nonce = undefined;
    return kept ?? (await this.fetch('HEAD', this.directory.newNonce)).headers['replay-nonce'] ?? '';
  }

  /** A signed POST; without a payload a POST-as-GET. Signed by the account where there is one, else with the
   *  key itself. */
  async post(url: string, payload?: unknown, overrides: Overrides = {}): Promise<AcmeAnswer> {
    const header = {
      alg: 'ES256',
      nonce: overrides.header && 'nonce' in overrides.header ? undefined : await this.nonce(),
      url,
      ...(this.kid === undefined ? { jwk: this.jwk } : { kid: this.kid }),
      ...overrides.header,
    };
    const body = seal(header, payload, overrides.key ?? this.key);
    const answer = await exchange(
      this.#agent,
      'POST',
      url,
      JSON.stringify({ ...body, ...overrides.outer }),
      overrides.contentType ?? 'application/jose+json',
    );
    this.#nonce = answer.headers['replay-nonce'];
    return answer;
  }

  /** Registers the key; the account signs from then on. */
  async register(contact: readonly string[] = []): Promise<AcmeAnswer> {
    const answer = await this.post(this.directory.newAccount, { termsOfServiceAgreed: true, contact });
    this.kid = answer.headers.location;
    return answer;
  }

  async order(names: readonly string[], members: Readonly<Record<string, unknown>> = {}): Promise<RawOrder> {
    const identifiers = names.map((value) => ({ type: 'dns', value }));
    return readOrder(await this.post(this.directory.newOrder, { identifiers, ...members }));
  }

  async readOrder(url: string): Promise<RawOrder> {
    return readOrder(await this.post(url), url);
  }

  async readAuthorization(url: string): Promise<RawAuthorization> {
    return authorization.parse(JSON.parse((await this.post(url)).text));
  }

  /** The dns-01 challenge of an authorization. */
  async dnsChallenge(url: string): Promise<RawChallenge> {
    const found = (await this.readAuthorization(url)).challenges.find((one) => one.type === 'dns-01');
    if (found?.token === undefined) throw new Error('no dns-01 challenge with a token is offered');
    return { ...found, token: found.token };
  }

  /** RFC 8555 §8.4. */
  txtValue(token: string): string {
    const { crv, kty, x, y } = this.jwk;
    const thumbprint = sha256(JSON.stringify({ crv, kty, x, y }));
    return sha256(`${token}.${thumbprint}`);
  }
}

/** A flattened JWS (RFC 7515 §7.2.2) by a P-256 key, or by a MAC key; without payload an empty one. */
export function seal(header: object, payload: unknown, key: KeyObject): Readonly<Record<string, string>> {
  const protectedPart = encode(JSON.stringify(header));
  const payloadPart = payload === undefined ? '' : encode(JSON.stringify(payload));
  const bytes = Buffer.from(`${protectedPart}.${payloadPart}`);
  const signature =
    key.type === 'secret'
      ? createHmac('sha256', key).update(bytes).digest()
      : sign('sha256', bytes, { key, dsaEncoding: 'ieee-p1363' });
  return { protected: protectedPart, payload: payloadPart, signature: signature.toString('base64url') };
}

/** A refusal's status, the last part of its type, and its detail.
 *  @throws where the answer is no problem document */
export function readProblem(answer: AcmeAnswer): { status: number; type: string; detail: string } {
  const { type, detail } = problem.parse(JSON.parse(answer.text));
  return { status: answer.status, type: type.replace('urn:ietf:params:acme:error:', ''), detail };
}

/** @throws where the answer is no order */
export function readOrder(answer: AcmeAnswer, url = answer.headers.location): RawOrder {
  const parsed = order.safeParse(JSON.parse(answer.text));
  if (!parsed.success || url === undefined) throw new Error(`not an order: ${answer.status} ${answer.text}`);
  return { ...parsed.data, url };
}

function exchange(
  agent: Agent,
  method: string,
  url: string,
  body?: string,
  contentType?: string,
): Promise<AcmeAnswer> {
  const headers: Record<string, string> = { 'user-agent': 'certrelay-contract' };
  if (contentType !== undefined) headers['content-type'] = contentType;
  if (body !== undefined) headers['content-length'] = String(Buffer.byteLength(body));
  return new Promise((resolve, reject) => {
    const sent = send(url, { method, agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () => {
        const flat = Object.entries(response.headers).map(([name, value]) => [
          name,
          [value ?? []].flat().join(', '),
        ]);
        resolve({
          status: response.statusCode ?? 0,
          headers: Object.fromEntries(flat),
          text: Buffer.concat(chunks).toString('utf8'),
        });
      });
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64url');
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
