// What is told on the event bus: one announcement for each thing that happened, and how each is made.
import { nameSome } from '../bounds.ts';
import type { HealthChange, Subject } from '../health/change.ts';

/** Detail types of the events; a public interface. */
export const eventTypes = [
  'Certificate Registered',
  'Certificate Issued',
  'Certificate Delivered',
  'Certificate Revoked',
  'Certificate Retired',
  'Certificate Health Changed',
  'Health Changed',
] as const;
/** One of `eventTypes`. */
export type EventType = (typeof eventTypes)[number];

/** What an event tells of its subject. Absent or `null`: the teller does not know. */
export type EventFacts = {
  readonly [Key in Exclude<keyof HealthChange, 'subject' | 'message' | 'turn'>]?:
    | HealthChange[Key]
    | null
    | undefined;
} & Pick<HealthChange, 'message' | 'since'>;

/** Something to tell on the event bus. It contains no secret. */
export interface Announcement {
  readonly type: EventType;
  readonly subject: Subject;
  /** ARN of the certificate's AWS secret. Absent: it has none, or the teller does not know it. */
  readonly arn?: string | undefined;
  /** What tells the event from others of its type about its subject. A teller that says it again after a
   *  crash gives the same, so that both events have one id. */
  readonly occasion: readonly string[];
  readonly facts: EventFacts;
  /** Fields of this type alone. */
  readonly more?: Readonly<Record<string, string | undefined>>;
}

/** What the announcements of a certificate have in common. */
export interface CertificateNews {
  readonly certificate: string;
  readonly arn?: string | undefined;
  /** Absent: the teller does not know them. */
  readonly domains?: readonly string[] | undefined;
  readonly at: Date;
}

/** A version of a certificate. */
export interface VersionNews extends CertificateNews {
  readonly version: string;
  readonly notAfter: Date;
}

/** A change of health, with the ARN of the certificate's AWS secret. */
export function announceHealth(change: HealthChange, arn?: string): Announcement {
  const { subject, turn, ...facts } = change;
  const { health, reason, since } = facts;
  return {
    type: subject.kind === 'certificate' ? 'Certificate Health Changed' : 'Health Changed',
    subject,
    arn,
    occasion: [health, reason, since.toISOString(), ...(turn === undefined ? [] : [turn])],
    facts,
  };
}

/** A certificate that was asked for by webhook or by an object in a cluster: its specification is stored. */
export function announceRegistered(
  news: CertificateNews & { readonly by: 'registration' | 'discovery' },
): Announcement {
  const by = news.by === 'registration' ? 'by webhook' : 'by an object in a cluster';
  return announce('Certificate Registered', news, {
    occasion: [news.arn ?? '', ...(news.domains ?? [])],
    message: `certificate ${news.certificate} was registered ${by}${forDomains(news)}`,
  });
}

/** A new version that is stored as AWSCURRENT. */
export function announceIssued(news: VersionNews): Announcement {
  return announce('Certificate Issued', news, {
    occasion: [news.version],
    message: `certificate ${news.certificate} was issued${forDomains(news)}; valid until ${news.notAfter.toISOString()}`,
  });
}

/** A version that has been delivered to all its targets. `again`: what tells a repeated delivery of the same
 *  version from the first; absent for the first. `served`: the probe right after it; absent: none. */
export function announceDelivered(
  news: VersionNews & {
    /** SHA-256 of the leaf's DER, in hex. */
    readonly fingerprint: string;
    readonly targets: readonly string[];
    readonly served?: string | undefined;
    readonly again?: string | undefined;
  },
): Announcement {
  const { certificate, version, fingerprint, targets, served, again } = news;
  const places = nameSome(targets, 5);
  return announce('Certificate Delivered', news, {
    occasion: [version, ...targets, ...(again === undefined ? [] : [again])],
    message: `certificate ${certificate} was delivered to ${places}; valid until ${news.notAfter.toISOString()}`,
    targets,
    more: { fingerprint, served },
  });
}

/** A version that the CA has revoked. `reason`: a word of RFC 5280 §5.3.1. */
export function announceRevoked(news: VersionNews & { readonly reason: string }): Announcement {
  const { certificate, version, reason } = news;
  return announce('Certificate Revoked', news, {
    occasion: [version],
    message: `version ${version} of certificate ${certificate} was revoked: ${reason}`,
    reason,
  });
}

/** A certificate that was given up: it is not renewed any more, and its AWS secret is deleted after its
 *  window. `wished`: when it was said, which tells one retirement from the next after a restore. */
export function announceRetired(
  news: CertificateNews & { readonly wished: Date; readonly reason?: string },
): Announcement {
  const { certificate, wished, reason } = news;
  return announce('Certificate Retired', news, {
    occasion: [news.arn ?? '', wished.toISOString()],
    message: `certificate ${certificate} was retired${reason === undefined ? '' : `: ${reason}`}`,
    reason,
  });
}

interface NewsWords {
  readonly occasion: readonly string[];
  readonly message: string;
  readonly reason?: string | undefined;
  readonly targets?: readonly string[];
  readonly more?: Announcement['more'];
}

function announce(
  type: EventType,
  news: CertificateNews & Partial<VersionNews>,
  { occasion, message, reason, targets, more = {} }: NewsWords,
): Announcement {
  const { certificate, arn, domains, version, notAfter, at } = news;
  return {
    type,
    subject: { kind: 'certificate', name: certificate },
    arn,
    occasion,
    facts: { domains, reason, message, since: at, version, notAfter, targets },
    more,
  };
}

function forDomains({ domains = [] }: CertificateNews): string {
  return domains.length === 0 ? '' : ` for ${nameSome(domains, 5)}`;
}
