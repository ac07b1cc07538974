// The fault matrix: every kind of call that a run makes, with every fault that it may meet. The kinds are
// those of the journal of a plain run, so that a new one is in the table by itself.
import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { type Certificate, ownCalls, startTrios, type Trios, trio } from '../integration/harness.ts';
import { startAuthority } from '../sandbox/acme/authority.ts';
import { type Fault, Faults } from '../sandbox/faults.ts';
import { type Call, Journal, type Service } from '../sandbox/journal.ts';
import { prefix } from '../sandbox/sandbox.ts';
import { runQuickly } from './quick-run.ts';

/** What a run has, in real milliseconds. */
const runMs = 24_000;
/** An answer that nobody waits for any more, as 30 s are to AWS's clients and to a DNS question. */
const lateMs = 8_000;
/** Sandboxes side by side, each with its part of the table. */
const lanes = 8;
const hourMs = 3_600_000;

/** What each service says when it is asked too often, and when something is wrong with it. */
const errors: Readonly<Record<string, readonly [throttled: Fault, broken: Fault]>> = {
  secretsmanager: [error('ThrottlingException', 400), error('InternalServiceError', 500)],
  route53: [error('Throttling', 400), error('InternalFailure', 500)],
  acme: [error('rateLimited', 429, { 'retry-after': '1' }), error('serverInternal', 500)],
  dns: [error('REFUSED', 0), error('SERVFAIL', 0)],
};

function error(code: string, status: number, headers: Readonly<Record<string, string>> = {}): Fault {
  return { kind: 'error', code, status, headers };
}

/** One line of the table. */
interface Case {
  readonly number: number;
  readonly service: Service;
  readonly action: string;
  readonly fault: string;
  readonly set: Fault;
}

it('whatever a call meets, the run ends in time, other certificates are issued, and the next run puts all right', async () => {
  const kinds = await listKinds();
  const cases = kinds.flatMap(({ service, action }) =>
    Object.entries(faultsOf(service)).map(([fault, set]) => ({ service, action, fault, set })),
  );
  expect(cases.length).toBeGreaterThan(100);
  const numbered = cases.map((one, index) => ({ ...one, number: index + 1 }));
  const parts = Array.from({ length: lanes }, (_, lane) =>
    numbered.filter(({ number }) => number % lanes === lane),
  );
  expect((await Promise.all(parts.map(tryAll))).flat()).toEqual([]);
}, 600_000);

/** Late answers first, so that all have come when the last case is over. */
function faultsOf(service: Service): Readonly<Record<string, Fault>> {
  const [throttled, broken] = errors[service] ?? [];
  if (!throttled || !broken) throw new Error(`nobody has said how ${service} refuses`);
  return {
    'a late answer': { kind: 'delay', ms: lateMs },
    'a throttled call': throttled,
    'a broken service': broken,
    'a dropped connection': { kind: 'drop' },
    'a lost answer': { kind: 'lose' },
    'a malformed answer': { kind: 'malformed' },
  };
}

/** Every kind of call of a plain run, once. */
async function listKinds(): Promise<readonly Call[]> {
  const trios = await startTrios([0]);
  const { journal } = trios.sandbox;
  await trios.ask(trio(0));
  const begun = journal.calls.length;
  await trios.run();
  const made = journal.calls.slice(begun).filter(ownCalls());
  await trios.sandbox.stop();
  return [...new Map(made.map((call) => [`${call.service} ${call.action}`, call])).values()];
}

/** The certificate that the calls are about: one that makes the call of its case, as any of a trio would. */
function victimOf({ number, action }: Case): readonly Certificate[] {
  // One record proves apex and wildcard, so that their order is not looked at.
  const kind = action === 'renewalInfo' ? 'renewal' : action === 'order' ? 'san' : 'apex';
  return trio(number).filter(({ name }) => name.startsWith(kind));
}

/** Each case has a certificate of its own, and one in another zone from another CA beside it, which no fault
 *  is for. Gives what was wrong, in words. */
