// CAs that write every member they know, with null or nothing in it, or that mistake a side member: what
// cannot be read counts as absent, and the order goes on.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Authorities } from '../../lib/adapters/acme/accounts.ts';
import { readProblem } from '../../lib/adapters/acme/problem.ts';
import { answer, directoryAt, orderAt, type ScriptedCa, startScriptedCa } from '../fakes/scripted-ca.ts';
import { failure, signal } from './harness.ts';
import { openScripted } from './scripted-harness.ts';

const domains = ['a.example.com'];
let ca: ScriptedCa;
let authorities: Authorities;

beforeEach(async () => {
  ca = await startScriptedCa();
  authorities = openScripted(ca);
});
afterEach(async () => {
  await authorities.close();
  await ca.stop();
});

const connect = () => authorities.connect('default', signal);
/** What stands where nothing is meant, and what is of no type that the member can have. */
const fillings = [null, '', 7, [], {}, [null]];
const filled = (members: readonly string[], filling: unknown) =>
  Object.fromEntries(members.map((member) => [member, filling]));

describe.each(fillings)('%j', (filling) => {
  it('in the side members of the directory counts as absent, and so it does in its meta', async () => {
    const side = filled(['keyChange', 'revokeCert', 'renewalInfo', 'newAuthz', 'meta'], filling);
    ca.routes.set('/directory', (response) => answer(response, 200, { ...side, ...directoryAt(ca.base) }));
    const authority = await connect();
    expect((await authority.newOrder({ domains }, signal)).status).toBe('pending');
    expect(await authority.renewalInfo('aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE', signal)).toBeUndefined();
    const roll = await failure(authorities.accountKeys.exchange('default', signal));
    expect([roll.code, roll.message]).toEqual(['Unsupported', "the CA's directory offers no keyChange"]);
  });

  it('in a member of meta counts as absent', async () => {
    const meta = filled(
      ['termsOfService', 'website', 'externalAccountRequired', 'caaIdentities', 'profiles'],
      filling,
    );
    ca.routes.set('/directory', (response) => answer(response, 200, { ...directoryAt(ca.base), meta }));
    const authority = await connect();
    expect((await authority.newOrder({ domains }, signal)).status).toBe('pending');
    expect(await authorities.describe('default', signal)).toMatchObject({ identities: [] });
    const refused = await failure(authority.newOrder({ domains, profile: 'short' }, signal));
    expect(refused.message).toContain('the CA does not offer the profile "short"');
  });

  it('in the side members of an order counts as absent, in every status', async () => {
    const side = filled(['expires', 'notBefore', 'identifiers', 'error', 'certificate'], filling);
    const authority = await connect();
    for (const status of ['pending', 'ready', 'processing', 'valid', 'invalid']) {
      const late = status === 'pending' ? {} : { authorizations: filling };
      ca.routes.set('/order/1', (response) =>
        answer(response, 200, { ...side, ...orderAt(ca.base), status, ...late }),
      );
      const order = await authority.readOrder(`${ca.base}/order/1`, signal);
      const { expires, certificate, problem, names } = order;
      expect([order.status, names, expires, certificate, problem]).toEqual([
        status,
        undefined,
        undefined,
        undefined,
        undefined,
      ]);
      expect(order.authorizations).toHaveLength(status === 'pending' ? 1 : 0);
    }
  });

  it('as finalize ends what can still be finalized, and nothing else', async () => {
    const authority = await connect();
    const read = async (status: string) => {
      ca.routes.set('/order/1', (response) =>
        answer(response, 200, { ...orderAt(ca.base), status, finalize: filling }),
      );
      return authority.readOrder(`${ca.base}/order/1`, signal);
    };
    expect((await failure(read('pending'))).code).toBe('Malformed');
    expect((await failure(read('ready'))).code).toBe('Malformed');
    expect((await read('invalid')).status).toBe('invalid');
  });

  it('in the side members of an authorization and its challenges counts as absent', async () => {
    const side = filled(['error', 'validated', 'accounturi', 'issuer-domain-names'], filling);
    const challenge = { ...side, type: 'dns-01', url: '/challenge/1', token: 'abc', status: filling };
    ca.routes.set('/authorization/1', (response) =>
      answer(response, 200, {
        expires: filling,
        wildcard: filling,
        identifier: { type: filling, value: 'a.example.com' },
        status: 'pending',
        challenges: [null, { type: 'http-01', url: filling, token: filling }, challenge],
      }),
    );
    const authority = await connect();
    const read = await authority.readAuthorization(`${ca.base}/authorization/1`, signal);
    expect(read).toMatchObject({ name: 'a.example.com', isWildcard: false });
    expect(authority.proofOf(read)?.challenge).toMatchObject({
      url: `${ca.base}/challenge/1`,
      status: 'pending',
      problem: undefined,
    });
  });

  it('in the side members of a problem leaves its type to act by', () => {
    const side = filled(['detail', 'title', 'status', 'instance', 'identifier', 'subproblems'], filling);
    const type = 'urn:ietf:params:acme:error:rateLimited';
    expect(readProblem({ ...side, type })).toMatchObject({ type: 'rateLimited', identifiers: [] });
    const subproblems = [null, filling, { ...side, identifier: { value: 'a.example.com' } }];
    expect(readProblem({ ...side, type, subproblems })?.identifiers).toEqual(['a.example.com']);
  });
});

