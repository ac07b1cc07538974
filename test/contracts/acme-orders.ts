// What a client may rely on from newOrder up to the proof of each name (RFC 8555 §7.4, §7.5).
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { mintSigningRequest } from '../minting/signing-requests.ts';
import type { Harness } from './acme.ts';
import { type RawClient, type RawOrder, readOrder, readProblem } from './acme-client-raw.ts';

/** Puts the TXT values of an order's dns-01 challenges in DNS, all at once. */
export async function presentAll(
  harness: Harness,
  client: RawClient,
  order: RawOrder,
): Promise<readonly string[]> {
  const values = new Map<string, string[]>();
  const urls: string[] = [];
  for (const url of order.authorizations) {
    const { status, identifier } = await client.readAuthorization(url);
    if (status !== 'pending') continue;
    const challenge = await client.dnsChallenge(url);
    const name = `_acme-challenge.${identifier.value}`;
    values.set(name, [...(values.get(name) ?? []), client.txtValue(challenge.token)]);
    urls.push(challenge.url);
  }
  for (const [name, texts] of values) await harness.subject.setTxt(name, texts);
  return urls;
}

/** Proves every name of an order and waits until the CA has looked.
 *  @returns the order, `ready` or `invalid` */
export async function prove(harness: Harness, client: RawClient, order: RawOrder): Promise<RawOrder> {
  for (const url of await presentAll(harness, client, order)) await client.post(url, {});
  return settle(client, order.url, ['pending', 'processing']);
}

/** Reads an order until its status is none of `passing`. */
export async function settle(client: RawClient, url: string, passing: readonly string[]): Promise<RawOrder> {
  const deadline = Date.now() + 15_000;
  for (;;) {
    const order = await client.readOrder(url);
    if (!passing.includes(order.status)) return order;
    if (Date.now() > deadline) throw new Error(`the order is still ${order.status}`);
    await pause(10);
  }
}