async function tryAll(cases: readonly Case[]): Promise<readonly string[]> {
  const numbers = cases.map(({ number }) => number);
  const renewals = cases.filter(({ action }) => action === 'renewalInfo').map(({ number }) => number);
  const trios = await startTrios(numbers, { renewals });
  const { sandbox } = trios;
  const calm = sandbox.route53.createZone('calm.example.com');
  const resolve = { servers: [sandbox.dns.address] };
  const other = await startAuthority({ resolve }, { journal: new Journal(), faults: new Faults() });
  const issuers = { other: { directory: other.directory, caBundle: other.caPem, agreeToTerms: true } };
  const account = createHash('sha256').update(other.directory).digest('hex').slice(0, 32);
  const calmly = [calm.id, 'calm', `${prefix}/accounts/${account}`];
  // Who looks for CAA records climbs to names that are above both.
  const isVictims = (resource: string) =>
    !/^(example\.)?com$/.test(resource) && !calmly.some((part) => resource.includes(part));
  const findings: string[] = [];
  for (const one of cases) {
    const { number } = one;
    const name = `calm-${number}`;
    const beside = { name, domains: [`${name}.calm.example.com`], issuer: 'other' };
    await trios.ask([...victimOf(one), beside], issuers);
    findings.push(...(await tryOne(one, trios, isVictims)).map((what) => `${describe(one)}: ${what}`));
  }
  sandbox.faults.clear();
  await pause(lateMs);
  await trios.ask(cases.flatMap(victimOf));
  // Nothing is in their way: no answer that a busy machine delays may count as none.
  const calmTime = { ms: 120_000, speed: 5, answerMs: 30_000 };
  for (const laterMs of [7 * hourMs, 14 * hourMs]) await runQuickly(sandbox, { ...calmTime, laterMs });
  for (const one of cases) {
    const faults = trios.findFaults(victimOf(one), 1);
    findings.push(...faults.map((what) => `${describe(one)}: ${what}`));
  }
  await Promise.all([other.stop(), sandbox.stop()]);
  return findings;
}

function describe({ service, action, fault }: Case): string {
  return `${service} ${action} with ${fault}`;
}

async function tryOne(
  { number, service, action, set }: Case,
  { sandbox }: Trios,
  isVictims: (resource: string) => boolean,
): Promise<readonly string[]> {
  sandbox.faults.clear();
  const met: string[] = [];
  sandbox.faults.set(service, action, set, Number.POSITIVE_INFINITY, (resource) => {
    if (isVictims(resource)) met.push(resource);
    return isVictims(resource);
  });
  const begunAt = performance.now();
  const outcome = await runQuickly(sandbox, { ms: runMs }).catch((thrown: unknown) => thrown);
  const tookMs = performance.now() - begunAt;
  const told = outcome instanceof Error ? outcome.message : JSON.stringify(outcome);
  const isCalm =
    told.includes(`"name":"calm-${number}"`) && /"name":"calm-[^}]*"outcome":"issued"/.test(told);
  return [
    ...(met.length > 0 || isUnchecked({ service, action }, told) ? [] : [`the run did not meet it: ${told}`]),
    ...(tookMs <= runMs ? [] : [`the run took ${Math.round(tookMs)} ms`]),
    ...(isCalm || isShared(action, set) ? [] : [`the other certificate was not issued: ${told}`]),
  ];
}

/** Whether the run said that it had no time to look at DNS before the order, as on a machine that does much
 *  else. */
function isUnchecked({ service, action }: Pick<Case, 'service' | 'action'>, told: string): boolean {
  const isOfLook = service === 'dns' || action === 'GetHostedZone';
  return isOfLook && told.includes('DNS was not checked before the order: it took too long');
}

/** Whether one call, or one answer, is for all certificates. A DNS packet that is none ends the talk with its
 *  server, which is everybody's here (c-ares). */
function isShared(action: string, { kind }: Fault): boolean {
  return (
    ['ListSecrets', 'ListHostedZones', 'GetChange'].includes(action) ||
    (kind === 'malformed' && ['CNAME', 'TXT', 'CAA', 'NS'].includes(action))
  );
}
