// A CA whose answers no sound CA gives, or that is reached as few are: each ends in an answer or in a
// sentence, in time.

import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { Timeouts } from '../../lib/adapters/acme/http.ts';
import { FakeClock } from '../fakes/clock.ts';
import { answer, directoryAt, orderAt, type ScriptedCa, startScriptedCa } from '../fakes/scripted-ca.ts';
import { failure, signal } from './harness.ts';
import { openScripted } from './scripted-harness.ts';

const domains = ['a.example.com'];
const mebibyte = 1 << 20;
let ca: ScriptedCa;
let clock: FakeClock;
let closers: (() => Promise<void>)[];

beforeEach(async () => {
  clock = new FakeClock('2026-11-22T10:00:00Z');
  ca = await startScriptedCa();
  closers = [() => ca.stop()];
});
afterEach(async () => {
  for (const close of closers.reverse()) await close();
});

function connect(at: ScriptedCa, patience?: Timeouts, during = signal) {
  const authorities = openScripted(at, {
    clock,
    readFile: async () => at.caPem,
    ...(patience ? { timeouts: patience } : {}),
  });
  closers.push(() => authorities.close());
  return authorities.connect('default', during);
}

describe('a CA is reached', () => {
  it.each(['127.0.0.1', '::1'])('that speaks HTTP/1.1 alone, at %s', async (host) => {
    const at = await startScriptedCa(host);
    closers.push(() => at.stop());
    const authority = await connect(at);
    expect((await authority.newOrder({ domains }, signal)).url).toBe(`${at.base}/order/1`);
    expect(at.requests).toEqual([
      'GET /directory HTTP/1.1',
      'HEAD /nonce HTTP/1.1',
      'POST /account HTTP/1.1',
      'POST /order HTTP/1.1',
    ]);
  });

  it('whose addresses have query strings: each is asked for, and signed, as it was given', async () => {
    const [order, authorization] = ['/order?id=7&of=a%2Fb', '/authorization?id=7&id=8'];
    const body = { ...orderAt(ca.base), authorizations: [`${ca.base}${authorization}`] };
    ca.routes.set('/order', (response) => answer(response, 201, body, { location: `${ca.base}${order}` }));
    ca.routes.set('/authorization', (response) => answer(response, 404, { detail: 'gone' }));
    const { url, authorizations } = await (await connect(ca)).newOrder({ domains }, signal);
    expect([url, authorizations]).toEqual([`${ca.base}${order}`, [`${ca.base}${authorization}`]]);
    await (await connect(ca)).readOrder(url, signal);
    expect(ca.requests.at(-1)).toBe(`POST ${order} HTTP/1.1`);
    await failure((await connect(ca)).readAuthorization(authorizations[0] ?? '', signal));
    expect(ca.requests.at(-1)).toBe(`POST ${authorization} HTTP/1.1`);
  });

  it.each([
    ['absent', undefined],
    ['empty', []],
  ])('whose order needs no proof: its authorizations are %s', async (_, authorizations) => {
    const body = { ...orderAt(ca.base), status: 'ready', authorizations };
    ca.routes.set('/order', (response) => answer(response, 201, body, { location: `${ca.base}/order/1` }));
    const order = await (await connect(ca)).newOrder({ domains }, signal);
    expect(order).toMatchObject({ status: 'ready', authorizations: [] });
  });
});

describe('a redirect is refused with a sentence', () => {
  it.each([
    301, 302, 303, 307, 308,
  ])('from the directory, %i, and nothing is asked where it leads', async (status) => {
    ca.routes.set('/directory', (response) =>
      response.writeHead(status, { location: `${ca.base}/acme/directory?token=x` }).end(),
    );
    const error = await failure(connect(ca));
    expect(error.code).toBe('Malformed');
    expect(error.message).toContain(
      `a redirect (${status}) to ${ca.base}/acme/directory, which is not followed`,
    );
    expect(error.message).toContain('write its new directory at the issuer');
    expect(ca.requests).toEqual(['GET /directory HTTP/1.1']);
  });

  it('from newOrder, and one that leads nowhere', async () => {
    const authority = await connect(ca);
    ca.routes.set('/order', (response) => response.writeHead(307).end());
    const error = await failure(authority.newOrder({ domains }, signal));
    expect(error.message).toContain('a redirect (307) to nowhere');
    expect(ca.requests.filter((line) => line.startsWith('POST /order'))).toHaveLength(1);
  });
});

