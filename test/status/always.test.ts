// What holds of the health of any certificate at any time.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CertificateSpec } from '../../lib/certificate/spec.ts';
import { describeProgress } from '../../lib/policy/delivery/progress.ts';
import { judgeCertificate } from '../../lib/policy/health/certificate.ts';
import type { HealthContext } from '../../lib/policy/health/facts.ts';
import { planNote } from '../../lib/policy/health/notes.ts';
import { actualByTags } from '../../lib/policy/issuance/actual.ts';
import { renewalTime } from '../../lib/policy/issuance/renewal-time.ts';
import type { DeliveryPhase } from '../../lib/state/delivery.ts';
import { healthWords } from '../../lib/state/health.ts';
import type { CertificateState } from '../../lib/state/state.ts';
import { targetOf } from '../minting/targets.ts';
import { anyFields } from '../state/states.ts';
import { at, dayMs, hourMs, now } from './harness.ts';

const instant = fc.integer({ min: -200, max: 200 }).map((days) => at(days * dayMs + 1));
const targets = [targetOf(), targetOf({ secret: 'two' }), targetOf({ cluster: 'edge' })];
const phase = fc.constantFrom<DeliveryPhase>('none', 'applied', 'rolled-out');
const version = fc.constantFrom('v1', 'v0');
const holding = fc.option(fc.record({ version: fc.constantFrom('v0', 'v1'), notAfter: instant }), {
  nil: undefined,
});

const life = fc
  .tuple(fc.integer({ min: -100, max: 10 }), fc.integer({ min: 1, max: 100 }))
  .map(([begin, days]) => ({ notBefore: at(begin * dayMs), notAfter: at((begin + days) * dayMs) }));

/** Tags as they can stand: some fields of any text, and those of deliveries about these targets. */
const state: fc.Arbitrary<CertificateState> = fc
  .tuple(
    life,
    fc.record(
      {
        failures: fc.nat({ max: 9 }),
        error: fc.constantFrom('rateLimited', 'Processing', 'Unreachable'),
        nextAttempt: instant,
        problem: anyFields.problem,
        deliveryProblem: anyFields.deliveryProblem,
        pausedSince: instant,
        revoked: fc.constantFrom(['v1'], ['v0']),
        freeze: fc.record({
          version,
          target: fc.constantFrom('*', 'import', 'lab/shop/two'),
          reason: fc.constant('r'),
        }),
        notServedSince: instant,
        probedAt: instant,
        tagsDisagree: instant,
        acknowledged: fc.record({
          until: instant,
          reason: fc.constantFrom('OrderFailing', 'Expired', 'ExpiresSoon'),
          words: fc.constant('w'),
        }),
        health: anyFields.health,
        windowStart: instant,
        windowEnd: instant,
      },
      { requiredKeys: [] },
    ),
    fc.option(
      fc.tuple(
        version,
        fc.array(phase, { minLength: 3, maxLength: 3 }),
        fc.array(holding, { minLength: 3, maxLength: 3 }),
      ),
      { nil: undefined },
    ),
    version,
  )
  .map(([{ notBefore, notAfter }, more, delivered, of]) => ({
    version: of,
    names: 'n',
    issuer: 'https://ca.example/directory',
    key: 'ecdsa-p256' as const,
    fingerprint: '7'.repeat(64),
    notBefore,
    notAfter,
    ...more,
    ...(delivered && {
      deployed: { ...describeProgress(delivered[0], targets, delivered[1]), holds: delivered[2] },
    }),
  }));

const context: HealthContext = {
  now,
  staleAfterMs: hourMs,
  probeFreshMs: dayMs,
  clusters: { lab: { inCluster: true }, edge: { agent: true } },
  clusterTroubles: {},
  agents: new Map(),
  retiresGone: false,
};
const spec: CertificateSpec = {
  name: 'shop',
  domains: ['shop.example.com'],
  issuer: 'le',
  key: 'ecdsa-p256',
  targets,
};

const subject = fc.record({
  state,
  spec: fc.constantFrom(spec, { ...spec, targets: [] }, undefined),
  source: fc.constantFrom('registration' as const, undefined),
  isThere: fc.boolean(),
});

const judge = ({
  state: tags,
  spec: listed,
  source,
  isThere,
}: {
  state: CertificateState;
  spec: CertificateSpec | undefined;
  source: 'registration' | undefined;
  isThere: boolean;
}) => {
  const entry = isThere
    ? { current: 'v1', state: { ...tags, ...(source && !listed && { source }) } }
    : undefined;
  return { entry, health: judgeCertificate({ name: 'shop', entry, spec: listed }, context) };
};

test('nothing that has less than half of its margin left, is not everywhere, or that nobody renews is Healthy', () => {
  fc.assert(
    fc.property(subject, (given) => {
      const { entry, health } = judge(given);
      if (health.health !== 'Healthy') return;
      const actual = entry && actualByTags(entry);
      expect(actual?.kind).toBe('certificate');
      if (actual?.kind !== 'certificate') return;
      expect(given.spec ?? given.source, 'somebody asks for it').toBeDefined();
      const renewsAt = renewalTime(actual);
      expect(now < renewsAt && now < actual.notAfter, 'it is not due').toBe(true);
      for (const target of health.targets) {
        expect(target).toMatchObject({ health: 'Healthy', holds: { version: 'v1' } });
      }
      const deployed = entry?.state.deployed;
      if (!given.spec && deployed) {
        expect(deployed.version).toBe('v1');
        expect(deployed.phases.every((reached) => reached === 'rolled-out')).toBe(true);
      }
    }),
    { numRuns: 3_000 },
  );
});

test('less than half of the margin is Degraded, whoever stopped or acknowledged what', () => {
  fc.assert(
    fc.property(subject, (given) => {
      const { entry, health } = judge(given);
      const actual = entry && actualByTags(entry);
      if (actual?.kind !== 'certificate' || !(given.spec ?? given.source)) return;
      const margin = actual.notAfter.getTime() - renewalTime(actual).getTime();
      const left = actual.notAfter.getTime() - now.getTime();
      if (margin > 0 && left < margin / 2) expect(health.health).toBe('Degraded');
    }),
    { numRuns: 3_000 },
  );
});

test('nothing is Degraded for its age before it is due', () => {
  fc.assert(
    fc.property(subject, (given) => {
      const { entry, health } = judge(given);
      const isStored = health.reason === 'ExpiresSoon' && health.message.startsWith('valid for');
      const actual = entry && actualByTags(entry);
      if (isStored && actual?.kind === 'certificate') expect(now >= renewalTime(actual)).toBe(true);
      expect(isStored && !actual).toBe(false);
    }),
    { numRuns: 3_000 },
  );
});

test('judged again with its own note it is the same, with the same beginning: nothing flaps', () => {
  fc.assert(
    fc.property(subject, (given) => {
      const { entry, health } = judge(given);
      if (!entry || health.health === 'Healthy') return;
      const note = planNote(health, undefined, [], now)?.note;
      const again = judgeCertificate(
        {
          name: 'shop',
          spec: given.spec,
          entry: { ...entry, state: { ...entry.state, ...(note && { health: note }) } },
        },
        { ...context, now: new Date(now.getTime() + 1) },
      );
      expect(healthWords).toContain(again.health);
      if (again.health === health.health && again.reason === health.reason) {
        expect(again.since).toEqual(health.since);
        expect(planNote(again, note, [], now)).toBeUndefined();
      }
    }),
    { numRuns: 3_000 },
  );
});
