// Let's Encrypt's own server in trouble: slow, cut off from its CA, blind in places; and names whose DNS is
// with others.
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type DnsStub, startDnsStub } from '../fakes/dns-server.ts';
import { fixedZone } from '../sandbox/dns/answer.ts';
import { describeWithBoulder, startBoulderHarness } from './boulder-harness.ts';
import type { OwnBoulder } from './parts/own-boulder.ts';
import { logged, newDomain, type SandboxHarness } from './sandbox-harness.ts';

describeWithBoulder('Boulder whose parts fail', () => {
  /** Seen by all but one, and by all but two of the three remote perspectives. */
  const [oneBlind, twoBlind] = [newDomain(), newDomain()];
  /** Its DNS is on a server of its own. */
  const customer = newDomain();
  let stub: DnsStub;
  let boulder: OwnBoulder;
  let harness: SandboxHarness;
  let stop: () => Promise<void>;
  const delegation = newDomain();

  beforeAll(async () => {
    stub = await startDnsStub();
    const blindTo = (...domains: string[]) => Object.fromEntries(domains.map((name) => [name, stub.address]));
    const remoteDns = [blindTo(oneBlind, twoBlind), blindTo(twoBlind), {}] as const;
    ({ boulder, harness, stop } = await startBoulderHarness(
      { limits: 'none', dns: { [customer]: stub.address }, remoteDns },
      { dns: { delegationZone: delegation } },
    ));
    harness.sandbox.route53.createZone(delegation);
  });
  afterAll(async () => {
    await stop?.();
    await stub?.stop();
  });

  test('one of three perspectives that does not see the TXT value does not stop the certificate', async () => {
    await harness.want('one-blind', {}, oneBlind);
    expect((await harness.issue('one-blind')).answer).toMatchObject({
      certificates: [{ outcome: 'issued' }],
    });
    expect(stub.questions.some((question) => question.includes(`TXT _acme-challenge.${oneBlind}`))).toBe(
      true,
    );
  });

  test('two of three perspectives that do not see it fail the order, in the words of the CA, and nothing stays in DNS', async () => {
    await harness.want('two-blind', {}, twoBlind);
    const { error } = await harness.issue('two-blind');
    expect(error?.errorMessage).toMatch(
      new RegExp(`${twoBlind}: During secondary validation: DNS problem: NXDOMAIN looking up TXT`),
    );
    expect(harness.txtSets(twoBlind)).toEqual([]);
    expect(harness.state('two-blind')).toMatchObject({ failures: 1, order: undefined });
  });

  test('a CNAME leads the challenge from a zone on another server into one of ours', async () => {
    await harness.sandbox.setCertificates([{ name: 'customer', domains: [customer] }]);
    const alias = `_acme-challenge.${customer}`;
    const target = `_acme-challenge.${customer.replaceAll('.', '-')}.${delegation}`;
    stub.setCname(alias, target, false);
    // The resolver of the functions knows the customer's zone too.
    harness.sandbox.dns.serve(() => [
      fixedZone(`${customer}.`, [
        { name: `${customer}.`, type: 'NS', data: `ns1.${customer}` },
        { name: `${alias}.`, type: 'CNAME', data: `${target}.` },
      ]),
    ]);
    expect((await harness.issue('customer')).answer).toMatchObject({ certificates: [{ outcome: 'issued' }] });
    expect(stub.questions.some((question) => question.endsWith(`TXT ${alias}`))).toBe(true);
    expect(harness.held('customer').names).toEqual([customer]);
    expect(harness.txtSets(delegation)).toEqual([]);
  });

  test('a CA cut off in the middle of an order costs no certificate: the run says so and cleans up, and a later one issues', async () => {
    const domain = await harness.want('outage');
    await boulder.ctl('pause', 'ca');
    const { error, log } = await harness.issue('outage');
    await boulder.ctl('resume', 'ca');
    expect(error?.errorMessage).toMatch(/order \S+ is invalid: serverInternal: Error finalizing order/);
    expect(log.some((line) => line.includes('"continuation sent"'))).toBe(true);
    expect(harness.txtSets(domain)).toEqual([]);
    expect(harness.state('outage')).toMatchObject({ failures: 1, error: 'serverInternal', order: undefined });
    expect((await harness.issue('outage', { force: true })).answer).toMatchObject({
      certificates: [{ outcome: 'issued' }],
    });
  });

  test('409 alreadyReplaced: an order that a killed run could not note is asked for again, once and without "replaces", and comes back', async () => {
    await harness.want('killed');
    await harness.issue('killed');
    const { journal, lambda } = harness.sandbox;
    // The first tag that a forced run writes is its order.
    const stopWatching = journal.before(async ({ principal, action }) => {
      if (principal !== 'issue' || action !== 'TagResource') return;
      stopWatching();
      await lambda.kill('issue');
      throw new Error('the process was killed before this call');
    });
    const remainingMs = 8_000;
    const killed = await harness.issue('killed', { force: true }, { remainingMs });
    expect(killed.error).toMatchObject({ errorType: 'Runtime.ExitError' });
    const made = await countOrders();
    // Until then the claim is taken for that of a run at work.
    await delay(remainingMs);

    const next = await harness.issue('killed', { force: true });
    expect(next.answer).toMatchObject({ certificates: [{ outcome: 'issued' }] });
    expect(logged(next, 'order with replaces refused')).toMatchObject([
      { problem: expect.stringMatching(/alreadyReplaced: /) },
    ]);
    expect(await countOrders()).toBe(made);
  });

  async function countOrders(): Promise<string> {
    return boulder.ctl('sql', 'SELECT COUNT(*) FROM orders');
  }
});

describeWithBoulder('Boulder that finalizes in its own time', () => {
  let boulder: OwnBoulder;
  let harness: SandboxHarness;
  let stop: () => Promise<void>;

  beforeAll(async () => {
    ({ boulder, harness, stop } = await startBoulderHarness({ limits: 'none', features: ['async'] }));
  });
  afterAll(() => stop?.());

  test('an order that is processing is looked at again when the CA says, and its certificate is stored', async () => {
    await harness.want('slow');
    const startedAt = Date.now();
    expect((await harness.issue('slow')).answer).toMatchObject({ certificates: [{ outcome: 'issued' }] });
    // Boulder answers finalize with "Retry-After: 3".
    expect(Date.now() - startedAt).toBeGreaterThan(3_000);
  });

  test('an order that is still processing when time runs out is downloaded by the next run, not made again', async () => {
    const domain = await harness.want('late');
    await boulder.ctl('pause', 'ca');
    const first = await harness.issue('late', {}, { remainingMs: 8_000 });
    await boulder.ctl('resume', 'ca');
    expect(first.answer).toMatchObject({ certificates: [{ outcome: 'waiting' }] });
    expect(harness.txtSets(domain)).toEqual([]);
    await harness.sandbox.queues.issue.untilEmpty();
    const lines = harness.sandbox.lambda.logs
      .map(({ line }) => line)
      .filter((line) => line.includes('"late"'));
    expect(lines.filter((line) => line.includes('"order created"'))).toHaveLength(1);
    expect(lines.filter((line) => line.includes('"order resumed"'))).toHaveLength(1);
    expect(harness.held('late').names).toEqual([domain]);
  });
});
