// One certificate as the forecast sees it, by the inventory and its tags alone.
import { registeredDomain } from '../../../certificate/name-parsing.ts';
import { namesKey } from '../../../certificate/names.ts';
import type { CertificateSpec, Inventory } from '../../../certificate/spec.ts';
import type { CertificateState } from '../../../state/state.ts';
import { freezeOf } from '../../delivery/freeze.ts';
import type { Misfits } from '../../registration/grace.ts';
import { findRetirement } from '../../retirement/retirement.ts';
import { type Actual, type ActualCertificate, actualByTags } from '../actual.ts';
import { type Decision, judge, type Situation } from '../decision.ts';
import { type Desired, desiredBy, desiredBySpec, desiredByTags } from '../desired.ts';
import { issuersOfSource } from '../issuer-choice.ts';
import { decisionsOf } from '../operator-decisions.ts';
import { boundTimes } from '../time-bounds.ts';
import { findObstacle, isLimit, type RenewalObstacle } from './obstacles.ts';
import { describeTargets, type ForecastTarget } from './targets.ts';

/** What was observed of one certificate. */
export interface ObservedCertificate {
  readonly name: string;
  /** Its AWS secret as a list shows it; absent if there is none. */
  readonly entry?:
    | {
        readonly current?: string | undefined;
        readonly pending?: string | undefined;
        readonly state: CertificateState;
      }
    | undefined;
  /** Absent if the inventory file does not list it. */
  readonly spec?: CertificateSpec | undefined;
  /** What today's inventory does not allow of it; absent: nothing. */
  readonly misfits?: Misfits | undefined;
}

/** What the forecast follows of one certificate. */
export interface ForecastSubject {
  readonly name: string;
  readonly state: CertificateState;
  /** The version in use; absent if there is none, or if tags do not tell. */
  readonly certificate: ActualCertificate | undefined;
  /** What its next order is for; absent if tags do not tell. */
  readonly desired: Desired | undefined;
  /** When its next order falls due; absent if something is in the way. */
  readonly due: Date | undefined;
  readonly obstacle: RenewalObstacle | undefined;
  /** A frozen version, which its targets do not get. */
  readonly frozen: RenewalObstacle | undefined;
  /** When its time of grace ends: from then on it is not renewed any more. Absent: it needs none. */
  readonly graceUntil: Date | undefined;
  /** `namesKey` of what is ordered next. */
  readonly names: string;
  /** TXT values that prove all its names; absent if tags do not have the names. */
  readonly values: number | undefined;
  readonly registeredDomains: readonly string[];
  /** Whether a person asked for it, by the inventory file. */
  readonly isOfFile: boolean;
  readonly targets: readonly ForecastTarget[];
}

/** Describes one certificate for the forecast. */
export function describeSubject(
  observed: ObservedCertificate,
  inventory: Inventory,
  now: Date,
): ForecastSubject {
  const { name, entry, spec, misfits } = observed;
  const { state } = boundTimes(entry?.state ?? {}, now);
  const known = entry ? { ...entry, state } : undefined;
  const actual = readActual(known);
  const desired = actual && findDesired(observed, actual, state, inventory);
  const situation = actual && desired && describeSituation(known, { desired, actual, misfits }, now);
  const decision = situation && judge(situation, now);
  const isAskedFor = spec !== undefined || state.source !== undefined;
  const retirement = findRetirement({ name, state }, inventory);
  const obstacle = findObstacle({ state, retirement, misfits, isAskedFor, decision }, now);
  const certificate = actual?.kind === 'certificate' ? actual : undefined;
  const domains = spec?.domains ?? state.domains;
  const due = decision && !obstacle ? dueOf(decision, state, now) : undefined;
  return {
    name,
    state,
    certificate,
    desired,
    due,
    obstacle,
    frozen: findFreeze(known, due),
    graceUntil: misfits?.grace instanceof Date ? misfits.grace : undefined,
    names: domains ? namesKey(domains) : (state.names ?? name),
    values: domains?.length,
    registeredDomains: domains
      ? [...new Set(domains.map(registeredDomain))]
      : (state.orders?.registeredDomains ?? []),
    isOfFile: spec !== undefined,
    targets: describeTargets({ name, spec, state, version: certificate && entry?.current }, inventory),
  };
}

/** What is stored, by tags. `undefined` if they do not tell. An AWS secret that never had a version of ours
 *  is one with a specification only. */
function readActual(entry: ObservedCertificate['entry']): Actual | undefined {
  if (!entry || (entry.state.version === undefined && entry.state.fingerprint === undefined))
    return { kind: 'nothing' };
  return actualByTags(entry);
}

function findDesired(
  { spec }: ObservedCertificate,
  actual: Actual,
  state: CertificateState,
  inventory: Inventory,
): Desired | undefined {
  const { failures } = state;
  if (spec) return desiredBySpec(inventory, spec, { failures });
  if (actual.kind !== 'certificate') {
    const [preferred] = issuersOfSource(state, inventory);
    return preferred && desiredBy({ key: 'ecdsa-p256' }, { ...preferred, failures: 0 });
  }
  return desiredByTags(actual, inventory, state) ?? desireImported(actual, state, inventory);
}

/** Only the value of an imported certificate names its issuer: it counts as the one that it came from. */
function desireImported(
  { issuer: directory, profile, key }: ActualCertificate,
  { source }: CertificateState,
  { issuers }: Inventory,
): Desired | undefined {
  const found = Object.entries(issuers).find(
    ([, issuer]) => issuer.directory === directory && issuer.profile === profile,
  );
  if (source !== 'import' || !found || !key) return undefined;
  const [name, issuer] = found;
  return desiredBy({ key }, { name, issuer, failures: 0 });
}

function describeSituation(
  entry: ObservedCertificate['entry'],
  facts: Pick<Situation, 'desired' | 'actual' | 'misfits'>,
  now: Date,
): Situation {
  const { failures, error, problem, nextAttempt } = entry?.state ?? {};
  const pending = entry?.pending === undefined ? undefined : { version: entry.pending };
  return { ...facts, pending, failures, error, problem, nextAttempt, ...decisionsOf(entry, now) };
}

/** When the next order is tried. The CA's limits may be remembered: then from the instant that it named. */
function dueOf(decision: Decision, { error, nextAttempt }: CertificateState, now: Date): Date {
  if (decision.decision === 'keep') return decision.renewsAt;
  const isLater = isLimit(error) && nextAttempt !== undefined && nextAttempt > now;
  return isLater ? nextAttempt : now;
}

function findFreeze(entry: ObservedCertificate['entry'], due: Date | undefined): RenewalObstacle | undefined {
  const freeze = freezeOf(entry?.state.freeze, entry?.current);
  return freeze && { reason: 'Frozen', message: freeze.reason, until: due };
}