it.each(['newNonce', 'newAccount', 'newOrder'])('a directory needs %s', async (resource) => {
  for (const filling of [null, '', 7]) {
    ca.routes.set('/directory', (response) =>
      answer(response, 200, { ...directoryAt(ca.base), [resource]: filling }),
    );
    expect((await failure(connect())).message).toContain('does not answer with an ACME directory');
  }
});

it.each([
  'pending',
  'ready',
] as const)('an order that is %s may come without authorizations: the CA asks for no proof', async (status) => {
  const authority = await connect();
  for (const authorizations of [null, undefined]) {
    ca.routes.set('/order/1', (response) =>
      answer(response, 200, { ...orderAt(ca.base), status, authorizations }),
    );
    expect((await authority.readOrder(`${ca.base}/order/1`, signal)).authorizations).toEqual([]);
  }
});

it('a valid authorization may come without challenges', async () => {
  const identifier = { type: 'dns', value: 'a.example.com' };
  const authority = await connect();
  for (const rest of [{}, { challenges: null }]) {
    ca.routes.set('/authorization/1', (response) =>
      answer(response, 200, { identifier, status: 'valid', ...rest }),
    );
    const read = await authority.readAuthorization(`${ca.base}/authorization/1`, signal);
    expect([read.status, read.challenges]).toEqual(['valid', []]);
  }
});

it('a profile is offered by its name, whatever the CA says of it', async () => {
  const meta = { profiles: { short: null, long: '', other: { days: 7 } } };
  ca.routes.set('/directory', (response) => answer(response, 200, { ...directoryAt(ca.base), meta }));
  const authority = await connect();
  for (const profile of Object.keys(meta.profiles))
    expect((await authority.newOrder({ domains, profile }, signal)).status).toBe('pending');
});

it('identities for CAA that can be read are read beside others that cannot', async () => {
  const meta = { caaIdentities: [null, 'ca.example', 7, ''] };
  ca.routes.set('/directory', (response) => answer(response, 200, { ...directoryAt(ca.base), meta }));
  expect(await authorities.describe('default', signal)).toMatchObject({ identities: ['ca.example'] });
});

it.each([
  ['an order', { error: {} }],
  ['a problem', {}],
])('an empty object is no problem: of %s', (_, body) => {
  expect(readProblem('error' in body ? body.error : body)).toBeUndefined();
});

