// A change of health as it is told: in events on the bus, and in notices to people.
import type { HealthWord } from '../../state/health.ts';

/** Kinds of things that have a health. */
export const subjectKinds = ['certificate', 'cluster', 'issuer', 'agent', 'function', 'channel'] as const;

/** Something that has a health. `name`: a certificate's name, a cluster's or an issuer's in the inventory,
 *  the cluster of an agent, the name of a function, or a channel as `slack` or `webhook ops`. */
export interface Subject {
  readonly kind: (typeof subjectKinds)[number];
  readonly name: string;
}

/** The key of a subject among notes and causes: `cluster/prod`. */
export function keyOf({ kind, name }: Subject): string {
  return `${kind}/${name}`;
}

/** A change of health. Every field is always there; `null` where the teller does not know. It contains no
 *  secret. Texts may come from strangers: whoever shows them escapes them. */
export interface HealthChange {
  readonly subject: Subject;
  /** Names of the certificate. */
  readonly domains: readonly string[] | null;
  readonly health: HealthWord;
  readonly previousHealth: HealthWord;
  /** One word of the closed list of reasons. */
  readonly reason: string;
  /** One line that can be posted as it stands: what is wrong, and which name. */
  readonly message: string;
  readonly since: Date;
  /** What causes it for many at once, as `cluster/prod`; that subject has a change of its own. */
  readonly cause: string | null;
  /** How many certificates a cluster, an issuer or a function makes ill. */
  readonly certificates: number | null;
  /** Version id of the AWS secret. */
  readonly version: string | null;
  readonly notAfter: Date | null;
  /** Days until `notAfter`, with one decimal; negative after it. */
  readonly expiresInDays: number | null;
  /** As `nameDestination` writes them. */
  readonly targets: readonly string[] | null;
  /** The next command, as it can be pasted. */
  readonly command: string | null;
  /** What tells it from the same change at another time. It is for ids alone, and told to nobody. */
  readonly turn?: string | undefined;
}
