// Judges the health of a certificate from the inventory and its tags alone: must a person act?
import {
  type CertificateSpec,
  type Inventory,
  isSecretTarget,
  type TargetSpec,
} from '../../certificate/spec.ts';
import type { SeenServed, ServedRecord } from '../../state/delivery.ts';
import type { CertificateState } from '../../state/state.ts';
import { frozenByAgents, isAgentCluster, targetsIn } from '../delivery/agents.ts';
import { freezeOf, isByHand, isImported, resumeCommand } from '../delivery/freeze.ts';
import { isDelivered } from '../delivery/progress.ts';
import { nameDestination } from '../delivery/secret-plan.ts';
import { judgeTargetStates } from '../delivery/target-states.ts';
import { actualByTags } from '../issuance/actual.ts';
import { hasDisagreed } from '../issuance/comparison.ts';
import { decisionsOf } from '../issuance/operator-decisions.ts';
import { renewalTime } from '../issuance/renewal-time.ts';
import { boundTimes } from '../issuance/time-bounds.ts';
import { explainGrace, explainRefusal, isTolerated, type Misfits } from '../registration/grace.ts';
import { servedByTargets } from '../serving/served-targets.ts';

/** `failing`: a person must act. `pending`: work is under way, or waits for its time. `well`: nothing to
 *  do. */
export const healthWords = ['failing', 'pending', 'well'] as const;
/** One of `healthWords`. */
export type StatusWord = (typeof healthWords)[number];

/** The health of one certificate. An instant is absent if it is unknown or does not apply. */
export interface CertificateHealth {
  readonly name: string;
  readonly health: StatusWord;
  /** One line: why, and what to do. */
  readonly message: string;
  /** Current version id of the AWS secret; absent if it contains no certificate, or if tags describe
   *  another version. */
  readonly version?: string | undefined;
  readonly notAfter?: Date | undefined;
  readonly renewsAt?: Date | undefined;
  readonly nextAttempt?: Date | undefined;
  readonly lastError?: string | undefined;
  /** Result of the last probe of this version (`ServedWord`). */
  readonly served?: string | undefined;
  /** Absent if the inventory file does not have them: the certificate has no target, or was registered. */
  readonly targets?: readonly TargetHealth[] | undefined;
}

/** The health of one target. */
export interface TargetHealth {
  /** As `nameDestination` writes it: `prod/shop/shop-tls`. */
  readonly target: string;
  /** `yes`: the Secret has the version and the workloads run with it. `Secret only`: workloads do not yet. */
  readonly applied: 'yes' | 'Secret only' | 'no';
  /** Last probe of the target's own addresses; if it lists none, of the certificate's names. For a cluster
   *  with an agent, as that agent reports it. */
  readonly served?: string | undefined;
}

/** One certificate as it is judged. */
export interface HealthSubject {
  readonly name: string;
  /** Its AWS secret, as listing gives it; absent if there is none. */
  readonly entry?: { readonly current?: string | undefined; readonly state: CertificateState } | undefined;
  /** Absent if the inventory file does not list it. */
  readonly spec?: CertificateSpec | undefined;
  readonly clusters: Inventory['clusters'];
  /** What today's inventory does not allow of a registered certificate; absent if tags show nothing. */
  readonly misfits?: Misfits | undefined;
}

/** Judges one certificate.
 *  @param staleAfterMs How long after its delivery another certificate may be served, in milliseconds. */
export function judgeHealth(subject: HealthSubject, now: Date, staleAfterMs: number): CertificateHealth {
  const { name, spec } = subject;
  const entry = subject.entry && { ...subject.entry, state: boundTimes(subject.entry.state, now).state };
  const { state = {}, current } = entry ?? {};
  const actual = entry && actualByTags(entry);
  const certificate = actual?.kind === 'certificate' ? actual : undefined;
  const version = certificate && current;
  const renewBeforeMs = spec?.renewBeforeMs;
  const renewsAt = certificate && renewalTime({ ...certificate, renewBeforeMs });
  const targets =
    spec && spec.targets.length > 0 ? describeTargets(spec.targets, subject, version) : undefined;
  const { health, message } = firstCheck({
    ...subject,
    entry,
    certificate,
    renewsAt,
    targets,
    now,
    staleAfterMs,
  });
  return {
    name,
    health,
    message,
    version,
    notAfter: certificate?.notAfter,
    renewsAt,
    nextAttempt: state.nextAttempt,
    lastError: state.error,
    served: probeOf(state.served, version)?.word,
    targets,
  };
}

interface Facts extends HealthSubject {
  readonly certificate: { readonly notAfter: Date } | undefined;
  readonly renewsAt: Date | undefined;
  readonly targets: readonly TargetHealth[] | undefined;
  readonly now: Date;
  readonly staleAfterMs: number;
}

type HealthCheck = Pick<CertificateHealth, 'health' | 'message'>;

/** The first check that applies. A check for a certificate that ends comes before one for a delayed
 *  renewal. */
