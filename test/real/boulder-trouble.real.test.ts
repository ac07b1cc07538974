// Let's Encrypt's own server in trouble: slow, cut off from its CA, blind in places; and names whose DNS is with others.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DnsStub, startDnsStub } from '../contracts/dns-stub.ts';
import { fixedZone } from '../sandbox/dns/answer.ts';
import { boulderLacks, type OwnBoulder, startBoulder } from './parts/own-boulder.ts';
import { freePort } from './parts/process.ts';
import { newDomain, SandboxBench } from './sandbox-bench.ts';

const title = (what: string) => (boulderLacks === undefined ? what : `${what}: ${boulderLacks}`);

describe.skipIf(boulderLacks !== undefined)(title('Boulder whose parts fail'), () => {
  /** Seen by all but one, and by all but two of the three remote perspectives. */
  const [oneBlind, twoBlind] = [newDomain(), newDomain()];
  /** Its DNS is on a server of its own. */
  const customer = newDomain();
  let stub: DnsStub;
  let boulder: OwnBoulder;
  let bench: SandboxBench;
  const delegation = newDomain();

  beforeAll(async () => {
    stub = await startDnsStub();
    const dnsPort = await freePort();
    const blindTo = (...domains: string[]) => Object.fromEntries(domains.map((name) => [name, stub.address]));
    boulder = await startBoulder({
      limits: 'none',
      dns: { [customer]: stub.address, '': `127.0.0.1:${dnsPort}` },
      remoteDns: [blindTo(oneBlind, twoBlind), blindTo(twoBlind), {}],
    });
    bench = await SandboxBench.start({
      realAuthority: boulder,
      dnsPort,
      dns: { delegationZone: delegation },
    });
    bench.sandbox.route53.createZone(delegation);
  });
  afterAll(async () => {
    await bench?.stop();
    await boulder?.stop();
    await stub?.stop();
  });

  test('one of three perspectives that does not see the TXT value does not stop the certificate', async () => {
    await bench.want('one-blind', {}, oneBlind);
    expect((await bench.issue('one-blind')).answer).toMatchObject({ certificates: [{ outcome: 'issued' }] });
    expect(stub.questions.some((question) => question.includes(`TXT _acme-challenge.${oneBlind}`))).toBe(
      true,
    );
  });

  test('two of three perspectives that do not see it fail the order, in the words of the CA, and nothing stays in DNS', async () => {
    await bench.want('two-blind', {}, twoBlind);
    const { error } = await bench.issue('two-blind');
    expect(error?.errorMessage).toMatch(
      new RegExp(`${twoBlind}: During secondary validation: DNS problem: NXDOMAIN looking up TXT`),
    );
    expect(bench.txtSets(twoBlind)).toEqual([]);
    expect(bench.state('two-blind')).toMatchObject({ failures: 1, order: undefined });
  });

  test('a CNAME leads the challenge from a zone on another server into one of ours', async () => {
    await bench.sandbox.setCertificates([{ name: 'customer', domains: [customer] }]);
    const alias = `_acme-challenge.${customer}`;
    const target = `_acme-challenge.${customer.replaceAll('.', '-')}.${delegation}`;
    stub.setCname(alias, target, false);
    // The resolver of the functions knows the customer's zone too.
    bench.sandbox.dns.serve(() => [
      fixedZone(`${customer}.`, [
        { name: `${customer}.`, type: 'NS', data: `ns1.${customer}` },
        { name: `${alias}.`, type: 'CNAME', data: `${target}.` },
      ]),
    ]);
    expect((await bench.issue('customer')).answer).toMatchObject({ certificates: [{ outcome: 'issued' }] });
    expect(stub.questions.some((question) => question.endsWith(`TXT ${alias}`))).toBe(true);
    expect(bench.held('customer').names).toEqual([customer]);
    expect(bench.txtSets(delegation)).toEqual([]);
  });

  test('a CA cut off in the middle of an order costs no certificate: the run says so and cleans up, and a later one issues', async () => {
    const domain = await bench.want('outage');
    await boulder.ctl('pause', 'ca');
    const { error, log } = await bench.issue('outage');
    await boulder.ctl('resume', 'ca');
    expect(error?.errorMessage).toMatch(/order \S+ is invalid: serverInternal: Error finalizing order/);
    expect(log.some((line) => line.includes('"pass continues later"'))).toBe(true);
    expect(bench.txtSets(domain)).toEqual([]);
    expect(bench.state('outage')).toMatchObject({ failures: 1, error: 'serverInternal', order: undefined });
    expect((await bench.issue('outage', { force: true })).answer).toMatchObject({
      certificates: [{ outcome: 'issued' }],
    });
  });
});

describe.skipIf(boulderLacks !== undefined)(title('Boulder that finalizes in its own time'), () => {
  let boulder: OwnBoulder;
  let bench: SandboxBench;

  beforeAll(async () => {
    const dnsPort = await freePort();
    boulder = await startBoulder({
      limits: 'none',
      features: ['async'],
      dns: { '': `127.0.0.1:${dnsPort}` },
    });
    bench = await SandboxBench.start({ realAuthority: boulder, dnsPort });
  });
  afterAll(async () => {
    await bench?.stop();
    await boulder?.stop();
  });

  test('an order that is processing is looked at again when the CA says, and its certificate is stored', async () => {
    await bench.want('slow');
    const startedAt = Date.now();
    expect((await bench.issue('slow')).answer).toMatchObject({ certificates: [{ outcome: 'issued' }] });
    // Boulder answers finalize with "Retry-After: 3".
    expect(Date.now() - startedAt).toBeGreaterThan(3_000);
  });

  test('an order that is still processing when time runs out is downloaded by the next run, not made again', async () => {
    const domain = await bench.want('late');
    await boulder.ctl('pause', 'ca');
    const first = await bench.issue('late', {}, { remainingMs: 8_000 });
    await boulder.ctl('resume', 'ca');
    expect(first.answer).toMatchObject({ certificates: [{ outcome: 'waiting' }] });
    expect(bench.txtSets(domain)).toEqual([]);
    await bench.sandbox.queues.issue.untilEmpty();
    const lines = bench.sandbox.lambda.logs.map(({ line }) => line).filter((line) => line.includes('"late"'));
    expect(lines.filter((line) => line.includes('"order created"'))).toHaveLength(1);
    expect(lines.filter((line) => line.includes('"order resumed"'))).toHaveLength(1);
    expect(bench.held('late').names).toEqual([domain]);
  });
});
