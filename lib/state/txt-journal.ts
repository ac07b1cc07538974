// Which TXT values are ours, written down before they are written to DNS: enough to take them away when the CA has long
// forgotten the order they were for.
import { challengeName } from '../certificate/names.ts';

/** As `TxtValue` of `dns-ports.ts`. */
interface Value {
  readonly name: string;
  readonly value: string;
}

/** Characters of a DNS-01 value that are kept: 48 bits, which no value of somebody else's has by chance. */
const markLength = 8;

/** The journal with the given values too: the beginnings of all, one after the other. */
export function addToJournal(journal: string | undefined, values: readonly Value[]): string {
  const added = values.map(({ value }) => value.slice(0, markLength));
  return [...new Set([...marksIn(journal), ...added])].join('');
}

/** Whether the journal has every one of the values. */
export function isInJournal(journal: string | undefined, values: readonly Value[]): boolean {
  const marks = new Set(marksIn(journal));
  return values.every(({ value }) => marks.has(value.slice(0, markLength)));
}

/** What `ChallengeRecords.cleanUp` is to take away at the challenge names of `domains`: any of the values may be at any
 *  of them. */
export function readJournal(journal: string | undefined, domains: readonly string[]): readonly Value[] {
  const names = [...new Set(domains.map(challengeName))];
  return names.flatMap((name) => marksIn(journal).map((value) => ({ name, value })));
}

/** Whatever somebody else made of the tag, only whole marks count. */
function marksIn(journal = ''): readonly string[] {
  return journal.match(/[\w-]{8}/g) ?? [];
}
