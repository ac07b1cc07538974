// The closed list of reasons why something is not `Healthy`, or that it is. Each has a page in the runbook.

/** The reason of what is `Healthy`. */
export const current = 'Current';

/** Reasons of a certificate or a target that is `Degraded`. */
export const degradedReasons = [
  /** What is stored, or what a target holds, has ended. */
  'Expired',
  /** The version in use was revoked. */
  'Revoked',
  /** Less than half of the time to renew is left of what is stored, or of what a target holds. */
  'ExpiresSoon',
  /** It is let go, and its versions cannot be revoked. */
  'RevocationFailing',
  /** It was to be let go, and that does not end. */
  'RetirementStuck',
  /** A target holds it, and nobody renews it. */
  'Abandoned',
  /** The inventory does not allow it any more. */
  'NotAllowed',
  /** Tags did not agree with the value, and were put right. */
  'TagsDisagree',
  /** A version failed at a target and was taken back. */
  'TakenBack',
  /** The CA has paused its names. */
  'PausedByCA',
  /** DNS would fail the order, so it is not placed. */
  'PreflightFailed',
  /** Another source has one of its names. */
  'NameTaken',
  /** Orders fail. */
  'OrderFailing',
  /** Deliveries fail. */
  'DeliveryFailing',
  /** A target's cluster cannot be looked at for more than a day. */
  'NotLookedAt',
  /** A certificate for other names is served. */
  'Mismatch',
  /** Another certificate for the names is served. */
  'NotServed',
] as const;

/** Reasons of a certificate that is `Suspended`. */
export const suspendedReasons = [
  /** A person knows of the trouble. */
  'Acknowledged',
  /** A person paused its orders. */
  'Paused',
  /** A person stopped its delivery, or an import waits for one. */
  'Frozen',
  /** Its DNS was not ready for a week; nobody but its sender misses it. */
  'NeverReady',
  /** Nobody renews it, and no target is known to hold it. */
  'Unused',
  /** A person has retired it and put it back into the inventory: it goes once that has it no longer. */
  'RetirementAhead',
] as const;

/** Reasons of a certificate or a target that is `Progressing`. */
export const progressingReasons = [
  /** It is being let go. */
  'Retiring',
  /** Orders fail, not for long. */
  'BackingOff',
  /** A limit of the CA makes it wait. */
  'RateLimited',
  /** Registered, never issued, and its DNS is not ready. */
  'WaitingForDns',
  /** Due for renewal. */
  'RenewalDue',
  /** Tags do not describe the current version yet. */
  'Unread',
  /** An order is under way, or is about to be. */
  'Ordering',
  /** Targets do not have the version yet. */
  'Delivering',
  /** Targets wait for their maintenance window. */
  'WaitingForWindow',
  /** Delivered, and not served everywhere yet. */
  'BecomingServed',
] as const;

/** Reasons of clusters, issuers, agents, functions and channels. */
export const otherReasons = [
  /** The cluster cannot be reached, or refuses us. */
  'ClusterFailing',
  /** The CA, or the account there, fails orders. */
  'IssuerFailing',
  /** No full pass for too long. */
  'NotRunning',
  /** Our own rights, or AWS, fail the function's work. */
  'FunctionFailing',
  /** The agent has not reported for too long. */
  'AgentSilent',
  /** The agent's last pass had a problem. */
  'AgentFailing',
  /** The inventory names the agent, and it has not reported yet. */
  'AgentNeverSeen',
  /** A person removed the agent. */
  'AgentDeregistered',
  /** Notices do not arrive there. */
  'ChannelFailing',
] as const;

/** All reasons; of equally bad ones the first is told. */
export const healthReasons = [
  ...degradedReasons,
  ...suspendedReasons,
  ...progressingReasons,
  ...otherReasons,
  current,
] as const;
/** Why something has its health. */
export type HealthReason = (typeof healthReasons)[number];

/** Reasons that nobody can acknowledge, because time runs out. */
const pressing: ReadonlySet<string> = new Set<HealthReason>(['Expired', 'Revoked', 'ExpiresSoon']);

/** Whether a person may acknowledge a trouble with this reason. */
export function mayAcknowledge(reason: string): boolean {
  return !pressing.has(reason);
}
