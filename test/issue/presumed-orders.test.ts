// Orders whose names one record proves are finalized as soon as an authorization is valid. Whatever the CA
// makes of that, they end as if the order had been looked at.
import { beforeEach, describe, expect, it } from 'vitest';
import { AcmeError, type Authorization, type Order } from '../../lib/ports/acme.ts';
import { Harness, specOf } from './harness.ts';

const shop = specOf('shop', ['shop.example.com', '*.shop.example.com']);
let harness: Harness;
beforeEach(() => {
  harness = new Harness([shop]);
});

function refusal(type: string, status: number): AcmeError {
  const problem = { type, detail: `refused with ${type}`, status, identifiers: [] };
  return new AcmeError('Problem', `ca refused: ${problem.detail}`, { problem });
}

const outcome = async () => (await harness.run()).report.certificates[0];
const failed = () => harness.log.lines.find(({ event }) => event === 'certificate failed')?.fields;

/** Makes the CA call its order pending for the next `looks` looks, and refuse to finalize it meanwhile. */
function lag(looks: number, refuse: (order: Order) => Order | Promise<Order>): void {
  const { ca } = harness;
  const [read, finalize] = [ca.readOrder.bind(ca), ca.finalize.bind(ca)];
  let left = looks;
  ca.readOrder = async (url) => {
    const order = await read(url);
    left -= 1;
    return left < 0 ? order : { ...order, status: 'pending' };
  };
  ca.finalize = async (order, csr) => {
    if (left <= 0) return finalize(order, csr);
    ca.calls.push('finalize');
    return refuse(order);
  };
}

/** Changes what the CA says of authorizations from the first answer to a challenge on. */
function bend(change: (read: Authorization) => Authorization | Promise<Authorization>): void {
  const { ca } = harness;
  const read = ca.readAuthorization.bind(ca);
  ca.readAuthorization = async (url) => {
    const authorization = await read(url);
    return ca.count('answerChallenge') > 0 ? change(authorization) : authorization;
  };
}

describe('a CA that calls the order pending for a while', () => {
  it.each<[string, (order: Order) => Order | Promise<Order>]>([
    ['and refuses with orderNotReady', () => Promise.reject(refusal('orderNotReady', 403))],
    ['and refuses with other words', () => Promise.reject(refusal('malformed', 400))],
    ['and fails', () => Promise.reject(refusal('serverInternal', 500))],
    ['and does not answer', () => Promise.reject(new AcmeError('Unreachable', 'no answer'))],
    ['and takes no notice', (order) => ({ ...order, status: 'pending' })],
  ])('%s is waited for, and finalizes then', async (_, refuse) => {
    lag(4, refuse);
    expect(await outcome()).toMatchObject({ outcome: 'issued' });
    expect([harness.ca.count('newOrder'), harness.ca.count('finalize')]).toEqual([1, 2]);
  });

  it('until it has just refused, is asked to finalize again', async () => {
    harness.ca.failures.next('finalize', refusal('orderNotReady', 403));
    expect(await outcome()).toMatchObject({ outcome: 'issued' });
    expect(harness.ca.count('finalize')).toBe(2);
  });

  it('for ever: the attempt ends as one whose names were never proved', async () => {
    lag(Number.POSITIVE_INFINITY, () => Promise.reject(refusal('orderNotReady', 403)));
    expect(await outcome()).toMatchObject({ outcome: 'failed' });
    expect(failed()).toMatchObject({
      reason: 'Unfinished',
      problem: expect.stringContaining('is still pending after 10 minutes'),
    });
    expect(harness.pending('shop')).toBeUndefined();
    expect(harness.records.values.size).toBe(0);
  });
});

it('the other name fails: the order ends at once with the CA’s words for it', async () => {
  harness.ca.unwelcome.add('shop.example.com');
  bend((read) => (read.isWildcard ? { ...read, status: 'valid' } : read));
  expect(await outcome()).toMatchObject({ outcome: 'failed' });
  expect(failed()).toMatchObject({
    reason: 'unauthorized',
    problem: expect.stringContaining('shop.example.com: no TXT record found'),
  });
  expect([harness.state('shop').order, harness.pending('shop')]).toEqual([undefined, undefined]);
});

it('a ready order that the CA refuses to finalize is asked for once, and fails with its words', async () => {
  harness.ca.failures.next('finalize', refusal('badCSR', 400));
  expect(await outcome()).toMatchObject({ outcome: 'failed' });
  expect(failed()).toMatchObject({ reason: 'badCSR' });
  expect(harness.ca.count('finalize')).toBe(1);
});

it('a profile that was withdrawn meanwhile ends the order', async () => {
  harness.ca.failures.next('finalize', refusal('invalidProfile', 400));
  expect(await outcome()).toMatchObject({
    outcome: 'failed',
    message: expect.stringContaining('write another "profile" at the issuer'),
  });
  expect(harness.state('shop').order).toBeUndefined();
});

it('a rate limit at finalize is not asked about again', async () => {
  harness.ca.failures.next('finalize', refusal('rateLimited', 429));
  await outcome();
  expect(failed()).toMatchObject({ reason: 'rateLimited' });
  expect(harness.ca.calls.slice(harness.ca.calls.lastIndexOf('finalize'))).toEqual(['finalize']);
});

describe('the order is looked at, as before, where the authorization', () => {
  it.each<[string, (read: Authorization) => Authorization | Promise<Authorization>, number]>([
    ['cannot be read', () => Promise.reject(new AcmeError('Malformed', 'no authorization')), 1],
    [
      'comes with the wish to be asked later',
      (read) => ({ ...read, status: 'pending', retryAfterMs: 60_000 }),
      1,
    ],
    ['stays pending for seconds', (read) => ({ ...read, status: 'pending' }), 7],
  ])('%s', async (_, change, mostLooks) => {
    bend(change);
    expect(await outcome()).toMatchObject({ outcome: 'issued' });
    expect(harness.ca.count('readOrder')).toBeGreaterThan(0);
    const answered = harness.ca.calls.lastIndexOf('answerChallenge');
    const looks = harness.ca.calls.slice(answered, harness.ca.calls.indexOf('readOrder'));
    expect(looks.length - 1).toBeLessThanOrEqual(mostLooks);
    expect(harness.clock.slept.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(10_000);
  });
});
