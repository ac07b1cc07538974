// Writes the health of a certificate as Kubernetes writes conditions.
import type { HealthWord } from '../../state/health.ts';
import type { HealthReason } from './reasons.ts';

/** One condition, as in the status of a Kubernetes object. `Ready`: a valid certificate is stored.
 *  `Delivered`: all its targets hold it. `Served`: it is served where somebody could look. */
export interface Condition {
  readonly type: 'Ready' | 'Delivered' | 'Served';
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: HealthReason;
  readonly message: string;
  /** Absent if it is not known. */
  readonly lastTransitionTime?: Date | undefined;
}

/** What conditions are written from: the health of a certificate. */
export interface ConditionFacts {
  readonly health: HealthWord;
  readonly reason: HealthReason;
  readonly message: string;
  readonly since?: Date | undefined;
  readonly notAfter?: Date | undefined;
  readonly served?: string | undefined;
  readonly targets: readonly { readonly health: HealthWord }[];
}

const delivering: ReadonlySet<HealthReason> = new Set([
  'DeliveryFailing',
  'Delivering',
  'WaitingForWindow',
  'TakenBack',
  'Frozen',
]);
const serving: ReadonlySet<HealthReason> = new Set(['NotServed', 'Mismatch', 'BecomingServed']);

/** The three conditions of a certificate. */
export function describeConditions(health: ConditionFacts, now: Date): readonly Condition[] {
  const { notAfter, targets, served, reason, message, since, health: word } = health;
  const told = (type: Condition['type'], status: Condition['status'], isCause: boolean): Condition => {
    if (isCause) return { type, status, reason, message, lastTransitionTime: since };
    return { type, status, reason: 'Current', message: plain[type][status] };
  };
  const isReady = notAfter !== undefined && notAfter > now;
  const isMissing = targets.some(({ health: one }) => isOpen(one)) || delivering.has(reason);
  const isUnserved = serving.has(reason);
  const isOther = word !== 'Healthy' && !delivering.has(reason) && !isUnserved;
  return [
    told('Ready', isReady ? 'True' : 'False', !isReady || isOther),
    told('Delivered', !isReady ? 'Unknown' : isMissing ? 'False' : 'True', delivering.has(reason)),
    told('Served', isUnserved ? 'False' : served === 'served' ? 'True' : 'Unknown', isUnserved),
  ];
}

function isOpen(health: HealthWord): boolean {
  return health !== 'Healthy';
}

const plain = {
  Ready: { True: 'a valid certificate is stored', False: 'no valid certificate is stored', Unknown: '' },
  Delivered: {
    True: 'its targets have the version',
    False: 'targets do not have the version',
    Unknown: 'nothing valid is stored to deliver',
  },
  Served: {
    True: 'it is served',
    False: 'another certificate is served',
    Unknown: 'nobody could look, or nobody has looked yet',
  },
} as const;
