// What the stack itself has that AWS bills by the month, whatever certificates there are.

/** What a month of an idle stack has. A test counts it in the template. */
export const stackUse = {
  /** Metrics of alarms: a formula over four counts as four. */
  alarmMetrics: 13,
  /** Metrics that `status` writes. */
  customMetrics: 6,
  dashboards: 1,
  /** Queues that Lambda reads. */
  queues: 3,
  /** Of each function, in GB. */
  memoryGb: 0.5,
} as const;
