// CAs whose answers come late, get lost, or say less than they know: the authorizations tell what the order
// does not, and an order ends when they end.
import { beforeEach, describe, expect, it } from 'vitest';
import { AcmeError, type Authorization, type Order } from '../../lib/ports/acme.ts';
import { Harness, specOf } from './harness.ts';

const shop = specOf('shop', ['shop.example.com', 'www.shop.example.com']);
let harness: Harness;
beforeEach(() => {
  harness = new Harness([shop]);
});

const malformed = (detail: string) =>
  new AcmeError('Problem', `ca refused: malformed: ${detail}`, {
    problem: { type: 'malformed', detail, status: 400, identifiers: [] },
  });
const lost = () => new AcmeError('Unreachable', 'no answer from ca.example (it took more than 30 s)');
const failedLines = () =>
  harness.log.lines.filter(({ event }) => event === 'certificate failed').map(({ fields }) => fields);

/** Makes authorizations of `www.shop.example.com` have this status, from the moment that `isTime` tells on;
 *  their order stays as it is, as at some CAs. */
function end(status: Authorization['status'], detail?: string, isTime = () => true): void {
  const { ca } = harness;
  const read = ca.readAuthorization.bind(ca);
  ca.readAuthorization = async (url) => {
    const authorization = await read(url);
    if (authorization.name !== 'www.shop.example.com' || !isTime()) return authorization;
    const problem = detail === undefined ? undefined : { type: 'dns', detail, identifiers: [] };
    const challenges = authorization.challenges.map((one) => ({
      ...one,
      status: 'invalid' as const,
      problem,
    }));
    return { ...authorization, status, challenges: detail === undefined ? [] : challenges };
  };
  const answer = ca.answerChallenge.bind(ca);
  ca.answerChallenge = async (url) => {
    if (!isTime()) await answer(url);
  };
}

