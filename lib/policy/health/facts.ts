// What the tags of one certificate and the inventory say of it, gathered for the checks of its health.
import type { CertificateSpec, Inventory, TargetSpec } from '../../certificate/spec.ts';
import type { HealthNote, HealthWord, Trouble } from '../../state/health.ts';
import type { CertificateState } from '../../state/state.ts';
import { type ActualCertificate, actualByTags } from '../issuance/actual.ts';
import { isPausedByCa, type Pause, pauseOf } from '../issuance/pause.ts';
import { renewalTime } from '../issuance/renewal-time.ts';
import { boundTimes } from '../issuance/time-bounds.ts';
import type { Misfits } from '../registration/grace.ts';
import { findKnownTargets } from '../registration/known-targets.ts';
import { findRetirement } from '../retirement/retirement.ts';
import type { Life } from './margin.ts';

/** One certificate as it is judged. */
export interface HealthSubject {
  readonly name: string;
  /** Its AWS secret, as listing gives it; absent if there is none. */
  readonly entry?:
    | {
        readonly current?: string | undefined;
        readonly pending?: string | undefined;
        readonly createdAt?: Date | undefined;
        readonly state: CertificateState;
      }
    | undefined;
  /** What was noted of it, wherever that is kept; absent: what its tags say. */
  readonly note?: HealthNote | undefined;
  /** Absent if the inventory file does not list it. */
  readonly spec?: CertificateSpec | undefined;
  /** What today's inventory does not allow of a registered certificate; absent if tags show nothing. */
  readonly misfits?: Misfits | undefined;
}

/** What is known of everything around the certificates. */
export interface HealthContext {
  readonly now: Date;
  /** How long another certificate may be served after a delivery, in milliseconds. */
  readonly staleAfterMs: number;
  /** How old a probe may be that still says something, in milliseconds. */
  readonly probeFreshMs: number;
  readonly clusters: Inventory['clusters'];
  /** Absent: nobody compares a stored certificate with what its specification asks for. */
  readonly issuers?: Inventory['issuers'];
  /** Its rule of targets is that of registrations that named none. */
  readonly registration?: Inventory['registration'];
  /** Troubles of clusters that `deploy` reaches, by cluster. */
  readonly clusterTroubles: Readonly<Record<string, Trouble>>;
  /** Agents that are not well, by cluster. */
  readonly agents: ReadonlyMap<string, HealthWord>;
  /** Whether certificates that no object asks for any more are retired by themselves. */
  readonly retiresGone: boolean;
}

/** The facts of one certificate. */
export interface HealthFacts extends HealthSubject, HealthContext {
  /** With possible times only. */
  readonly state: CertificateState;
  /** Where it goes; absent if neither the inventory nor tags tell, or if it is being let go. */
  readonly targets?: readonly TargetSpec[] | undefined;
  /** What is stored, if its tags describe it. */
  readonly certificate?: ActualCertificate | undefined;
  /** Its validity and when it is renewed. */
  readonly life?: Life | undefined;
  /** Whether somebody asks for it: the inventory file, a sender or an object. */
  readonly isAskedFor: boolean;
  /** The pause of its orders, by a person or by the CA. */
  readonly pause?: Pause | undefined;
  /** Whether a person has paused its orders; a CA's pause is none. */
  readonly isPaused: boolean;
  /** Whether it was ever issued, as far as tags tell. */
  readonly isIssued: boolean;
}

/** Gathers the facts. */
export function readFacts(subject: HealthSubject, context: HealthContext): HealthFacts {
  const { entry, spec } = subject;
  const { state } = boundTimes(entry?.state ?? {}, context.now);
  const pause = pauseOf(state, context.now);
  const actual = entry && actualByTags({ ...entry, state });
  const certificate = actual?.kind === 'certificate' ? actual : undefined;
  const renewsAt = certificate && renewalTime({ ...certificate, renewBeforeMs: spec?.renewBeforeMs });
  return {
    ...subject,
    ...context,
    state,
    targets: targetsOf({ ...subject, state }, context),
    note: subject.note ?? state.health,
    certificate,
    life: certificate && renewsAt && { ...certificate, renewsAt },
    isAskedFor: spec !== undefined || state.source !== undefined,
    pause,
    isPaused: pause !== undefined && !isPausedByCa(pause),
    isIssued: state.version !== undefined,
  };
}

function targetsOf(
  { name, spec, state }: Pick<HealthFacts, 'name' | 'spec' | 'state'>,
  { registration }: HealthContext,
): readonly TargetSpec[] | undefined {
  const isLetGo = findRetirement({ name, state }, { certificates: spec ? [spec] : [] }) !== undefined;
  return isLetGo ? undefined : findKnownTargets({ name, spec, state }, registration);
}
