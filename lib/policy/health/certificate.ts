// Judges the health of a certificate from the inventory and its tags alone: must a person act?
import type { ServedWord } from '../../state/delivery.ts';
import type { HealthWord } from '../../state/health.ts';
import { acknowledge } from './acknowledgement.ts';
import { type Condition, describeConditions } from './conditions.ts';
import {
  findAbandoned,
  findRetirementAhead,
  findRetiring,
  findUnlisted,
  findUnserved,
} from './deliveries.ts';
import { findUnloaded } from './delivery-failures.ts';
import { type HealthContext, type HealthFacts, type HealthSubject, readFacts } from './facts.ts';
import { type Finding, findWorst, type NextAction, nameCause, sinceOf } from './finding.ts';
import { findFrozen } from './freezes.ts';
import { findGone } from './gone.ts';
import { daysUntil } from './margin.ts';
import { findOrderTroubles } from './orders.ts';
import { current, type HealthReason } from './reasons.ts';
import { type JudgedTarget, judgeTargets, probeOf, type TargetHealth } from './targets.ts';

/** Who asks for a certificate; `none`: nobody does. */
export type CertificateSource = 'inventory' | 'webhook' | 'discovery' | 'none';

/** The health of one certificate. An instant is absent if it is unknown or does not apply. Texts may come
 *  from strangers. */
export interface CertificateHealth {
  readonly name: string;
  /** Absent if nobody says. */
  readonly domains?: readonly string[] | undefined;
  readonly source: CertificateSource;
  readonly health: HealthWord;
  readonly reason: HealthReason;
  /** One line: why. */
  readonly message: string;
  /** Since when it is not healthy. */
  readonly since?: Date | undefined;
  /** The next command. */
  readonly command?: string | undefined;
  /** What causes it for many at once, as `cluster/prod`; that is told there. */
  readonly cause?: string | undefined;
  readonly next?: NextAction | undefined;
  readonly conditions: readonly Condition[];
  /** Current version id of the AWS secret; absent if it contains no certificate, or if tags describe another
   *  version. */
  readonly version?: string | undefined;
  readonly notAfter?: Date | undefined;
  readonly expiresInDays?: number | undefined;
  readonly renewsAt?: Date | undefined;
  /** Result of the last probe of this version. */
  readonly served?: ServedWord | undefined;
  /** Until when a person has acknowledged its trouble. */
  readonly acknowledgedUntil?: Date | undefined;
  /** Empty if the certificate has none, or if it is not known where it goes: it is being let go, or was
   *  registered for other targets than `registration` gives to a request that names none. */
  readonly targets: readonly TargetHealth[];
  /** The first targets that got a version, by name; only where `targets` cannot say them. */
  readonly deliveredTo?: readonly string[] | undefined;
}

/** Judges one certificate. */
export function judgeCertificate(subject: HealthSubject, context: HealthContext): CertificateHealth {
  const facts = readFacts(subject, context);
  const targets = judgeTargets(facts);
  const found = findWorst(findAll(facts, targets));
  const finding = found && acknowledge(found, facts.state.acknowledged, facts.now);
  const { name, spec, state, certificate, life, entry, now } = facts;
  const version = certificate && entry?.current;
  const served = probeOf(state.served, version)?.word;
  const isFresh = !state.probedAt || now.getTime() - state.probedAt.getTime() <= facts.probeFreshMs;
  const told = {
    name,
    domains: spec?.domains ?? state.domains,
    source: sourceOf(facts),
    ...(finding ? describeFinding(finding, facts) : describeHealthy(facts)),
    version,
    notAfter: certificate?.notAfter,
    expiresInDays: certificate && daysUntil(certificate.notAfter, now),
    renewsAt: life?.renewsAt,
    served: served && (isFresh ? served : ('unprobed' as const)),
    targets: targets.map(({ health }) => health),
    ...(!facts.targets && state.deliveredTo && { deliveredTo: state.deliveredTo }),
  };
  return { ...told, conditions: describeConditions(told, now) };
}

function findAll(facts: HealthFacts, targets: readonly JudgedTarget[]): readonly Finding[] {
  const retiring = findRetiring(facts);
  if (retiring) return [retiring];
  const ofTargets = targets.map(({ finding }) => finding);
  const checks = [
    findAbandoned,
    findGone,
    findFrozen,
    findUnlisted,
    findUnserved,
    findUnloaded,
    findRetirementAhead,
  ];
  const shared = checks.map((check) => check(facts));
  const found = shared.flatMap((finding) => finding ?? []);
  return [...findOrderTroubles(facts), ...mergeTargets(ofTargets), ...found];
}

/** The worst target speaks for all; how many there are is added. */
function mergeTargets(findings: readonly (Finding | undefined)[]): readonly Finding[] {
  const found = findings.flatMap((finding) => finding ?? []);
  const worst = findWorst(found);
  if (!worst || found.length === 1) return worst ? [worst] : [];
  return [
    { ...worst, message: `${worst.message} (and ${found.length - 1} more of ${findings.length} targets)` },
  ];
}

function describeFinding(finding: Finding, { state, note, now }: HealthFacts) {
  const { health, reason, command, cause, next } = finding;
  return {
    health,
    reason,
    message: nameCause(finding),
    since: sinceOf(finding, note, now),
    command,
    cause,
    next,
    ...(reason === 'Acknowledged' && { acknowledgedUntil: state.acknowledged?.until }),
  };
}

function describeHealthy({ life }: HealthFacts) {
  const message = life ? `up to date, renewed from ${life.renewsAt.toISOString()}` : 'up to date';
  const next: NextAction | undefined = life && { what: 'order', at: life.renewsAt };
  return { health: 'Healthy', reason: current, message, next } as const;
}

function sourceOf({ spec, state }: HealthFacts): CertificateSource {
  if (spec) return 'inventory';
  if (state.source === undefined) return 'none';
  return state.source === 'discovery' ? 'discovery' : 'webhook';
}
