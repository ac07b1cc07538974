// What channels that open and close incidents have open, over whatever course of troubles.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CertificateSpec } from '../../lib/certificate/spec.ts';
import { describeProgress } from '../../lib/policy/delivery/progress.ts';
import { planNotices } from '../../lib/policy/notices/grouping.ts';
import type { CertificateState } from '../../lib/state/state.ts';
import { targetOf } from '../minting/targets.ts';
import { at, dayMs, hourMs, StatusLab } from './harness.ts';

const pager = {
  kind: 'pagerduty',
  secret: 'certrelay/notify/pager',
  events: ['Degraded', 'Recovered'],
} as const;
const targets = [targetOf(), targetOf({ cluster: 'edge' })];
const edge = targets.slice(1);

/** The keys of the incidents that the notices of these messages leave open. */
function openIncidents({ notices }: StatusLab): readonly string[] {
  const open = new Set<string>();
  for (const { at: told, changes = [] } of notices) {
    const omitted = { changes: 0, issued: 0, rows: 0 };
    const news = { installation: 'certrelay', at: told, changes, issued: [], omitted };
    for (const { notice } of planNotices(news, [pager])) {
      if (notice.event === 'Degraded') for (const { subject } of notice.entries) open.add(keyOf(subject));
      if (notice.event === 'Recovered')
        for (const subject of [...notice.entries.map((one) => one.subject), ...notice.others])
          open.delete(keyOf(subject));
    }
  }
  return [...open];
}

const keyOf = ({ kind, name }: { readonly kind: string; readonly name: string }) => `${kind}/${name}`;

const well: CertificateState = {
  notBefore: at(-10 * dayMs),
  notAfter: at(300 * dayMs),
  deployed: describeProgress('v1', targets, ['rolled-out', 'rolled-out']),
  reports: { edge: { deployed: describeProgress('v1', edge, ['rolled-out']) } },
};
const troubleOf = (cause: string) => ({ since: at(-2 * dayMs), code: 'Denied', cause, words: 'it refused' });
const states: readonly CertificateState[] = [
  well,
  { ...well, notAfter: at(2 * dayMs), notBefore: at(-80 * dayMs) },
  { ...well, failures: 3, error: 'Unreachable', problem: troubleOf('issuer/default') },
  {
    ...well,
    deployed: describeProgress('v1', targets, ['none', 'none']),
    deliveryProblem: troubleOf('function/deploy'),
  },
  { ...well, deployed: describeProgress('v1', targets, ['none', 'none']) },
  { ...well, reports: {} },
  { ...well, pausedSince: at(-dayMs) },
];

interface Step {
  readonly certificates: readonly number[];
  readonly isClusterIll: boolean;
  readonly agent: 'well' | 'silent' | 'gone' | 'none';
  readonly known: string | undefined;
  readonly passMs: number;
  readonly isQueueDown: boolean;
}
const step: fc.Arbitrary<Step> = fc.record({
  certificates: fc.array(fc.nat({ max: states.length - 1 }), { minLength: 2, maxLength: 2 }),
  isClusterIll: fc.boolean(),
  agent: fc.constantFrom('well', 'silent', 'gone', 'none'),
  known: fc.constantFrom(undefined, 'c0', 'cluster/lab', 'agent/edge', 'issuer/default', 'function/deploy'),
  passMs: fc.constantFrom(hourMs / 4, hourMs, 7 * hourMs, 2 * dayMs),
  isQueueDown: fc.boolean(),
});
const calm: Step = {
  certificates: [0, 0],
  isClusterIll: false,
  agent: 'well',
  known: undefined,
  passMs: hourMs,
  isQueueDown: false,
};

async function take(lab: StatusLab, { certificates, isClusterIll, agent, known, passMs, isQueueDown }: Step) {
  lab.clock.pass(passMs);
  const now = lab.clock.now();
  const spec = (name: string): CertificateSpec => ({
    name,
    domains: [`${name}.example.com`],
    issuer: 'default',
    key: 'ecdsa-p256',
    targets,
  });
  lab.specs = [];
  for (const [index, choice] of certificates.entries()) {
    const name = `c${index}`;
    const state = states[choice];
    const { health, acknowledged } = lab.state(name);
    lab.store.kept.delete(name);
    if (!state) continue;
    lab.specs.push(spec(name));
    lab.stored(name, { ...state, ...(health && { health }), ...(acknowledged && { acknowledged }) });
  }
  const trouble = { since: at(-2 * hourMs), code: 'Unreachable', words: 'no answer' };
  lab.operations = {
    passes: { issue: now, deploy: now, probe: now },
    clusters: isClusterIll ? { lab: trouble } : {},
  };
  const lastSeen = agent === 'silent' ? at(-dayMs) : now;
  const gone = agent === 'gone' ? { deregistered: lastSeen } : {};
  lab.agents = agent === 'none' ? [] : [{ cluster: 'edge', lastSeen, ...gone }];
  if (known) await lab.ask({ acknowledge: { subjects: [known], forMs: dayMs, words: 'w' } });
  if (isQueueDown) lab.broken.add('notices');
  else lab.broken.delete('notices');
  return (await lab.ask()).report;
}

test('as long as a trouble lasts and needs a person, an incident is open', async () => {
  await fc.assert(
    fc.asyncProperty(step, async (trouble) => {
      const lab = new StatusLab();
      await take(lab, calm);
      for (let pass = 0; pass < 6; pass += 1) {
        const report = await take(lab, { ...trouble, known: undefined, isQueueDown: false });
        expect(openIncidents(lab).length > 0).toBe(report.health === 'Degraded');
      }
    }),
    { numRuns: 300 },
  );
});

test('whatever went wrong, and whoever knew of it: once all is well, no incident is open', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
      const lab = new StatusLab();
      for (const one of steps) await take(lab, one);
      await take(lab, calm);
      const report = await take(lab, calm);
      expect(report.health).toBe('Healthy');
      expect(openIncidents(lab)).toEqual([]);
    }),
    { numRuns: 300 },
  );
});