function firstCheck(facts: Facts): HealthCheck {
  const { entry, spec, certificate, renewsAt, now } = facts;
  const { state = {}, current } = entry ?? {};
  const failed = state.failures
    ? `${state.failures} failed, the last with ${state.error ?? 'no code'}; next attempt ${state.nextAttempt?.toISOString() ?? 'in the next pass'}`
    : undefined;
  if (!spec && !state.source) return well('neither in the inventory nor registered: nobody renews it');
  if (certificate && certificate.notAfter <= now)
    return failing(
      `expired at ${certificate.notAfter.toISOString()}${failed ? `; attempts: ${failed}` : ''}`,
    );
  if (decisionsOf(entry).isRevoked) return failing('the version in use was revoked');
  if (hasDisagreed(state, now))
    return failing(
      'the tags of its AWS secret did not match its value (TagsDisagree) and were corrected: find out who changed them',
    );
  const { misfits } = facts;
  if (misfits && !isTolerated(misfits, now)) return failing(explainRefusal(misfits));
  if (failed) return failing(`attempts to order: ${failed}`);
  if (!certificate) {
    return pending(
      current && state.version
        ? 'issue did not write its current version; the next pass of issue reads it'
        : 'not issued yet',
    );
  }
  return (
    findFrozen(facts) ??
    findUndelivered(facts) ??
    findUnserved(facts) ??
    findPaused(facts) ??
    (misfits && pending(explainGrace(misfits))) ??
    findDue(renewsAt, now)
  );
}

/** A version that failed is `failing` until it is resumed, because only the pass that froze it ended with an
 *  error. A version that a person took back or imported is `pending`. */
function findFrozen({ name, entry }: Facts): HealthCheck | undefined {
  const state = entry?.state ?? {};
  const freezes = [state.freeze, ...frozenByAgents(state)];
  const freeze = freezes.find((candidate) => freezeOf(candidate, entry?.current) !== undefined);
  if (!freeze) return undefined;
  const { target, reason } = freeze;
  if (isImported(freeze)) return pending(`frozen: ${reason}; to deliver it, run: ${resumeCommand(name)}`);
  return isByHand(freeze)
    ? pending(`frozen: ${reason}`)
    : failing(`frozen: it failed at ${target}: ${reason}; once that is fixed, run: ${resumeCommand(name)}`);
}

function findUnserved({ entry, now, staleAfterMs }: Facts): HealthCheck | undefined {
  const since = entry?.state.notServedSince;
  if (!since) return undefined;
  const message = `another certificate has been served since ${since.toISOString()}`;
  const sinceMs = now.getTime() - since.getTime();
  return sinceMs >= 0 && sinceMs < staleAfterMs ? pending(message) : failing(message);
}

function findUndelivered({ entry, targets }: Facts): HealthCheck | undefined {
  const { deployed, version = '' } = entry?.state ?? {};
  const open = (targets ?? []).filter(({ applied }) => applied !== 'yes');
  if (open.length > 0)
    return pending(
      `${open.length} of ${targets?.length} targets wait: ${open[0]?.target}${open.length > 1 ? ' …' : ''}`,
    );
  const isKnown = targets !== undefined || deployed === undefined || isDelivered(deployed, version);
  return isKnown ? undefined : pending('not delivered to all its targets yet');
}

function findPaused({ entry }: Facts): HealthCheck | undefined {
  const { pausedSince, pauseReason } = entry?.state ?? {};
  if (!pausedSince) return undefined;
  return pending(`paused since ${pausedSince.toISOString()}${pauseReason ? `: ${pauseReason}` : ''}`);
}

function findDue(renewsAt: Date | undefined, now: Date): HealthCheck {
  if (!renewsAt || now < renewsAt) return well('up to date');
  return pending(`due for renewal since ${renewsAt.toISOString()}`);
}

function describeTargets(
  targets: readonly TargetSpec[],
  { name, entry, clusters }: HealthSubject,
  version: string | undefined,
): readonly TargetHealth[] {
  const { state = {} } = entry ?? {};
  const probed = probeOf(state.served, version);
  const byTarget = servedByTargets(probed?.targets, targets);
  const states =
    version === undefined ? [] : judgeTargetStates({ name, version, state }, targets, { clusters });
  return targets.map((target, index) => {
    const applied = appliedWords[states[index]?.phase ?? 'none'];
    const described = { target: nameDestination(target, name), applied };
    if (!isSecretTarget(target) || !isAgentCluster(target.cluster, { clusters })) {
      return { ...described, served: byTarget[index] ?? probed?.word };
    }
    const own = targetsIn(targets, target.cluster);
    const inside = version === undefined ? undefined : state.reports?.[target.cluster]?.served;
    const word = servedByTargets(inside?.targets, own)[own.indexOf(target)] ?? inside?.word;
    return { ...described, served: word };
  });
}

const appliedWords = { none: 'no', applied: 'Secret only', 'rolled-out': 'yes' } as const;

/** The recorded probe if it is of the version. */
function probeOf(served: ServedRecord | undefined, version: string | undefined): SeenServed | undefined {
  return served?.version === version ? served : undefined;
}

function well(message: string): HealthCheck {
  return { health: 'well', message };
}

function pending(message: string): HealthCheck {
  return { health: 'pending', message };
}

function failing(message: string): HealthCheck {
  return { health: 'failing', message };
}