/** The promises about orders, authorizations and challenges. */
export function promiseOrders(harness: () => Harness): void {
  test('a new order is 201 and pending, with an authorization for each name and its own URL', async () => {
    const { client, newName } = harness();
    const names = [newName(), newName()];
    const identifiers = names.map((value) => ({ type: 'dns', value }));
    const answer = await client.post(client.directory.newOrder, { identifiers });
    expect(answer.status).toBe(201);
    const order = readOrder(answer);
    expect(order.status).toBe('pending');
    expect(order.identifiers.map(({ value }) => value).sort()).toEqual(names);
    expect(order.authorizations).toHaveLength(2);
    const again = await client.readOrder(order.url);
    expect(again).toMatchObject({ status: 'pending', finalize: order.finalize });
    expect([...again.authorizations].sort()).toEqual([...order.authorizations].sort());
  });

  test('an authorization offers dns-01 with a token, among types that a client may not know', async () => {
    const { client, newName } = harness();
    const name = newName();
    const order = await client.order([`*.${name}`]);
    const authorization = await client.readAuthorization(order.authorizations[0] ?? '');
    expect(authorization).toMatchObject({ status: 'pending', wildcard: true, identifier: { value: name } });
    const challenge = await client.dnsChallenge(order.authorizations[0] ?? '');
    expect(challenge.status).toBe('pending');
    expect(challenge.token).toMatch(/^[\w-]{22,}$/);
  });

  test.each([
    ['no name', [], ['malformed']],
    ['an empty name', [''], ['malformed']],
    ['a name that ends in a dot', ['a.example.com.'], ['malformed', 'rejectedIdentifier']],
    ['a name with an underscore', ['a_b.example.com'], ['malformed', 'rejectedIdentifier']],
    ['a name with a space', ['a b.example.com'], ['malformed', 'rejectedIdentifier']],
    ['an address', ['192.0.2.1'], ['malformed', 'rejectedIdentifier']],
    ['two wildcards in a name', ['*.*.example.com'], ['malformed', 'rejectedIdentifier']],
    ['a wildcard in the middle', ['a.*.example.com'], ['malformed', 'rejectedIdentifier']],
    ['a name longer than 253', [`${'a.'.repeat(130)}com`], ['malformed', 'rejectedIdentifier']],
  ])('an order with %s is refused', async (_, names, types) => {
    const { client } = harness();
    const identifiers = names.map((value) => ({ type: 'dns', value }));
    const answer = await client.post(client.directory.newOrder, { identifiers });
    expect(answer.status).toBe(400);
    expect(types).toContain(readProblem(answer).type);
  });

  test('a profile that the directory does not list is invalidProfile; one that it lists is kept', async () => {
    const { client, newName } = harness();
    const [profile] = Object.keys(client.directory.meta.profiles ?? {});
    const identifiers = [{ type: 'dns', value: newName() }];
    const refused = await client.post(client.directory.newOrder, { identifiers, profile: 'no-such' });
    expect(readProblem(refused)).toMatchObject({ status: 400, type: 'invalidProfile' });
    expect(await client.order([newName()], { profile })).toMatchObject({ profile, status: 'pending' });
  });

  test('the same names again give the open order back, or a new one', async () => {
    const { client, marks, newName } = harness();
    const names = [newName(), newName()];
    const first = await client.order(names);
    const again = await client.order([...names].reverse());
    expect(again.url === first.url).toBe(marks.givesOpenOrderBack);
    expect(again.status).toBe('pending');
  });

  test('another account cannot read an order, prove it or finalize it', async () => {
    const { client, newName } = harness();
    const name = newName();
    const order = await client.order([name]);
    const challenge = await client.dnsChallenge(order.authorizations[0] ?? '');
    const stranger = client.another();
    await stranger.register();
    const { csr } = await mintSigningRequest([name]);
    const answers = [
      await stranger.post(order.url),
      await stranger.post(challenge.url, {}),
      await stranger.post(order.finalize, { csr }),
    ];
    for (const { status } of answers) expect([400, 403, 404]).toContain(status);
    expect((await client.readOrder(order.url)).status).toBe('pending');
  });

  test('an order is finalized only when ready: orderNotReady (403) leaves it pending', async () => {
    const { client, newName } = harness();
    const name = newName();
    const order = await client.order([name]);
    const { csr } = await mintSigningRequest([name]);
    const answer = await client.post(order.finalize, { csr });
    expect(readProblem(answer)).toMatchObject({ status: 403, type: 'orderNotReady' });
    expect((await client.readOrder(order.url)).status).toBe('pending');
  });

  test.each([
    ['no TXT', (): string[] => []],
    ['another value', () => ['somebody-elses-value']],
  ])('with %s in DNS the challenge fails for good: authorization and order are invalid, and the challenge says why', async (_, values) => {
    const { client, marks, subject, newName } = harness();
    const names = [newName(), newName()];
    const order = await client.order(names);
    const [failing = '', other = ''] = order.authorizations;
    const challenge = await client.dnsChallenge(failing);
    const { identifier } = await client.readAuthorization(failing);
    await subject.setTxt(`_acme-challenge.${identifier.value}`, values());
    const answer = await client.post(challenge.url, {});
    expect(answer.status).toBe(200);
    expect(answer.headers.link).toContain('rel="up"');

    const settled = await settle(client, order.url, ['pending', 'processing']);
    expect(settled.status).toBe('invalid');
    expect(settled.error !== undefined).toBe(marks.explainsInvalidOrder);
    const authorization = await client.readAuthorization(failing);
    expect(authorization.status).toBe('invalid');
    const [failed] = authorization.challenges.filter(({ status }) => status === 'invalid');
    expect(failed?.type).toBe('dns-01');
    expect(failed?.error?.type).toMatch(/^urn:ietf:params:acme:error:(unauthorized|dns)$/);
    expect(failed?.error?.detail).toMatch(/TXT|DNS/);

    const retry = readProblem(await client.post(challenge.url, {}));
    expect(retry).toMatchObject({ status: 400, type: 'malformed' });
    const { csr } = await mintSigningRequest(names);
    expect(readProblem(await client.post(order.finalize, { csr }))).toMatchObject({ type: 'orderNotReady' });
    expect((await client.readAuthorization(other)).status).toMatch(/pending|invalid|deactivated/);
    const next = await client.order(names);
    expect(next.url).not.toBe(order.url);
    expect(next.status).toBe('pending');
  });

  test('a proved name serves the account again, or is proved again', async () => {
    const { client, marks, newName } = harness();
    const name = newName();
    const first = await prove(harness(), client, await client.order([name]));
    expect(first.status).toBe('ready');
    const { csr } = await mintSigningRequest([name]);
    await client.post(first.finalize, { csr });
    await settle(client, first.url, ['ready', 'processing']);
    const second = await client.order([name]);
    expect(second.url).not.toBe(first.url);
    expect(second.status).toBe(marks.reusesAuthorizations ? 'ready' : 'pending');
  });
}