describe('a CA without renewalInfo', () => {
  const replaces = 'aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE';
  const identifiers = [{ type: 'dns', value: 'a.example.com' }];

  it('is not asked for a window, and not told what an order replaces', async () => {
    const authority = await connect(ca);
    await authority.newOrder({ domains, replaces }, signal);
    expect(ca.payloads.at(-1)).toEqual({ identifiers });
    const before = ca.requests.length;
    expect(await authority.renewalInfo(replaces, signal)).toBeUndefined();
    expect(ca.requests).toHaveLength(before);
  });

  it('is told, and asked, once it has one', async () => {
    const renewalInfo = `${ca.base}/renewal-info/`;
    ca.routes.set('/directory', (response) =>
      answer(response, 200, { ...directoryAt(ca.base), renewalInfo }),
    );
    const authority = await connect(ca);
    await authority.newOrder({ domains, replaces }, signal);
    expect(ca.payloads.at(-1)).toEqual({ identifiers, replaces });
    await authority.renewalInfo(replaces, signal);
    expect(ca.requests.at(-1)).toBe(`GET /renewal-info/${replaces} HTTP/1.1`);
  });
});

it.each([
  'newNonce',
  'newAccount',
  'newOrder',
])('an address that is not https is not asked: %s', async (resource) => {
  const plain = 'http://127.0.0.1:9/acme';
  ca.routes.set('/directory', (response) =>
    answer(response, 200, { ...directoryAt(ca.base), [resource]: plain }),
  );
  const error = await failure(connect(ca).then((authority) => authority.newOrder({ domains }, signal)));
  expect(error.code).toBe('Malformed');
  expect(error.message).toContain(`not https: ${plain}`);
});

it.each([
  ['1 MiB is read', 0, true],
  ['one byte more is refused', 1, false],
])('of an answer %s', async (_, more, isRead) => {
  const body = directoryAt(ca.base);
  const rest = mebibyte + more - JSON.stringify({ ...body, rest: '' }).length;
  ca.routes.set('/directory', (response) => answer(response, 200, { ...body, rest: 'x'.repeat(rest) }));
  if (isRead) return void (await connect(ca));
  const error = await failure(connect(ca));
  expect([error.code, error.message]).toEqual(['Malformed', expect.stringContaining('more than 1 MiB')]);
});

describe('a compressed answer', () => {
  it.each([
    'gzip',
    'br',
    'GZIP, identity',
    'x'.repeat(5_000),
  ])('in the coding %.20s is refused unread', async (coding) => {
    const bomb = gzipSync(Buffer.alloc(64 * mebibyte));
    ca.routes.set('/directory', (response, request) => {
      expect(request.headers['accept-encoding']).toBe('identity');
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': coding }).end(bomb);
    });
    const error = await failure(connect(ca));
    expect([error.code, error.message]).toEqual(['Malformed', expect.stringContaining('accepts none')]);
    expect(error.message.length).toBeLessThan(200);
  });

  it('that came whole before anybody refused it ends nothing but the call', async () => {
    const uncaught: unknown[] = [];
    const hear = (error: unknown) => void uncaught.push(error);
    process.on('uncaughtException', hear);
    onTestFinished(() => void process.off('uncaughtException', hear));
    ca.routes.set('/directory', (response) => {
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': '2' }).end('xx');
    });
    expect((await failure(connect(ca))).code).toBe('Malformed');
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    expect(uncaught).toEqual([]);
  });

  it('that says identity is read', async () => {
    ca.routes.set('/directory', (response) =>
      answer(response, 200, directoryAt(ca.base), { 'content-encoding': 'identity' }),
    );
    await connect(ca);
  });
});

