// Which TXT values an order may have left in DNS: enough to take them away when the CA has long forgotten the
// order.
import { challengeName } from '../../certificate/names.ts';
import type { TxtJournal } from '../../state/orders.ts';

interface Value {
  readonly name: string;
  readonly value: string;
}

/** Characters of a DNS-01 value that are kept: 48 bits, which no value of somebody else's has by chance. */
const markLength = 8;

/** The journal with the given values too. */
export function addToJournal(journal: TxtJournal | undefined, values: readonly Value[]): TxtJournal {
  return [...new Set([...(journal ?? []), ...values.map(markOf)])];
}

/** Whether the journal has every one of the values. */
export function isInJournal(journal: TxtJournal | undefined, values: readonly Value[]): boolean {
  const marks = new Set(journal);
  return values.every((value) => marks.has(markOf(value)));
}

/** What `ChallengeRecords.cleanUp` is to take away at the challenge names of `domains`: any of the values
 *  may be at any of them. */
export function readJournal(journal: TxtJournal | undefined, domains: readonly string[]): readonly Value[] {
  const names = [...new Set(domains.map(challengeName))];
  return names.flatMap((name) => (journal ?? []).map((value) => ({ name, value })));
}

function markOf({ value }: Value): string {
  return value.slice(0, markLength);
}