describe('an authorization that is over ends its order, although the CA calls the order pending', () => {
  it.each<[Authorization['status'], string | undefined, string]>([
    ['invalid', 'SERVFAIL at ns1.example.com', 'dns: www.shop.example.com: SERVFAIL at ns1.example.com'],
    ['invalid', undefined, 'unauthorized: www.shop.example.com: its authorization is invalid'],
    ['deactivated', undefined, 'unauthorized: www.shop.example.com: its authorization is deactivated'],
    ['expired', undefined, 'unauthorized: www.shop.example.com: its authorization is expired'],
    ['revoked', undefined, 'unauthorized: www.shop.example.com: its authorization is revoked'],
  ])('%s from the start (%s): nothing is written, and force makes a new order', async (status, detail, words) => {
    let isOver = true;
    end(status, detail, () => isOver);
    await harness.run();
    expect(failedLines()).toMatchObject([{ certificate: 'shop', problem: expect.stringContaining(words) }]);
    expect(harness.records.presents).toBe(0);
    expect(harness.clock.slept).toEqual([]);
    expect([harness.state('shop').order, harness.pending('shop')]).toEqual([undefined, undefined]);

    isOver = false;
    const { report } = await harness.run({ certificates: ['shop'], force: true });
    expect(report.certificates).toMatchObject([{ outcome: 'issued' }]);
    expect(harness.ca.count('newOrder')).toBe(2);
  });

  it('while it is validated: within seconds, and its TXT values are removed', async () => {
    let isOver = false;
    end('invalid', 'no TXT record found', () => isOver);
    const answer = harness.ca.answerChallenge.bind(harness.ca);
    harness.ca.answerChallenge = (url) => {
      isOver = true;
      return answer(url);
    };
    await harness.run();
    expect(failedLines()).toMatchObject([
      { reason: 'dns', problem: expect.stringContaining('www.shop.example.com: no TXT record found') },
    ]);
    expect(harness.clock.slept.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(15_000);
    expect(harness.records.values.size).toBe(0);
    expect(harness.state('shop').order).toBeUndefined();
  });

  it('found by a later run: that run makes a new order', async () => {
    const crash = new AbortController();
    const present = harness.records.present.bind(harness.records);
    harness.records.present = async () => {
      crash.abort(new Error('the time of the run is over'));
      throw crash.signal.reason;
    };
    await harness.run({}, { signal: crash.signal });
    const [first] = harness.ca.orders.keys();
    harness.records.present = present;
    let isFirst = true;
    end('expired', undefined, () => isFirst);
    const newOrder = harness.ca.newOrder.bind(harness.ca);
    harness.ca.newOrder = (request) => {
      isFirst = false;
      return newOrder(request);
    };
    harness.clock.pass(16 * 60_000);
    const { report } = await harness.run();
    expect(harness.log.lines.find(({ event }) => event === 'order not resumed')?.fields).toMatchObject({
      orderUrl: first,
      problem: expect.stringContaining('its authorization is expired'),
    });
    expect(report.certificates).toMatchObject([{ outcome: 'issued' }]);
  });
});

it('an order that stays pending long is asked for its authorizations at growing pauses only', async () => {
  harness.ca.answerChallenge = async () => undefined;
  await harness.run();
  expect(failedLines()).toMatchObject([{ reason: 'Unfinished' }]);
  const atFirst = 2 + 8;
  expect(harness.ca.count('readAuthorization') - atFirst).toBeLessThanOrEqual(2 * 15);
  expect(harness.ca.count('readAuthorization')).toBeGreaterThan(atFirst);
});

describe('a challenge whose answer does not arrive', () => {
  it.each<[string, () => Error]>([
    ['lost', lost],
    [
      'refused because it is valid',
      () => malformed('Cannot update challenge with status valid, only status pending'),
    ],
    [
      'an error of the CA',
      () =>
        new AcmeError('Problem', 'HTTP 500', {
          problem: { type: 'serverInternal', detail: '', status: 500, identifiers: [] },
        }),
    ],
  ])('(%s) is looked at, and the order goes on if the CA validates it', async (_, error) => {
    const { ca } = harness;
    const answer = ca.answerChallenge.bind(ca);
    ca.answerChallenge = async (url) => {
      await answer(url);
      throw error();
    };
    const { report } = await harness.run();
    expect(report.certificates).toMatchObject([{ outcome: 'issued' }]);
    expect(ca.count('newOrder')).toBe(1);
  });

  it('is looked at, and the order goes on if the CA is at it', async () => {
    const { ca } = harness;
    const answer = ca.answerChallenge.bind(ca);
    const read = ca.readAuthorization.bind(ca);
    const processing = new Set<string>();
    ca.readAuthorization = async (url) => {
      const authorization = await read(url);
      if (!processing.has(`${url}/challenge`)) return authorization;
      const challenges = authorization.challenges.map((one) => ({ ...one, status: 'processing' as const }));
      return { ...authorization, challenges };
    };
    ca.answerChallenge = async (url) => {
      processing.add(url);
      if (processing.size === 2) await answer(url);
      throw malformed('Cannot update challenge with status processing');
    };
    expect((await harness.run()).report.certificates).toMatchObject([{ outcome: 'issued' }]);
  });

  it('is a failure with the CA’s words if the CA has not taken it', async () => {
    harness.ca.answerChallenge = async () => {
      throw malformed('no such challenge');
    };
    await harness.run();
    expect(failedLines()).toMatchObject([
      { reason: 'malformed', problem: expect.stringContaining('no such challenge') },
    ]);
    expect(harness.clock.slept).toEqual([]);
  });

  it('is a failure with the challenge’s words if it has failed by then', async () => {
    harness.ca.unwelcome.add('www.shop.example.com');
    const answer = harness.ca.answerChallenge.bind(harness.ca);
    harness.ca.answerChallenge = async (url) => {
      await answer(url);
      throw lost();
    };
    await harness.run();
    expect(failedLines()).toMatchObject([
      { reason: 'unauthorized', problem: expect.stringContaining('no TXT record found') },
    ]);
    expect(harness.state('shop').order).toBeUndefined();
  });
});

describe('after finalize', () => {
  const stale: [string, (order: Order) => Order][] = [
    ['ready', (order) => ({ ...order, status: 'ready', certificate: undefined })],
    ['processing', (order) => ({ ...order, status: 'processing', certificate: undefined })],
    ['valid without a certificate', (order) => ({ ...order, certificate: undefined })],
  ];

  it.each(stale)('an order that is %s is looked at again', async (_, earlier) => {
    const { ca } = harness;
    const finalize = ca.finalize.bind(ca);
    const read = ca.readOrder.bind(ca);
    let looks = 0;
    ca.finalize = async (...given) => earlier(await finalize(...given));
    ca.readOrder = async (url) => {
      const order = await read(url);
      if (order.status === 'valid') looks += 1;
      return order.status === 'valid' && looks <= 3 ? earlier(order) : order;
    };
    const { report } = await harness.run();
    expect(report.certificates).toMatchObject([{ outcome: 'issued' }]);
    expect([ca.count('newOrder'), ca.count('finalize'), looks]).toEqual([1, 1, 4]);
  });

  it.each(
    stale,
  )('an order that stays %s ends the run’s attempt, and the next one goes on with it', async (state, earlier) => {
    const { ca } = harness;
    const finalize = ca.finalize.bind(ca);
    const read = ca.readOrder.bind(ca);
    let isStale = true;
    ca.finalize = async (...given) => earlier(await finalize(...given));
    ca.readOrder = async (url) => {
      const order = await read(url);
      return isStale && order.status === 'valid' ? earlier(order) : order;
    };
    const { report } = await harness.run();
    expect(JSON.stringify(report)).toContain(`is still ${state} after 10 minutes`);
    isStale = false;
    harness.clock.pass(3_600_000);
    expect((await harness.run()).report.certificates).toMatchObject([{ outcome: 'issued' }]);
    expect(ca.count('newOrder')).toBe(1);
  });
});

it('a profile that the CA has withdrawn before finalize ends the order, which is forgotten', async () => {
  const { ca } = harness;
  const problem = {
    type: 'invalidProfile',
    detail: 'profile "classic" was withdrawn',
    status: 400,
    identifiers: [],
  };
  ca.failures.next('finalize', new AcmeError('Problem', 'ca refused: invalidProfile', { problem }));
  const { report } = await harness.run();
  expect(report.certificates).toMatchObject([
    { outcome: 'failed', message: expect.stringContaining('write another "profile" at the issuer') },
  ]);
  expect(failedLines()).toMatchObject([{ reason: 'invalidProfile' }]);
  expect([harness.state('shop').order, harness.pending('shop')]).toEqual([undefined, undefined]);
  harness.clock.pass(60_000);
  expect((await harness.run()).report.certificates).toMatchObject([{ outcome: 'issued' }]);
  expect(ca.count('newOrder')).toBe(2);
});
