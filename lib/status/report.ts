// The answer of `status`.
import { mostAnswerBytes, takeFitting } from '../policy/bounds.ts';
import type { CertificateHealth } from '../policy/health/certificate.ts';
import { daysUntil } from '../policy/health/margin.ts';
import type { OtherHealth } from '../policy/health/others.ts';
import { countByHealth, sortWorst } from '../policy/health/ranking.ts';
import { type HealthWord, healthWords } from '../state/health.ts';

/** An agent's entry. */
export interface AgentEntry extends OtherHealth {
  /** End of its last pass. */
  readonly lastSeen?: Date | undefined;
  /** Version of its image. */
  readonly version?: string | undefined;
}

/** A function's entry. */
export interface FunctionEntry extends OtherHealth {
  /** End of its last full pass; absent if none is recorded. */
  readonly lastPass?: Date | undefined;
}

/** The soonest end of what is stored or held somewhere and in use. */
export interface SoonestExpiry {
  readonly certificate: string;
  /** `stored`, or the target that holds it. */
  readonly place: string;
  readonly notAfter: Date;
  readonly days: number;
}

/** Everything that has a health. */
export interface JudgedHealth {
  readonly certificates: readonly CertificateHealth[];
  readonly clusters: readonly OtherHealth[];
  readonly issuers: readonly OtherHealth[];
  readonly agents: readonly AgentEntry[];
  readonly functions: readonly FunctionEntry[];
  readonly channels: readonly OtherHealth[];
}

/** The answer of `status`. It contains no secrets. Texts may come from strangers. */
export interface StatusReport extends JudgedHealth {
  /** The prefix of the installation. */
  readonly installation: string;
  readonly at: Date;
  /** Whether nothing is `Degraded`. */
  readonly ok: boolean;
  /** The worst of all. */
  readonly health: HealthWord;
  /** Number of certificates by health. `waitingForDns` are among `Progressing`. */
  readonly summary: Readonly<Record<HealthWord, number>> & { readonly waitingForDns: number };
  readonly soonestExpiry?: SoonestExpiry | undefined;
  /** How many targets do not have the current version. */
  readonly pendingTargets: number;
  /** Value for CERTRELAY_SIGNING_KEY of agents; absent before the first certificate is signed for one. */
  readonly signingKey?: string | undefined;
  /** The worst first, then the soonest end; 2,000 at most and within 5 MB, because Lambda answers 6 MB at
   *  most. */
  readonly certificates: readonly CertificateHealth[];
  /** How many certificates are not listed; absent if all are. */
  readonly omitted?: number;
}

const mostListed = 2_000;

/** Makes the report. */
export function makeReport(
  judged: JudgedHealth,
  about: { readonly installation: string; readonly at: Date; readonly signingKey: string | undefined },
): StatusReport {
  const { certificates, ...others } = judged;
  const sorted = sortWorst(certificates);
  const listed = takeFitting(sorted.slice(0, mostListed), mostAnswerBytes);
  const omitted = sorted.length - listed.length;
  const all = [...certificates, ...Object.values(others).flat()];
  const health = healthWords.find((word) => all.some((one) => one.health === word)) ?? 'Healthy';
  const summary = {
    ...countByHealth(certificates),
    waitingForDns: certificates.filter(({ reason }) => reason === 'WaitingForDns').length,
  };
  const targets = certificates.flatMap((certificate) => certificate.targets);
  return {
    ...about,
    ok: health !== 'Degraded',
    health,
    summary,
    soonestExpiry: findSoonest(certificates, about.at),
    pendingTargets: targets.filter((target) => target.health !== 'Healthy').length,
    ...others,
    certificates: listed,
    ...(omitted > 0 ? { omitted } : {}),
  };
}

/** Of certificates that nobody uses nothing counts. */
function findSoonest(certificates: readonly CertificateHealth[], now: Date): SoonestExpiry | undefined {
  let soonest: Omit<SoonestExpiry, 'days'> | undefined;
  for (const { name: certificate, reason, notAfter, targets } of certificates) {
    if (reason === 'Unused') continue;
    const places = [
      { place: 'stored', notAfter },
      ...targets.map(({ target, holds }) => ({ place: target, notAfter: holds?.notAfter })),
    ];
    for (const { place, notAfter: end } of places) {
      if (end && (!soonest || end < soonest.notAfter)) soonest = { certificate, place, notAfter: end };
    }
  }
  return soonest && { ...soonest, days: daysUntil(soonest.notAfter, now) };
}
