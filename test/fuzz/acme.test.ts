// A CA that answers anything: every call of the adapter ends with a value of its contract or an AcmeError.

import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAuthorities } from '../../lib/adapters/acme/accounts.ts';
import { keyMaker } from '../../lib/adapters/acme/keys.ts';
import { readProblem } from '../../lib/adapters/acme/problem.ts';
import { AcmeError, type CertificateAuthority, type Order } from '../../lib/ports/acme.ts';
import { signal } from '../acme/harness.ts';
import { MemoryAccounts } from '../fakes/accounts.ts';
import { FakeClock } from '../fakes/clock.ts';
import { FakeLog } from '../fakes/log.ts';
import { type ScriptedCa, startScriptedCa } from '../fakes/scripted-ca.ts';
import { anything, awkward, broken } from './corpus.ts';

let ca: ScriptedCa;
beforeAll(async () => {
  ca = await startScriptedCa();
});
afterAll(() => ca.stop());

const order = () => ({
  status: 'valid',
  expires: '2026-12-01T00:00:00Z',
  identifiers: [{ type: 'dns', value: 'shop.example.com' }],
  authorizations: [`${ca.base}/authorization/1`],
  finalize: `${ca.base}/order/1/finalize`,
  certificate: `${ca.base}/certificate/1`,
});
const authorization = {
  identifier: { type: 'dns', value: 'shop.example.com' },
  status: 'pending',
  wildcard: true,
  challenges: [
    { type: 'dns-01', url: 'https://ca.example/c/1', status: 'pending', token: 'abc' },
    {
      type: 'dns-persist-01',
      url: 'https://ca.example/c/2',
      status: 'pending',
      'issuer-domain-names': ['ca.example'],
    },
  ],
};
const window = { suggestedWindow: { start: '2026-11-22T00:00:00Z', end: '2026-11-23T00:00:00Z' } };
const problem = {
  type: 'urn:ietf:params:acme:error:rateLimited',
  detail: 'too many',
  status: 429,
  subproblems: [
    { type: 'urn:ietf:params:acme:error:caa', detail: 'no', identifier: { type: 'dns', value: 'a' } },
  ],
};

/** An answer: status, body as it goes over the wire, and headers that mean something to clients. */
function answers(document: () => unknown): fc.Arbitrary<{ status: number; body: string; headers: object }> {
  const bodies = fc.oneof(
    fc.constant(undefined).chain(() => broken(document())),
    anything,
    broken(problem),
  );
  return fc.record({
    status: fc.constantFrom(200, 201, 204, 301, 400, 403, 404, 409),
    body: fc.oneof(
      { weight: 5, arbitrary: bodies.map((body) => JSON.stringify(body) ?? '') },
      { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 200 }) },
    ),
    headers: fc.record({
      'content-type': fc.constantFrom(
        'application/json',
        'application/problem+json',
        'text/html',
        'application/pem-certificate-chain',
      ),
      'retry-after': fc.constantFrom(
        '',
        '0',
        '-5',
        '1',
        'soon',
        '99999999999',
        'Sun, 22 Nov 2099 10:00:00 GMT',
      ),
      link: fc.constantFrom('', '<>', '</x>;rel="alternate"', '<https://ca.example/x>;rel=alternate', ';;;,'),
      location: fc.constantFrom('', 'x', 'https://ca.example/order/1', 'javascript:1'),
    }),
  });
}

async function connect(): Promise<CertificateAuthority> {
  const authorities = createAuthorities({
    issuers: {
      default: {
        directory: ca.directory,
        contact: [],
        agreeToTerms: true,
        caBundle: ca.caPem,
        challenge: 'dns-persist-01',
        preferredChain: 'X',
      },
    },
    accounts: new MemoryAccounts(),
    clock: new FakeClock('2026-11-22T10:00:00Z'),
    log: new FakeLog(),
    readFile: async () => '',
    readText: async () => '',
  });
  return authorities.connect('default', signal);
}

type Step = (authority: CertificateAuthority) => Promise<unknown>;
const opened = (): Order => ({
  url: `${ca.base}/order/1`,
  status: 'valid',
  authorizations: [],
  finalize: `${ca.base}/order/1/finalize`,
  certificate: `${ca.base}/certificate/1`,
});
const steps: readonly (readonly [string, string, () => unknown, Step])[] = [
  ['newOrder', '/order', order, (authority) => authority.newOrder({ domains: ['shop.example.com'] }, signal)],
  ['readOrder', '/order/1', order, (authority) => authority.readOrder(`${ca.base}/order/1`, signal)],
  [
    'readAuthorization',
    '/authorization/1',
    () => authorization,
    async (authority) =>
      authority.proofOf(await authority.readAuthorization(`${ca.base}/authorization/1`, signal)),
  ],
  [
    'answerChallenge',
    '/challenge/1',
    () => ({}),
    (authority) => authority.answerChallenge(`${ca.base}/challenge/1`, signal),
  ],
  [
    'finalize',
    '/order/1/finalize',
    order,
    async (authority) => {
      const csr = await keyMaker.request(await keyMaker.generate('ecdsa-p256'), ['shop.example.com']);
      return authority.finalize(opened(), csr, signal);
    },
  ],
  [
    'downloadCertificate',
    '/certificate/1',
    () => '-----BEGIN CERTIFICATE-----',
    (authority) => authority.downloadCertificate(opened(), signal),
  ],
  [
    'renewalInfo',
    '/renewal-info/abc.def',
    () => window,
    (authority) => authority.renewalInfo('abc.def', signal),
  ],
];

test.each(
  steps,
)('%s ends with a coded error or an answer, whatever the CA says', async (_, path, document, step) => {
  const authority = await connect();
  await fc.assert(
    fc.asyncProperty(answers(document), async ({ status, body, headers }) => {
      ca.routes.set(path, (response) =>
        response.writeHead(status, { ...headers }).end(status === 204 ? '' : body),
      );
      try {
        await step(authority);
      } catch (error) {
        expect(error).toBeInstanceOf(AcmeError);
      }
    }),
    { numRuns: 25 },
  );
});

test('a problem document is read as one, or not at all', () => {
  fc.assert(
    fc.property(fc.oneof(broken(problem), anything, fc.constantFrom(...awkward)), (value) => {
      const read = readProblem(value);
      if (read) expect(read.detail.length).toBeLessThanOrEqual(2_000);
    }),
  );
});
