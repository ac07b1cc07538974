// What senders get from POST /domains, whoever they are and whatever they send.
import { createHmac, randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { createEndpoint, type Endpoint } from '../../lib/adapters/webhook/endpoint.ts';
import { rememberGithubForm } from '../../lib/adapters/webhook/github.ts';
import { largestBodyBytes } from '../../lib/adapters/webhook/http.ts';
import { failureLifetimeMs, rememberSecrets, secretsLifetimeMs } from '../../lib/adapters/webhook/secrets.ts';
import type { InstallationRecord } from '../../lib/ports/installation.ts';
import type { Registration } from '../../lib/ports/registration.ts';
import { realClock } from '../fakes/clock.ts';
import { FakeStore } from '../fakes/store.ts';
import { httpEvent, type Sent, signatureHeaders } from '../minting/webhook-requests.ts';

const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`;
const secret = newSecret();
const start = new Date('2026-11-20T10:00:00Z');
const body = JSON.stringify({ domains: ['shop.example.com'] });
const registration = { zones: ['example.com'], issuer: 'default', key: 'ecdsa-p256', targets: [] } as const;
const signal = new AbortController().signal;

let now: Date;
let stored: string | Error;
let reads: number;
let registered: unknown[];
let asked: string[];
let outcome: Registration | Error;
let lines: string[];
let github: boolean | undefined;
let isOpen: boolean;
let stock: FakeStore;
let readInstallation: () => Promise<InstallationRecord | undefined>;
let endpoint: Endpoint;

beforeEach(() => {
  now = start;
  stored = secret;
  reads = 0;
  registered = [];
  asked = [];
  outcome = { kind: 'accepted', name: 'shop', domains: ['shop.example.com'] };
  lines = [];
  github = undefined;
  isOpen = true;
  readInstallation = async () => undefined;
  const log = (event: string, fields?: object) => void lines.push(JSON.stringify({ event, ...fields }));
  const clock = { ...realClock, now: () => now };
  const lineLog = { debug: log, info: log, warn: log, error: log };
  stock = new FakeStore();
  const standingOf = rememberGithubForm({
    installation: { read: () => readInstallation() },
    store: stock,
    clock,
  });
  endpoint = createEndpoint({
    get isOpen() {
      return isOpen;
    },
    githubAllowedUntil: (aborted) => standingOf({ ...registration, github }, lineLog)(aborted),
    readSecrets: rememberSecrets(async () => {
      reads += 1;
      if (stored instanceof Error) throw stored;
      return stored;
    }, clock),
    describe: async (name) => {
      asked.push(`describe ${name}`);
      return { kind: 'unknown', name };
    },
    takeBack: async (name, { id, sentAt }) => {
      asked.push(`takeBack ${name} ${id} ${sentAt.toISOString()}`);
      return { kind: 'leaving', name, until: start, isNew: true };
    },
    register: async (asked, id) => {
      registered.push({ asked, id });
      if (outcome instanceof Error) throw outcome;
      return outcome;
    },
    clock,
    log: lineLog,
  });
});

const signed = (changes: Sent = {}, secrets = [secret]): Sent => {
  const sent = { body, ...changes };
  const clear = sent.isBase64Encoded ? Buffer.from(sent.body, 'base64').toString() : sent.body;
  return { ...sent, headers: { ...signatureHeaders(secrets, clear, now), ...changes.headers } };
};
const send = async (sent: Sent) => {
  const { statusCode, headers, body: text } = await endpoint(httpEvent(sent), 'request-1', signal);
  const answer: unknown = JSON.parse(text);
  return { status: statusCode, headers, answer };
};
const padded = (bytes: number) => JSON.stringify({ pad: 'x'.repeat(bytes - '{"pad":""}'.length) });

describe('a signed request', () => {
  it('Y02 is registered under its webhook-id and answered with 202', async () => {
    expect(await send(signed())).toMatchObject({
      status: 202,
      headers: { 'content-type': 'application/json' },
      answer: { name: 'shop', domains: ['shop.example.com'], status: 'ordering' },
    });
    expect(registered).toEqual([{ asked: { domains: ['shop.example.com'] }, id: 'msg_1' }]);
  });

  it.each<[string, () => Sent, number]>([
    [
      'a body in base64',
      () => signed({ body: Buffer.from(body).toString('base64'), isBase64Encoded: true }),
      202,
    ],
    [
      'header names in capitals',
      () => ({ body, headers: upper(signatureHeaders([secret], body, now)) }),
      202,
    ],
    [
      'a charset that JSON has anyway',
      () => signed({ headers: { 'content-type': 'Application/JSON; charset="UTF-8"' } }),
      202,
    ],
    ['the largest body', () => signed({ body: padded(largestBodyBytes) }), 202],
    [
      'a header twice, in two spellings',
      () => ({ body, headers: { ...signatureHeaders([secret], body, now), 'Webhook-Id': 'msg_2' } }),
      400,
    ],
    ['Y05 GET', () => signed({ method: 'GET' }), 405],
    ['Y05 PUT', () => signed({ method: 'PUT' }), 405],
    ['Y05 a body one byte too large', () => signed({ body: padded(largestBodyBytes + 1) }), 413],
    [
      'Y05 a body one byte too large, in base64',
      () =>
        signed({ body: Buffer.from(padded(largestBodyBytes + 1)).toString('base64'), isBase64Encoded: true }),
      413,
    ],
    ['Y05 a form', () => signed({ headers: { 'content-type': 'application/x-www-form-urlencoded' } }), 415],
    [
      'Y05 JSON in Latin-1',
      () => signed({ headers: { 'content-type': 'application/json; charset=iso-8859-1' } }),
      415,
    ],
    ['Y05 no content type', () => signed({ headers: { 'content-type': '' } }), 415],
    ['Y05 a body that is not JSON', () => signed({ body: '{"domains":' }), 400],
    ['Y05 no body', () => signed({ body: '' }), 400],
    [
      'Y05 a body that is not UTF-8',
      () => signed({ body: Buffer.from([0x22, 0xff, 0x22]).toString('base64'), isBase64Encoded: true }),
      400,
    ],
  ])('%s', async (_, sent, status) => {
    const { status: given, headers } = await send(sent());
    expect(given).toBe(status);
    expect(registered).toHaveLength(status === 202 ? 1 : 0);
    expect(headers.allow).toBe(status === 405 ? 'POST' : undefined);
  });

  it.each<[string, Registration, number, object]>([
    [
      'asked before',
      { kind: 'known', name: 'shop', domains: ['a.example'], issued: true },
      200,
      { status: 'issued' },
    ],
    [
      'asked before, not issued yet',
      { kind: 'known', name: 'shop', domains: ['a.example'], issued: false },
      200,
      { status: 'ordering' },
    ],
    [
      'Y05 for a name of others',
      { kind: 'taken', name: 'shop', message: 'is of others' },
      409,
      { message: 'is of others' },
    ],
    [
      'Y05 with mistakes',
      {
        kind: 'refused',
        problems: [
          { path: 'domains.0', message: 'bad' },
          { path: 'name', message: 'bad' },
        ],
      },
      422,
      {
        problems: [
          { path: 'domains.0', message: 'bad' },
          { path: 'name', message: 'bad' },
        ],
      },
    ],
    [
      'where nobody may register',
      { kind: 'closed' },
      403,
      { message: expect.stringContaining('registration') },
    ],
  ])('%s', async (_, registration, status, answer) => {
    outcome = registration;
    expect(await send(signed())).toMatchObject({ status, answer });
  });

  it('that fails here gets the number under which the log tells why, and not why', async () => {
    outcome = new Error('AWS denied it', { cause: new Error('arn:aws:iam::123456789012:role/x') });
    const { status, answer } = await send(signed());
    expect(status).toBe(500);
    expect(answer).toEqual({ message: expect.not.stringContaining('AWS'), requestId: 'request-1' });
    expect(lines.join()).toContain('"problem":"AWS denied it: arn:');
  });
});

describe('a request that is not signed by a secret of ours', () => {
  const headersWith = (changes: Readonly<Record<string, string>>) => ({
    ...signatureHeaders([secret], body, start),
    ...changes,
  });
  const sentAt = (ms: number) => signatureHeaders([secret], body, new Date(start.getTime() + ms));

  /** The text that is signed is that of the id `msg`, whose body begins behind the second dot. */
  const dotted = () => signatureHeaders([secret], body, start, 'msg.1');

  it.each<[string, Readonly<Record<string, string>>, number]>([
    ['Y04 has no headers at all', {}, 0],
    ['Y04 has GitHub’s signature', { 'x-hub-signature-256': 'sha256=00' }, 0],
    ['Y07 has no id', headersWith({ 'webhook-id': '' }), 0],
    ['Y07 has no timestamp', headersWith({ 'webhook-timestamp': '' }), 0],
    ['Y07 has a timestamp that is no number', headersWith({ 'webhook-timestamp': 'now' }), 0],
    ['Y07 is older than five minutes', sentAt(-301_000), 0],
    ['Y07 is from more than five minutes ahead', sentAt(301_000), 0],
    ['Y07 has another id than was signed', headersWith({ 'webhook-id': 'msg_2' }), 1],
    [
      'Y07 has another timestamp than was signed',
      headersWith({ 'webhook-timestamp': String(start.getTime() / 1000 - 1) }),
      1,
    ],
    ['Y07 has a signature by a secret of others', signatureHeaders([newSecret()], body, start), 1],
    ['Y07 has a signature over another body', signatureHeaders([secret], `${body} `, start), 1],
    [
      'Y07 has a signature without its version',
      headersWith({ 'webhook-signature': headersWith({})['webhook-signature']?.slice(3) ?? '' }),
      1,
    ],
    ['has an id with a dot, whose text could be read as another id and body', dotted(), 0],
    ['has an id that fills the log', signatureHeaders([secret], body, start, 'x'.repeat(257)), 0],
    ['has an empty id', headersWith({ 'webhook-id': ' ' }), 0],
    [
      'has more signatures than any sender makes, a right one among them',
      headersWith({ 'webhook-signature': `${'v1,x '.repeat(20)}${headersWith({})['webhook-signature']}` }),
      0,
    ],
    ['Y07 has a signature of nothing', headersWith({ 'webhook-signature': 'v1,' }), 1],
  ])('%s: 401, nothing registered, the secret read once at most', async (_, headers, cost) => {
    expect(await send({ body, headers })).toMatchObject({ status: 401 });
    expect(await send({ body, headers })).toMatchObject({ status: 401 });
    expect(registered).toEqual([]);
    expect(reads).toBe(cost);
  });

  it.each([-300_000, 0, 300_000])('but one sent %i ms from now is taken', async (ms) => {
    expect(await send({ body, headers: sentAt(ms) })).toMatchObject({ status: 202 });
  });

  it('gets no JSON parsed: 401 comes before 400', async () => {
    expect(await send({ body: '{' })).toMatchObject({ status: 401 });
  });
});

describe('a rotation', () => {
  const next = newSecret();

  it('takes both secrets while both are there, within a minute, and one of them afterwards', async () => {
    const minute = () => {
      now = new Date(now.getTime() + secretsLifetimeMs);
    };
    const statuses = async () => [
      (await send(signed({}, [secret]))).status,
      (await send(signed({}, [next]))).status,
    ];
    expect(await statuses()).toEqual([202, 401]);
    stored = `${next}\n${secret}\n`;
    expect(await statuses()).toEqual([202, 401]);
    minute();
    expect(await statuses()).toEqual([202, 202]);
    expect((await send(signed({}, [newSecret(), secret]))).status).toBe(202);
    stored = next;
    minute();
    expect(await statuses()).toEqual([401, 202]);
    expect(reads).toBe(3);
  });

  it.each([
    ['of 24 bytes', `whsec_${randomBytes(24).toString('base64')}`],
    ['of 64 bytes', `whsec_${randomBytes(64).toString('base64')}`],
    ['without its prefix', secret.slice(6)],
    ['of 32 letters and digits, as Secrets Manager makes it', 'Ab3dEf6hIj9lMn2pQr5tUv8xYz1BcD4F'],
  ])('takes a secret %s', async (_, text) => {
    stored = text;
    expect((await send(signed({}, [text]))).status).toBe(202);
    expect((await send(signed({}, [newSecret()]))).status).toBe(401);
  });

  it.each([
    ['nothing', ''],
    ['a secret of 23 bytes', `whsec_${randomBytes(23).toString('base64')}`],
    ['a secret of 65 bytes', randomBytes(65).toString('base64')],
    ['31 letters', 'a'.repeat(31)],
    ['a secret that is not base64', 'whsec_***'],
    ['JSON around a secret', JSON.stringify({ secret })],
    ['a bad secret beside a good one', `${secret} secret`],
  ])('to %s is answered with 500 and said in the log, without the secret', async (_, text) => {
    stored = text;
    expect(await send(signed())).toMatchObject({ status: 500 });
    expect(lines.join()).toContain('must hold one or more secrets');
    expect(lines.join()).not.toContain(secret.slice(6));
    expect(registered).toEqual([]);
    stored = secret;
    now = new Date(now.getTime() + failureLifetimeMs);
    expect(await send(signed())).toMatchObject({ status: 202 });
  });
});

describe('where the secret cannot be read', () => {
  beforeEach(() => {
    stored = new Error('it does not exist');
  });

  it('requests of whoever it is cause one read in five seconds', async () => {
    for (let sent = 0; sent < 20; sent += 1) {
      expect(await send(signed())).toMatchObject({ status: 500 });
      now = new Date(now.getTime() + 499);
    }
    expect(reads).toBe(2);
    stored = secret;
    now = new Date(now.getTime() + failureLifetimeMs);
    expect(await send(signed())).toMatchObject({ status: 202 });
  });

  it('and nobody may register, nothing is read, and no alarm rings', async () => {
    isOpen = false;
    expect(await send(signed())).toMatchObject({ status: 403 });
    expect(await send({ body })).toMatchObject({ status: 401 });
    expect(reads).toBe(0);
  });
});

it('K33 an event that is no HTTP request is told so and costs nothing', async () => {
  const { statusCode } = await endpoint({}, 'request-1', signal);
  expect(statusCode).toBe(400);
  expect(reads).toBe(0);
});

describe('a request that is signed as GitHub signs', () => {
  const digest = (text: string) => createHmac('sha256', secret).update(text).digest('hex');
  const byGithub = (change: Sent = {}) => ({
    body,
    ...change,
    headers: {
      'x-hub-signature-256': `sha256=${digest(body)}`,
      'x-github-delivery': 'd1',
      ...change.headers,
    },
  });
  const day = 24 * 3_600_000;
  const firstRun = new Date(start.getTime() - 10 * day);
  const upgraded = async () => ({ firstRun, isUpgraded: true });

  it('is taken where the inventory says so, and the record of the installation is not read', async () => {
    github = true;
    readInstallation = () => Promise.reject(new Error('nobody may ask'));
    expect(await send(byGithub())).toMatchObject({ status: 202 });
    expect(registered).toMatchObject([{ id: 'd1' }]);
    expect(lines.join()).not.toContain('GitHub');
  });

  it.each<[string, boolean | undefined, () => Promise<InstallationRecord | undefined>]>([
    ['in a new installation that does not say so', undefined, async () => ({ firstRun, isUpgraded: false })],
    ['in one that has neither record nor certificate yet', undefined, async () => undefined],
    ['where the inventory says no, also in an older installation', false, upgraded],
  ])('is refused %s, and the log tells the operator what to write', async (_, said, read) => {
    [github, readInstallation] = [said, read];
    expect(await send(byGithub())).toMatchObject({
      status: 401,
      answer: { message: expect.stringContaining('sign as Standard Webhooks say') },
    });
    expect(registered).toEqual([]);
    expect(lines.join()).toContain('write registration.github: true into the inventory');
  });

  it('is taken in an older installation for 90 days, each time with a warning that names the day, and then refused', async () => {
    readInstallation = upgraded;
    const end = firstRun.getTime() + 90 * day;
    now = new Date(end - 1);
    expect(await send(byGithub())).toMatchObject({ status: 202 });
    expect(lines.join()).toContain(`such requests are refused from ${new Date(end).toISOString()} on`);
    now = new Date(end);
    expect(await send(byGithub())).toMatchObject({ status: 401 });
  });

  it.each<[string, () => Promise<InstallationRecord | undefined>]>([
    ['has certificates and no record yet', async () => undefined],
    ['has a record that cannot be read', () => Promise.reject(new Error('AWS denied it'))],
    ['has a record without its first run', async () => ({ firstRun: new Date(0), isUpgraded: true })],
  ])('is taken with a warning where the installation %s', async (_, read) => {
    readInstallation = read;
    await stock.create('shop', undefined);
    await stock.record('shop', { version: 'issued' });
    expect(await send(byGithub())).toMatchObject({ status: 202 });
    expect(lines.join()).toContain('refused from 90 days after the first full pass of issue on');
  });

  it('is asked about once a minute at most, and never for a wrong signature', async () => {
    let asked = 0;
    readInstallation = async () => {
      asked += 1;
      return upgraded();
    };
    await send(byGithub({ body: `${body} ` }));
    expect(asked).toBe(0);
    for (let count = 0; count < 3; count += 1) await send(byGithub());
    expect(asked).toBe(1);
  });

  it.each(['GET', 'PUT', 'HEAD'])('is not taken for %s', async (method) => {
    github = true;
    expect(await send(byGithub({ method }))).toMatchObject({ status: 405 });
    expect(registered).toEqual([]);
  });

  it('with an empty delivery id is named by its signature', async () => {
    github = true;
    await send(byGithub({ headers: { 'x-github-delivery': ' ' } }));
    expect(registered).toMatchObject([{ id: digest(body).slice(0, 36) }]);
  });
});

function upper(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value]));
}

describe('a request about one name', () => {
  const about = (method: string, name = 'shop') => JSON.stringify({ method, name });

  it('is carried out if its signature covers what is done, with a body or without one', async () => {
    const put = JSON.stringify({ method: 'PUT', name: 'shop', domains: ['shop.example.com'] });
    expect((await send(signed({ method: 'PUT', name: 'shop', body: put }))).status).toBe(202);
    expect(registered).toEqual([{ asked: { name: 'shop', domains: ['shop.example.com'] }, id: 'msg_1' }]);
    expect((await send(signed({ method: 'GET', name: 'shop', body: about('GET') }))).status).toBe(404);
    expect((await send(signed({ method: 'DELETE', name: 'shop', body: about('DELETE') }))).status).toBe(202);
    const bare = {
      headers: signatureHeaders([secret], about('DELETE'), now),
      method: 'DELETE',
      name: 'shop',
    };
    expect((await send(bare)).status).toBe(202);
    const taken = `takeBack shop msg_1 ${start.toISOString()}`;
    expect(asked).toEqual(['describe shop', taken, taken]);
  });

  it.each<[string, () => Sent, number]>([
    ['unsigned', () => ({ method: 'DELETE', name: 'shop', body: about('DELETE') }), 401],
    ['without a body, unsigned', () => ({ method: 'DELETE', name: 'shop' }), 401],
    [
      'with the signature of another name',
      () => ({ ...signed({ body: about('DELETE', 'blog') }), method: 'DELETE', name: 'shop' }),
      400,
    ],
    [
      'with the signature of a look at the name',
      () => ({ ...signed({ body: about('GET') }), method: 'DELETE', name: 'shop' }),
      400,
    ],
    [
      'without a body, with the signature of a look at the name',
      () => ({
        headers: signatureHeaders([secret], about('GET'), now),
        method: 'DELETE',
        name: 'shop',
      }),
      401,
    ],
    [
      'with the signature of a registration',
      () => ({
        ...signed({ body: JSON.stringify({ domains: ['shop.example.com'], name: 'shop' }) }),
        method: 'DELETE',
        name: 'shop',
      }),
      400,
    ],
    [
      'with a signature of six minutes ago',
      () => ({
        headers: signatureHeaders([secret], about('DELETE'), new Date(start.getTime() - 360_000)),
        method: 'DELETE',
        name: 'shop',
      }),
      401,
    ],
    [
      'with more than it may say',
      () =>
        signed({
          method: 'DELETE',
          name: 'shop',
          body: JSON.stringify({ method: 'DELETE', name: 'shop', x: 1 }),
        }),
      400,
    ],
    [
      'about a name that no certificate can have',
      () => signed({ method: 'DELETE', name: '../webhook' }),
      400,
    ],
    ['by another method', () => signed({ method: 'PATCH', name: 'shop' }), 405],
    ['by POST', () => signed({ method: 'POST', name: 'shop' }), 405],
  ])('is refused %s, and nothing is done', async (_, sent, status) => {
    expect((await send(sent())).status).toBe(status);
    expect([registered, asked]).toEqual([[], []]);
  });

  it('is refused in GitHub’s form, although that is taken for registrations', async () => {
    github = true;
    const digest = createHmac('sha256', secret).update(about('DELETE')).digest('hex');
    const headers = { 'x-hub-signature-256': `sha256=${digest}` };
    const { status } = await send({ method: 'DELETE', name: 'shop', body: about('DELETE'), headers });
    expect([status, registered, asked]).toEqual([401, [], []]);
  });

  it('has a signature that registers nothing', async () => {
    github = true;
    const { status } = await send(signed({ body: about('DELETE') }));
    expect([status, asked]).toEqual([202, []]);
    expect(registered, 'the inventory’s checks refuse the field "method"').toEqual([
      { asked: { method: 'DELETE', name: 'shop' }, id: 'msg_1' },
    ]);
  });
});