describe('a CA that is slow', () => {
  const patience = { connectMs: 5_000, answerMs: 60 };

  it('and does not answer is left after its time, and asked again for what is only read', async () => {
    ca.routes.set('/directory', () => undefined);
    const error = await failure(connect(ca, patience));
    expect(error.code).toBe('Unreachable');
    expect(error.message).toContain('it took more than 0.06 s');
    expect(ca.requests).toHaveLength(4);
    expect(clock.slept).toEqual([500, 1_000, 2_000]);
  });

  it('and whose answer drips without end is left as well: the time is for all of it', async () => {
    const authority = await connect(ca);
    const impatient = connect(ca, patience);
    await authority.newOrder({ domains }, signal);
    ca.routes.set('/order', (response) => {
      response.writeHead(201, { 'content-type': 'application/json' });
      const timer = setInterval(() => response.write(' '), 5);
      response.on('close', () => clearInterval(timer));
    });
    const error = await failure((await impatient).newOrder({ domains }, signal));
    expect([error.code, error.message]).toEqual(['Unreachable', expect.stringContaining('more than 0.06 s')]);
  });

  it('is left at once when the run ends, with the reason of the run', async () => {
    const ending = new AbortController();
    ca.routes.set('/directory', () => ending.abort(new Error('the time of the run is over')));
    await expect(connect(ca, undefined, ending.signal)).rejects.toThrow('the time of the run is over');
  });
});

it('a nonce that is refused without a fresh one is fetched anew', async () => {
  const authority = await connect(ca);
  let refused = 0;
  ca.routes.set('/order', (response) => {
    refused += 1;
    if (refused === 2) {
      return answer(response, 201, orderAt(ca.base), { location: `${ca.base}/order/1` });
    }
    response.removeHeader('replay-nonce');
    answer(response, 400, { type: 'urn:ietf:params:acme:error:badNonce', detail: 'no' });
  });
  expect((await authority.newOrder({ domains }, signal)).status).toBe('pending');
  expect(ca.requests.filter((line) => line.startsWith('HEAD'))).toHaveLength(2);
});

describe('newNonce', () => {
  const heads = () => ca.requests.filter((line) => line.startsWith('HEAD')).length;
  const refuse = (status: number, headers = {}) => {
    ca.routes.set('/nonce', (response) => {
      response.removeHeader('replay-nonce');
      response.writeHead(status, headers).end();
    });
  };

  it.each([
    ['answers 503 once', 503, {}, 500],
    ['answers 500 once', 500, {}, 500],
    ['answers 503 once and says how long', 503, { 'retry-after': '7' }, 7_000],
    ['answers 429 once and says how long', 429, { 'retry-after': '7' }, 7_000],
    ['gives no answer once', undefined, {}, 500],
  ])('that %s is asked again', async (_, status, headers, waitMs) => {
    ca.routes.set('/nonce', (response) => {
      ca.routes.set('/nonce', (next) => next.end());
      if (status === undefined) return void response.destroy();
      response.removeHeader('replay-nonce');
      response.writeHead(status, headers).end();
    });
    const order = await (await connect(ca)).newOrder({ domains }, signal);
    expect([order.status, heads(), clock.slept]).toEqual(['pending', 2, [waitMs]]);
  });

  it.each([
    ['503', 503, {}, 4, undefined],
    ['429 without a time', 429, {}, 1, undefined],
    ['429 for 10 s', 429, { 'retry-after': '10' }, 4, 10_000],
    ['429 for 11 s', 429, { 'retry-after': '11' }, 1, 11_000],
    ['404', 404, {}, 1, undefined],
  ])('that answers %s each time is told with its status', async (_, status, headers, asked, retryAfterMs) => {
    refuse(status, headers);
    const error = await failure(connect(ca));
    expect(error).toMatchObject({ code: 'Problem', problem: { status }, retryAfterMs });
    expect(heads()).toBe(asked);
  });

  it('that never answers is asked four times, also for a request that may itself be repeated', async () => {
    ca.routes.set('/account', (response) => {
      response.removeHeader('replay-nonce');
      answer(response, 201, {}, { location: `${ca.base}/account/1` });
    });
    const authority = await connect(ca);
    ca.routes.set('/nonce', (response) => void response.destroy());
    const error = await failure(authority.readOrder(`${ca.base}/order/1`, signal));
    expect([error.code, heads()]).toEqual(['Unreachable', 1 + 4]);
  });
});
