// An installation to forecast: certificates by tags, and an inventory that grows with them.
import { namesKey } from '../../../lib/certificate/names.ts';
import type { MaintenanceWindow } from '../../../lib/certificate/rollout-spec.ts';
import type { CertificateSpec, Inventory, IssuerSpec, SecretTarget } from '../../../lib/certificate/spec.ts';
import { type Forecast, forecastIssuance } from '../../../lib/policy/issuance/forecast/forecast.ts';
import type { ForecastRules } from '../../../lib/policy/issuance/forecast/rules.ts';
import type { ObservedCertificate } from '../../../lib/policy/issuance/forecast/subject.ts';
import type { CertificateState } from '../../../lib/state/state.ts';
import { orderedTargetsKey } from '../../../lib/state/targets.ts';
import { targetOf } from '../../minting/targets.ts';

export const [hourMs, dayMs] = [3_600_000, 86_400_000];
/** When everything is looked at: a Tuesday. */
export const now = new Date('2026-12-01T12:00:00Z');
/** So many days later. */
export const at = (days: number): Date => new Date(now.getTime() + days * dayMs);

export const letsEncrypt = 'https://acme-v02.api.letsencrypt.org/directory';
export const otherCa = 'https://ca.example/directory';

/** One installation. */
export class ForecastLab {
  readonly observed: ObservedCertificate[] = [];
  readonly certificates: CertificateSpec[] = [];
  readonly issuers: Record<string, IssuerSpec> = {
    default: { directory: otherCa, contact: [], agreeToTerms: true },
    letsencrypt: { directory: letsEncrypt, contact: [], agreeToTerms: true },
  };
  sections: Partial<Inventory> = {};

  /** A certificate of the inventory that lasts 90 days, issued so many days ago, and is delivered.
   *  @param days Absent: it was never issued. */
  keep(
    name: string,
    {
      days,
      state = {},
      spec = {},
    }: {
      readonly days?: number;
      readonly state?: CertificateState;
      readonly spec?: Partial<CertificateSpec>;
    } = {},
  ): void {
    const own: CertificateSpec = {
      name,
      domains: [`${name}.example.com`],
      issuer: 'default',
      key: 'ecdsa-p256',
      targets: [],
      ...spec,
    };
    this.certificates.push(own);
    const stored = days === undefined ? undefined : { ...this.#describe(own, days), ...state };
    this.observed.push({ name, spec: own, entry: stored && { current: 'v1', state: stored } });
  }

  /** What somebody else registered, and whoever else has an AWS secret. */
  add(name: string, state: CertificateState, current = 'v1'): void {
    this.observed.push({ name, entry: { current, state } });
  }

  #describe({ domains, issuer, key, targets }: CertificateSpec, days: number): CertificateState {
    return {
      version: 'v1',
      names: namesKey(domains),
      issuer: this.issuers[issuer]?.directory ?? '',
      key,
      fingerprint: '8'.padEnd(64, '0'),
      notBefore: at(-days),
      notAfter: at(90 - days),
      deployed: {
        version: 'v1',
        targets: orderedTargetsKey(targets),
        phases: targets.map(() => 'rolled-out' as const),
      },
    };
  }

  /** The forecast of the next days. */
  forecast(days: number, more: Partial<ForecastRules> = {}): Forecast {
    const start = more.start ?? now;
    const inventory: Inventory = {
      issuers: this.issuers,
      clusters: { prod: { kubeconfig: { secret: 'prod' } } },
      certificates: this.certificates,
      ...this.sections,
    };
    const rules = { now, start, end: new Date(start.getTime() + days * dayMs), intervalMs: 6 * hourMs };
    const surroundings = {
      intervals: { issue: 6 * hourMs, deploy: hourMs, probe: hourMs / 2, status: hourMs / 4 },
      hasEventBus: true,
      region: 'eu-central-1',
    };
    return forecastIssuance(this.observed, { ...rules, inventory, ...more }, surroundings);
  }
}

/** A Secret in cluster `prod`, restarted only in the windows. */
export function target(secret: string, windows: readonly MaintenanceWindow[] = []): SecretTarget {
  const rollout = { waves: 1, deadlineMs: 600_000, probe: false, windows };
  return targetOf({ cluster: 'prod', namespace: 'web', secret, ...(windows.length > 0 && { rollout }) });
}

/** Orders of each day, as `day: number`. */
export function ordersOf({ days }: Forecast): Readonly<Record<string, number>> {
  return Object.fromEntries(days.map(({ day, renewals, firstOrders }) => [day, renewals + firstOrders]));
}
