// The CA's HTTP side: names calls, checks signed requests, hands them on, and puts nonces and links on
// answers.
import type { Answer, Part, Request } from '../http-server.ts';
import type { Account, Accounts } from './accounts.ts';
import type { Authorizations } from './authorizations.ts';
import type { Certificates } from './certificates.ts';
import { importJwk, type Jws, type PublicKey, readJws, verifyJws } from './jws.ts';
import { Nonces } from './nonces.ts';
import type { Orders } from './orders.ts';
import { malformed, notFound, Problem } from './problem.ts';
import { json, type Reply } from './reply.ts';
import type { Settings } from './settings.ts';
import { type Action, matchPath, type Urls } from './urls.ts';
import { issuerDomain } from './validation.ts';

interface Rooms {
  readonly settings: Settings;
  readonly urls: Urls;
  readonly accounts: Accounts;
  readonly authorizations: Authorizations;
  readonly certificates: Certificates;
  readonly orders: Orders;
}

type SignedAction = Exclude<Action, 'directory' | 'newNonce' | 'renewalInfo' | 'newAccount' | 'revokeCert'>;

/** The CA as a part of the sandbox: service `acme`. */
export class Front implements Part {
  readonly service = 'acme';
  readonly #nonces = new Nonces();
  readonly #rooms: Rooms;

  constructor(rooms: Rooms) {
    this.#rooms = rooms;
  }

  describe({ url }: Request): {
    readonly action: string;
    readonly resource: string;
    readonly principal: string;
  } {
    const action = matchPath(url.pathname)?.action ?? 'unknown';
    return { action, resource: url.pathname, principal: 'unknown' };
  }

  handle(request: Request): Answer {
    const match = matchPath(request.url.pathname);
    try {
      if (!match) throw notFound('there is no such resource');
      return this.#finish(request, this.#dispatch(request, match.action, match.ids), match.action);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      return this.#finish(request, error.answer(), match?.action);
    }
  }

  /** A problem document, for which the request's nonce is used up. With status 503 it is what Let's Encrypt's
   *  load balancer answers: no document, no nonce, and the CA never saw the request. */
  refuse(code: string, status: number, message: string, request: Request): Answer {
    if (status === 503)
      return { status, headers: { 'content-type': 'text/html' }, body: '<h1>Service busy</h1>' };
    this.#useUpNonce(request);
    return this.#finish(request, new Problem(code, status, message).answer(), undefined);
  }

