// How the inventory describes restarts: workloads, waves and maintenance windows.

/** Workload kinds of Kubernetes itself: a change of the pod template starts a rollout. */
export const appsKinds = ['Deployment', 'StatefulSet', 'DaemonSet'] as const;

/** One of `appsKinds`. */
export type AppsKind = (typeof appsKinds)[number];

/** Workload kinds that can be restarted. `Rollout` is of Argo Rollouts, which replaces its pods in place. */
export const workloadKinds = [...appsKinds, 'Rollout'] as const;

/** One of `workloadKinds`. */
export type WorkloadKind = (typeof workloadKinds)[number];

/** One workload in the target's namespace. */
export interface WorkloadReference {
  readonly kind: WorkloadKind;
  readonly name: string;
}

/** How a target's workloads change to a new certificate: in waves. Each wave is watched, and a failed one is
 *  taken back. */
export interface RolloutSpec {
  /** The workload that restarts first, alone; absent: none. */
  readonly canary?: WorkloadReference | undefined;
  /** Number of groups in which the others restart, one after the other; at least 1. */
  readonly waves: number;
  /** Longest time for the canary or one wave, in milliseconds, including the probe. */
  readonly deadlineMs: number;
  /** Whether to probe what is served after each wave. */
  readonly probe: boolean;
  /** When restarts may begin; empty: at any time. */
  readonly windows: readonly MaintenanceWindow[];
}

/** Days of the week, in their order, as the inventory writes them. */
export const weekdays = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const;

/** One of `weekdays`. */
export type Weekday = (typeof weekdays)[number];

/** A time of day on some days of the week, in one time zone. */
export interface MaintenanceWindow {
  /** Days on which the window begins, in the order of the week. */
  readonly days: readonly Weekday[];
  /** Minutes since midnight. `toMinute` is excluded; if it is not after `fromMinute`, the window ends on the
   *  next day. */
  readonly fromMinute: number;
  readonly toMinute: number;
  /** IANA name. */
  readonly timeZone: string;
}
