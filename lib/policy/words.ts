// Words of messages that depend on a number.

/** A number with its noun: `1 target`, `3 targets`, `no target`. */
export function countOf(count: number, noun: string, plural = `${noun}s`): string {
  return count === 0 ? `no ${noun}` : `${count} ${count === 1 ? noun : plural}`;
}
