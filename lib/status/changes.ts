// Finds what changed since it was last told, and describes it for people and rules.
import type { CertificateHealth } from '../policy/health/certificate.ts';
import { type HealthChange, type Subject, subjectKinds } from '../policy/health/change.ts';
import { type NotePlan, planNote } from '../policy/health/notes.ts';
import type { OtherHealth, SubjectHealth } from '../policy/health/others.ts';
import { current } from '../policy/health/reasons.ts';
import type { HealthNote, Teller } from '../state/health.ts';
import type { JudgedHealth } from './report.ts';

/** A change with what is told of it, to whom, and what to note. */
export interface PlannedChange {
  readonly change: HealthChange;
  readonly plan: NotePlan;
}

/** How changes are found. */
export interface ChangeRules {
  readonly present: readonly Teller[];
  readonly now: Date;
}

/** The change of a certificate; `undefined` if there is none.
 *  @param note What was noted of it. */
export function findCertificateChange(
  certificate: CertificateHealth,
  note: HealthNote | undefined,
  { present, now }: ChangeRules,
): PlannedChange | undefined {
  const plan = planNote(certificate, note, present, now);
  if (!plan) return undefined;
  const { name, domains, version, notAfter, expiresInDays, targets, cause } = certificate;
  const told = describe({ kind: 'certificate', name }, certificate, plan);
  return {
    plan,
    change: {
      ...told,
      domains: domains ?? null,
      cause: cause ?? null,
      version: version ?? null,
      notAfter: notAfter ?? null,
      expiresInDays: expiresInDays ?? null,
      targets: targets.length > 0 ? targets.map(({ target }) => target) : null,
    },
  };
}

/** The kinds of subjects that are no certificate, by their list in the report. */
export const otherKinds = {
  clusters: 'cluster',
  issuers: 'issuer',
  agents: 'agent',
  functions: 'function',
  channels: 'channel',
} as const satisfies Partial<Record<keyof JudgedHealth, Subject['kind']>>;

/** Every subject of the report that is no certificate. */
export function listOthers(judged: JudgedHealth): readonly SubjectHealth[] {
  const lists = Object.entries(otherKinds) as readonly [keyof typeof otherKinds, Subject['kind']][];
  return lists.flatMap(([list, kind]) =>
    judged[list].map((health: OtherHealth) => ({ subject: { kind, name: health.name }, health })),
  );
}

/** The change of something else; `undefined` if there is none. */
export function findOtherChange(
  subject: Subject,
  health: OtherHealth,
  note: HealthNote | undefined,
  { present, now }: ChangeRules,
): PlannedChange | undefined {
  const plan = planNote(health, note, present, now);
  return plan && { plan, change: describe(subject, health, plan) };
}

function describe(
  subject: Subject,
  { health, reason, message, command, affected }: OtherHealth,
  { previous, note }: NotePlan,
): HealthChange {
  const who = subject.kind === 'certificate' ? subject.name : `${subject.kind} ${subject.name}`;
  return {
    subject,
    domains: null,
    health,
    previousHealth: previous,
    reason,
    message: `${who} is ${health}: ${message}`,
    since: note.since,
    cause: null,
    certificates: affected ?? null,
    version: null,
    notAfter: null,
    expiresInDays: null,
    targets: null,
    command: command ?? null,
    ...(note.turn !== undefined && { turn: note.turn }),
  };
}

/** The end of a subject that the report no longer has: what was told of it is over. */
export function findGone(key: string, note: HealthNote, rules: ChangeRules): PlannedChange | undefined {
  const kind = subjectKinds.find((one) => key.startsWith(`${one}/`));
  if (!kind) return undefined;
  const name = key.slice(kind.length + 1);
  const message = 'it is not there any more';
  const health = { name, health: 'Healthy', reason: current, message } as const;
  return findOtherChange({ kind, name }, health, note, rules);
}
