// Renewal as the CA wants it (RFC 9773): its window, what an order says it replaces, and a CA that has no
// such thing.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { certificateId, readCertificate } from '../../lib/certificate/x509.ts';
import type { CertificateAuthority } from '../../lib/ports/acme.ts';
import { answer, directoryAt, startScriptedCa } from '../fakes/scripted-ca.ts';
import { failure, Harness, signal } from './harness.ts';

let harness: Harness;
let authority: CertificateAuthority;
beforeEach(async () => {
  harness = await Harness.start();
  authority = await harness.connect();
});
afterEach(() => harness.stop());

const domains = ['a.example.com'];

async function issueOne() {
  const { chain } = await harness.issue(authority, domains);
  const facts = readCertificate(chain);
  return { chain, facts, id: certificateId(facts) ?? '' };
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

describe('the window', () => {
  it('is asked for with one GET, no nonce and no signature', async () => {
    const { facts, id } = await issueOne();
    harness.journal.clear();
    const info = await authority.renewalInfo(id, signal);
    expect(harness.journal.calls.map(({ action }) => action)).toEqual(['renewalInfo']);
    expect(info?.retryAfterMs).toBe(6 * hourMs);
    expect(info?.explanationUrl).toBeUndefined();
    const times = [facts.notBefore, info?.start, info?.end, facts.notAfter].map(Number);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(new Set(times).size).toBe(4);
  });

  it('that the CA moves to now comes with the page that says why', async () => {
    const { chain, id } = await issueOne();
    harness.ca.renewNow(chain, 'https://ca.example.com/incident/7');
    const info = await authority.renewalInfo(id, signal);
    expect(info?.end.getTime()).toBeLessThan(Date.now());
    expect(info?.explanationUrl).toBe('https://ca.example.com/incident/7');
  });

  it.each([
    ['http://ca.example.com/why'],
    ['javascript:alert(1)'],
    ['no address'],
  ])('is taken without an explanation that is no https page: %s', async (explanationURL) => {
    const { chain, id } = await issueOne();
    harness.ca.renewNow(chain, explanationURL);
    const info = await authority.renewalInfo(id, signal);
    expect(info?.start).toBeInstanceOf(Date);
    expect(info?.explanationUrl).toBeUndefined();
  });

  it.each([
    ['one second', 1_000, true],
    ['none', 0, false],
    ['less than none', -1_000, false],
  ])('of %s length is an answer: %s ms, %s', async (_, lengthMs, isAnswer) => {
    const { facts, id } = await issueOne();
    const start = new Date('2027-01-01T00:00:00Z');
    const window = { start, end: new Date(start.getTime() + lengthMs) };
    harness.ca.settings.renewalWindows.set(facts.serial.replace(/^00/, ''), window);
    const info = await authority.renewalInfo(id, signal);
    expect(info !== undefined).toBe(isAnswer);
    if (!isAnswer) expect(harness.log.events()).toContain('renewal info ignored');
  });
});

describe('a CA that gives no window', () => {
  const refuse = (status: number, headers: Record<string, string> = {}) =>
    harness.faults.set('acme', 'renewalInfo', { kind: 'error', code: 'serverInternal', status, headers }, 2);

  it.each([[400], [404], [409]])('with %i has none, which only a debug line tells', async (status) => {
    const { id } = await issueOne();
    refuse(status);
    harness.journal.clear();
    expect(await authority.renewalInfo(id, signal)).toBeUndefined();
    expect(harness.journal.count({ action: 'renewalInfo' })).toBe(1);
    expect(harness.log.lines.at(-1)).toMatchObject({
      level: 'debug',
      event: 'renewal info ignored',
      fields: { certificateId: id, problem: expect.stringContaining('refused') },
    });
  });

  it('because the id is of no certificate of its own has none', async () => {
    expect(await authority.renewalInfo('aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE', signal)).toBeUndefined();
  });

  it('but an answer that means nothing has none', async () => {
    const { id } = await issueOne();
    harness.faults.set('acme', 'renewalInfo', { kind: 'malformed' });
    expect(await authority.renewalInfo(id, signal)).toBeUndefined();
  });

  it.each([
    [429],
    [500],
    [503],
  ])('with %i may have one later: the error says so, and is not repeated here', async (status) => {
    const { id } = await issueOne();
    refuse(status, { 'retry-after': '120' });
    harness.journal.clear();
    expect((await failure(authority.renewalInfo(id, signal))).retryAfterMs).toBe(2 * minuteMs);
    expect(harness.journal.count({ action: 'renewalInfo' })).toBe(1);
    expect(harness.clock.slept).toEqual([]);
  });

  it.each(['drop', 'lose'] as const)('because the connection broke (%s) may have one later', async (kind) => {
    const { id } = await issueOne();
    harness.faults.set('acme', 'renewalInfo', { kind });
    expect((await failure(authority.renewalInfo(id, signal))).code).toBe('Unreachable');
    expect(await authority.renewalInfo(id, signal)).toBeDefined();
  });
});

describe('an order that replaces a certificate', () => {
  const newOrders = () => harness.journal.count({ action: 'newOrder' });

  it('says so, and the CA takes it for a replacement: nobody else can replace that certificate again', async () => {
    const { id } = await issueOne();
    await harness.issue(authority, domains, id);
    expect(harness.log.events()).not.toContain('order with replaces refused');
    harness.journal.clear();
    const again = await authority.newOrder({ domains, replaces: id }, signal);
    expect(again.status).toBe('ready');
    expect(newOrders()).toBe(2);
  });

  it.each([
    ['409 alreadyReplaced', 'alreadyReplaced', 409],
    ['403 unauthorized', 'unauthorized', 403],
    ['404 malformed', 'malformed', 404],
    ['400 malformed', 'malformed', 400],
    ['500 serverInternal, as Pebble for a certificate that it does not know', 'serverInternal', 500],
  ])('and is refused with %s is ordered once without, which the log tells', async (_, code, status) => {
    harness.faults.set('acme', 'newOrder', { kind: 'error', code, status });
    expect(await authority.newOrder({ domains, replaces: 'AAAA.AAEC' }, signal).catch(String)).toMatchObject({
      status: 'pending',
    });
    expect(newOrders()).toBe(2);
    expect(harness.log.lines.filter(({ level }) => level === 'warn')).toMatchObject([
      {
        event: 'order with replaces refused',
        fields: { names: domains, replaces: 'AAAA.AAEC', problem: expect.stringContaining(code) },
      },
    ]);
  });

  it('and is refused without as well is not ordered a third time', async () => {
    harness.faults.set('acme', 'newOrder', { kind: 'error', code: 'malformed', status: 400 }, 5);
    const error = await failure(authority.newOrder({ domains, replaces: 'AAAA.AAEC' }, signal));
    expect(error.problem?.type).toBe('malformed');
    expect(newOrders()).toBe(2);
  });

  it.each([
    ['rateLimited', 429],
    ['rejectedIdentifier', 400],
    ['badCSR', 400],
  ])('and is refused for another reason (%s) is not ordered without', async (code, status) => {
    harness.faults.set('acme', 'newOrder', { kind: 'error', code, status });
    const error = await failure(authority.newOrder({ domains, replaces: 'AAAA.AAEC' }, signal));
    expect(error.problem?.type).toBe(code);
    expect(newOrders()).toBe(1);
  });
});

describe('the CA says when it wants to be asked again', () => {
  it.each([
    ['5', minuteMs],
    ['0', minuteMs],
    ['60', minuteMs],
    ['61', 61_000],
    ['86400', 24 * hourMs],
    ['86401', 24 * hourMs],
    ['Sun, 22 Nov 2026 09:00:00 GMT', minuteMs],
    ['Sun, 22 Nov 2026 12:00:00 GMT', 2 * hourMs],
    ['Sun, 22 Nov 2027 10:00:00 GMT', 24 * hourMs],
    ['soon', 6 * hourMs],
    ['-5', 6 * hourMs],
    ['', 6 * hourMs],
  ])('by Retry-After %j: between a minute and a day, and after six hours without sense', async (header, ms) => {
    const ca = await startScriptedCa();
    const renewalInfo = `${ca.base}/ari`;
    ca.routes.set('/directory', (response) =>
      answer(response, 200, { ...directoryAt(ca.base), renewalInfo }),
    );
    const suggestedWindow = { start: '2026-12-01T00:00:00Z', end: '2026-12-02T00:00:00Z' };
    ca.routes.set('/ari/a.b', (response) =>
      answer(response, 200, { suggestedWindow }, { 'retry-after': header }),
    );
    const open = harness.open({ directory: ca.directory, caBundle: ca.caPem });
    const info = await (await open.connect('default', signal)).renewalInfo('a.b', signal);
    await ca.stop();
    expect(info?.retryAfterMs).toBe(ms);
  });
});
