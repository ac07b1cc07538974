// How a certificate stands, by what the inventory and its tags say: whether a person must look. No value is read for it.
import {
  type CertificateSpec,
  type Inventory,
  isSecretTarget,
  type TargetSpec,
} from '../../certificate/spec.ts';
import type { SeenServed, ServedRecord } from '../../state/delivery.ts';
import type { CertificateState } from '../../state/state.ts';
import { frozenByAgents, isAgentCluster, targetsIn } from '../delivery/agents.ts';
import { freezeOf, isByHand, resumeCommand } from '../delivery/freeze.ts';
import { isDelivered, phasesOf } from '../delivery/progress.ts';
import { nameDestination } from '../delivery/secret.ts';
import { actualByTags } from '../issuance/actual.ts';
import { hasDisagreed } from '../issuance/comparison.ts';
import { decisionsOf } from '../issuance/operator-decisions.ts';
import { renewalTime } from '../issuance/renewal-time.ts';
import { boundTimes } from '../issuance/time-bounds.ts';
import { explainGrace, explainRefusal, isTolerated, type Misfits } from '../registration/grace.ts';
import { servedByTargets } from '../serving/served-targets.ts';

/** `failing`: a person must look. `pending`: something is under way, or waits for its time. */
export const healthWords = ['failing', 'pending', 'well'] as const;
export type HealthWord = (typeof healthWords)[number];

/** One certificate. Instants are absent where there is no such thing. */
export interface CertificateHealth {
  readonly name: string;
  readonly health: HealthWord;
  readonly message: string;
  /** What should be everywhere: version id of the AWS secret. */
  readonly version?: string | undefined;
  readonly notAfter?: Date | undefined;
  readonly renewsAt?: Date | undefined;
  readonly nextAttempt?: Date | undefined;
  readonly lastError?: string | undefined;
  /** What was last seen to be served, as `probe` says it. */
  readonly served?: string | undefined;
  /** Absent where the inventory does not know them: it was registered. */
  readonly targets?: readonly TargetHealth[] | undefined;
}

/** One target: whether the version is in its Secret and its workloads run with it; and what it serves, where it tells its
 *  addresses, else what is served under the names of the certificate, or what its cluster's agent sees of that. */
export interface TargetHealth {
  readonly target: string;
  readonly applied: 'yes' | 'Secret only' | 'no';
  readonly served?: string | undefined;
}

/** What is judged: what AWS lists, and what the inventory says of it. */
export interface HealthSubject {
  readonly name: string;
  readonly entry?: { readonly current?: string | undefined; readonly state: CertificateState } | undefined;
  readonly spec?: CertificateSpec | undefined;
  readonly clusters: Inventory['clusters'];
  /** What today's inventory would not accept of it; absent: nothing that tags tell. */
  readonly misfits?: Misfits | undefined;
}

/** @param staleAfterMs How long after its delivery another certificate may be served. */
export function judgeHealth(subject: HealthSubject, now: Date, staleAfterMs: number): CertificateHealth {
  const { name, spec } = subject;
  const entry = subject.entry && { ...subject.entry, state: boundTimes(subject.entry.state, now).state };
  const { state = {}, current } = entry ?? {};
  const held = entry && actualByTags(entry);
  const certificate = held?.kind === 'certificate' ? held : undefined;
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
    served: seenOf(state.served, version)?.word,
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

/** The first that holds. What ends a certificate comes before what only delays the next one. */
function firstCheck(facts: Facts): HealthCheck {
  const { entry, spec, certificate, renewsAt, now } = facts;
  const { state = {}, current } = entry ?? {};
  const failed = state.failures
    ? `${state.failures} failed, the last with ${state.error ?? 'no code'}; tried again ${state.nextAttempt?.toISOString() ?? 'at the next pass'}`
    : undefined;
  if (!spec && !state.source) return well('neither in the inventory nor registered: nobody renews it');
  if (certificate && certificate.notAfter <= now)
    return failing(
      `expired at ${certificate.notAfter.toISOString()}${failed ? `; attempts: ${failed}` : ''}`,
    );
  if (decisionsOf(entry).isRevoked) return failing('the version in use was revoked');
  if (hasDisagreed(state, now))
    return failing(
      'tags of its AWS secret said otherwise than its value (TagsDisagree); they were written anew: find out who wrote them',
    );
  const { misfits } = facts;
  if (misfits && !isTolerated(misfits, now)) return failing(explainRefusal(misfits));
  if (failed) return failing(`attempts to order: ${failed}`);
  if (!certificate) {
    return pending(
      current && state.version
        ? 'somebody else wrote its version; the next pass of issue reads it'
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

/** Only the pass that took a version back ends with an error. */
function findFrozen({ name, entry }: Facts): HealthCheck | undefined {
  const state = entry?.state ?? {};
  const freezes = [state.freeze, ...frozenByAgents(state)];
  const hold = freezes.find((one) => freezeOf(one, entry?.current) !== undefined);
  if (!hold) return undefined;
  return isByHand(hold)
    ? pending(`held: ${hold.reason}`)
    : failing(
        `held: it failed at ${hold.target}: ${hold.reason}; once that is mended: ${resumeCommand(name)}`,
      );
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
  return isKnown ? undefined : pending('not in all its targets yet');
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
  const { deployed, served, reports } = entry?.state ?? {};
  const seen = seenOf(served, version);
  const seenAt = servedByTargets(seen?.targets, targets);
  const phases = version === undefined ? [] : phasesOf(deployed, version, targets);
  return targets.map((target, index) => {
    const described = { target: nameDestination(target, name) };
    if (!isSecretTarget(target) || !isAgentCluster(target.cluster, { clusters })) {
      return { ...described, applied: words[phases[index] ?? 'none'], served: seenAt[index] ?? seen?.word };
    }
    const own = targetsIn(targets, target.cluster);
    const report = reports?.[target.cluster];
    const reported = version === undefined ? [] : phasesOf(report?.deployed, version, own);
    const step = reported[own.indexOf(target)] ?? 'none';
    const inside = version === undefined ? undefined : report?.served;
    const word = servedByTargets(inside?.targets, own)[own.indexOf(target)] ?? inside?.word;
    return { ...described, applied: words[step], served: word };
  });
}

const words = { none: 'no', applied: 'Secret only', 'rolled-out': 'yes' } as const;

/** What was seen of the version; nothing where it was another one. */
function seenOf(served: ServedRecord | undefined, version: string | undefined): SeenServed | undefined {
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