  #dispatch(request: Request, action: Action, ids: readonly string[]): Reply {
    if (action === 'directory' || action === 'newNonce' || action === 'renewalInfo') {
      if (request.method !== 'GET' && request.method !== 'HEAD') return methodNotAllowed('GET, HEAD');
      return this.#answerUnsigned(request, action, ids);
    }
    if (request.method !== 'POST') return methodNotAllowed('POST');
    if (action === 'newAccount') return this.#register(request);
    return action === 'revokeCert' ? this.#revoke(request) : this.#answerSigned(request, action, ids);
  }

  #answerUnsigned(
    { method }: Request,
    action: 'directory' | 'newNonce' | 'renewalInfo',
    [id = '']: readonly string[],
  ): Reply {
    const { urls, settings, certificates } = this.#rooms;
    switch (action) {
      case 'directory':
        return json(200, { ...urls.entries(), meta: describeService(settings, urls) });
      case 'newNonce':
        return { status: method === 'HEAD' ? 200 : 204 };
      case 'renewalInfo':
        return certificates.renewalInfo(id);
    }
  }

  #answerSigned(request: Request, action: SignedAction, [id = '', second]: readonly string[]): Reply {
    const { accounts, authorizations, certificates, orders } = this.#rooms;
    const { account, payload } = this.#authenticate(request);
    switch (action) {
      case 'account':
        return accounts.update(account, id, payload);
      case 'keyChange':
        return accounts.changeKey(account, payload);
      case 'newOrder':
        return orders.create(account, payload);
      case 'order':
        return orders.read(account, id, payload);
      case 'finalize':
        return orders.finalize(account, id, payload);
      case 'authorization':
        return authorizations.update(account, id, payload);
      case 'challenge':
        return authorizations.answer(account, id, second ?? '', payload);
      case 'certificate':
        return certificates.download(account, id, second, payload);
    }
  }

  /** newAccount is signed with a key that it brings along (RFC 8555 §6.2). */
  #register(request: Request): Reply {
    const { publicKey, payload } = this.#readSelfSigned(request);
    return this.#rooms.accounts.register(publicKey, payload);
  }

  /** revokeCert is signed by an account, or with the certificate's own key, which it brings along (RFC 8555
   *  §7.6). */
  #revoke(request: Request): Reply {
    const { certificates } = this.#rooms;
    if (readSigned(request).header.kid === undefined) {
      const { publicKey, payload } = this.#readSelfSigned(request);
      return certificates.revoke(publicKey, payload);
    }
    const { account, payload } = this.#authenticate(request);
    return certificates.revoke(account, payload);
  }

  #readSelfSigned(request: Request): { readonly publicKey: PublicKey; readonly payload: Buffer } {
    const jws = readSigned(request);
    if (jws.header.jwk === undefined) throw malformed('the JWS header has no "jwk"');
    const publicKey = importJwk(jws.header.jwk);
    verifyJws(jws, publicKey);
    this.#checkHeader(jws, request);
    return { publicKey, payload: jws.payload };
  }

  #authenticate(request: Request): { readonly account: Account; readonly payload: Buffer } {
    const jws = readSigned(request);
    if (jws.header.kid === undefined) throw malformed('the JWS header has no "kid"');
    const account = this.#rooms.accounts.find(jws.header.kid);
    verifyJws(jws, account.publicKey);
    this.#checkHeader(jws, request);
    return { account, payload: jws.payload };
  }

  // After the signature, so that a nonce is used up only by whoever could sign.
  #checkHeader({ header }: Jws, { url }: Request): void {
    if (header.nonce === undefined || !this.#nonces.redeem(header.nonce)) {
      throw new Problem('badNonce', 400, 'the nonce was never given out, or was used before');
    }
    const expected = `${this.#rooms.urls.base}${url.pathname}${url.search}`;
    if (header.url !== expected)
      throw malformed(`"url" in the JWS header is "${header.url}", not "${expected}"`);
  }

  #useUpNonce(request: Request): void {
    try {
      const { nonce } = readJws(request.body).header;
      if (nonce !== undefined) this.#nonces.redeem(nonce);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
    }
  }

  #finish(request: Request, reply: Reply, action: Action | undefined): Answer {
    const carriesNonce = request.method === 'POST' || action === 'newNonce';
    const links = [reply.headers?.link ?? []].flat();
    if (action !== 'directory') links.push(`<${this.#rooms.urls.directory}>;rel="index"`);
    return {
      ...reply,
      headers: {
        ...reply.headers,
        'cache-control': 'no-store',
        ...(carriesNonce && { 'replay-nonce': this.#nonces.issue() }),
        ...(links.length > 0 && { link: links }),
      },
    };
  }
}

/** @throws Problem `malformed`: 415 for another content type (RFC 8555 §6.2) */
function readSigned(request: Request): Jws {
  if (request.headers['content-type'] !== 'application/jose+json') {
    throw new Problem('malformed', 415, 'the content type of a POST must be application/jose+json');
  }
  if (!request.headers['user-agent']) throw malformed('a request has a User-Agent header (RFC 8555 §6.1)');
  if (request.headers['replay-nonce'] !== undefined) throw malformed('a nonce goes into the JWS header only');
  return readJws(request.body);
}

function describeService(
  { profiles, externalAccountRequired, persistentChallenges, persistentDraft }: Settings,
  urls: Urls,
): object {
  const descriptions = Object.entries(profiles).map(([name, { description }]) => [name, description]);
  return {
    termsOfService: `${urls.base}/terms`,
    website: `${urls.base}/about`,
    caaIdentities: [issuerDomain],
    ...(persistentChallenges &&
      persistentDraft === 2 && {
        issuerDomainNames: [issuerDomain],
        accountHashPrefix: urls.accountHashPrefix,
      }),
    ...(externalAccountRequired && { externalAccountRequired }),
    ...(descriptions.length > 0 && { profiles: Object.fromEntries(descriptions) }),
  };
}

function methodNotAllowed(allow: string): Reply {
  const { headers, ...reply } = new Problem('malformed', 405, 'the method is not allowed here').answer();
  return { ...reply, headers: { ...headers, allow } };
}