it('an authorization that an order names twice is there once, also by different spellings', async () => {
  const authorizations = [`${ca.base}/authorization/1`, '/authorization/1', 'authorization/1'];
  ca.routes.set('/order', (response) =>
    answer(response, 201, { ...orderAt(ca.base), authorizations }, { location: '/order/1' }),
  );
  const order = await (await connect()).newOrder({ domains }, signal);
  expect(order.authorizations).toEqual([`${ca.base}/authorization/1`]);
});

describe('JSON is read as JSON', () => {
  it.each([
    'text/plain',
    'text/html; charset=utf-8',
    'application/octet-stream',
    'application/pem-certificate-chain',
    '',
  ])('when the CA calls it %j', async (type) => {
    const headers = type === '' ? {} : { 'content-type': type };
    const body = (value: object) => `\uFEFF \n${JSON.stringify(value)}`;
    ca.routes.set('/directory', (response) =>
      response.writeHead(200, headers).end(body(directoryAt(ca.base))),
    );
    ca.routes.set('/order', (response) =>
      response.writeHead(201, { ...headers, location: '/order/1' }).end(body(orderAt(ca.base))),
    );
    const type429 = { type: 'urn:ietf:params:acme:error:rateLimited', detail: 'too many' };
    ca.routes.set('/order/1', (response) => response.writeHead(429, headers).end(body(type429)));
    const authority = await connect();
    const { url } = await authority.newOrder({ domains }, signal);
    expect(await failure(authority.readOrder(url, signal))).toMatchObject({
      problem: { type: 'rateLimited' },
    });
  });

  it('and PEM as PEM, when the CA calls it JSON', async () => {
    const chain = '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n';
    ca.routes.set('/certificate/1', (response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(chain),
    );
    const authority = await connect();
    const order = await authority.newOrder({ domains }, signal);
    const certificate = `${ca.base}/certificate/1`;
    expect(await authority.downloadCertificate({ ...order, certificate }, signal)).toBe(chain);
  });
});

describe('a reference may be relative', () => {
  const path = (url: string) => new URL(url).pathname;

  it('in the directory, Location, an order, an authorization and renewal info', async () => {
    const relative = { newNonce: 'nonce', newAccount: '/account', newOrder: './order', renewalInfo: 'ari/' };
    ca.routes.set('/directory', (response) => answer(response, 200, relative));
    ca.routes.set('/account', (response) => answer(response, 201, {}, { location: 'account/1' }));
    const body = { authorizations: ['authorization/1'], finalize: '../finalize/1?x=1' };
    ca.routes.set('/order', (response) =>
      answer(response, 201, { ...orderAt(ca.base), ...body }, { location: 'order/1' }),
    );
    const valid = { ...body, status: 'valid', certificate: 'certificate' };
    ca.routes.set('/order/1', (response) => answer(response, 200, valid));
    const window = { start: '2026-11-22T00:00:00Z', end: '2026-11-23T00:00:00Z' };
    ca.routes.set('/ari/a.b', (response) =>
      answer(response, 200, { suggestedWindow: window, explanationURL: '/why' }),
    );
    const authority = await connect();
    const order = await authority.newOrder({ domains }, signal);
    const { url, authorizations, finalize } = order;
    expect([url, ...authorizations, finalize]).toEqual([
      `${ca.base}/order/1`,
      `${ca.base}/authorization/1`,
      `${ca.base}/finalize/1?x=1`,
    ]);
    const read = await authority.readOrder(url, signal);
    expect([read.certificate ?? '', ...read.authorizations].map(path)).toEqual([
      '/order/certificate',
      '/order/authorization/1',
    ]);
    expect((await authority.renewalInfo('a.b', signal))?.explanationUrl).toBe(`${ca.base}/why`);
  });

  it('and leads to no origin that the directory does not name', async () => {
    ca.routes.set('/order', (response) =>
      answer(response, 201, { ...orderAt(ca.base), finalize: '//other.example/f' }, { location: '/order/1' }),
    );
    const authority = await connect();
    const error = await failure(authority.newOrder({ domains }, signal));
    expect([error.code, error.message]).toEqual(['Malformed', expect.stringContaining('//other.example/f')]);
  });
});
