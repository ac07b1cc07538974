// How long something computes, whatever else the machine does meanwhile.

/** Starts to count; the answer tells the milliseconds that this process has computed since. */
export function countComputing(): () => number {
  const begun = process.cpuUsage();
  return () => process.cpuUsage(begun).user / 1_000;
}
