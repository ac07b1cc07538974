// What is recorded of something that stops orders or deliveries: changed only if it became another trouble.
import type { Trouble } from '../../state/health.ts';
import { cutMiddle, oneLine } from '../bounds.ts';

/** The longest words and the longest code that are recorded, in characters. */
const mostWords = 400;
const mostCode = 60;
/** How much of a text is looked at. */
const mostSearched = 4_000;

/** Something that stops an order or a delivery now. */
export type FoundTrouble = Omit<Trouble, 'since'>;

/** The code of a rollout that has not failed and waits for a person. */
export const waitingCode = 'Waiting';

/** What to record for a trouble that is there now. It began when the recorded one did, unless only one of
 *  both is a failure. Returns `before` itself if that says the same: digits and instants in the words do not
 *  count, because they change while nothing else does. The words are one line without PEM, of 400 characters
 *  at most: of longer ones the middle is left out. */
export function recordTrouble(found: FoundTrouble, before: Trouble | undefined, now: Date): Trouble {
  const trouble = bound(found);
  // An instant in the future was written by somebody else.
  const known = before && before.since <= now ? before : undefined;
  if (!known || isFailure(known) !== isFailure(trouble)) return { since: now, ...trouble };
  return isSameTrouble(known, trouble) ? known : { since: known.since, ...trouble };
}

/** Whether the trouble is more than waiting for a person. */
export function isFailure({ code }: Pick<Trouble, 'code'>): boolean {
  return code !== waitingCode;
}

/** Whether the trouble of a delivery is that of all targets: the certificate cannot be loaded. */
export function isOfAll({ cause }: Pick<Trouble, 'cause'>): boolean {
  return cause === undefined || cause.startsWith('function/');
}

/** Whether AWS has denied a function what the next order needs too, and no certificate was issued since: then
 *  that nothing is due ends no trouble.
 *  @param lastIssued When the newest certificate was issued; absent: none was. */
export function isOpenDenial(trouble: Trouble | undefined, lastIssued: Date | undefined): boolean {
  if (trouble?.code !== 'Denied' || !trouble.cause?.startsWith('function/')) return false;
  return lastIssued === undefined || lastIssued <= trouble.since;
}

function bound({ code, cause, words }: FoundTrouble): FoundTrouble {
  const word = code.slice(0, mostCode).replace(/[^\w.:/-]/g, '-') || 'Unexpected';
  const line = cutMiddle(oneLine(withoutPem(words.slice(0, mostSearched)), mostSearched).trim(), mostWords);
  return { code: word, ...(cause !== undefined && !/\s/.test(cause) && { cause }), words: line || word };
}

/** A CA or an API server may repeat what it was sent. */
function withoutPem(text: string): string {
  const [first = '', ...blocks] = text.split('-----BEGIN ');
  const rest = blocks.map((block) => {
    const [, after = ''] = /-----END [^\n-]{0,60}-----(.*)/s.exec(block) ?? [];
    return `(PEM)${after}`;
  });
  return first + rest.join('');
}

function isSameTrouble(one: FoundTrouble, other: FoundTrouble): boolean {
  return one.code === other.code && one.cause === other.cause && haveSameWords(one.words, other.words);
}

/** Words that were cut are compared up to where the shorter ones end; of those without their middle, both
 *  sides of it. */
function haveSameWords(one: string, other: string): boolean {
  const first = one.replace(/\d+/g, '0');
  const second = other.replace(/\d+/g, '0');
  if (isCutOf(first, second) || isCutOf(second, first)) return true;
  if (!one.endsWith('…') || !other.endsWith('…')) return first === second;
  const length = Math.min(first.length, second.length) - 1;
  return first.slice(0, length) === second.slice(0, length);
}

/** The fewest characters that are kept when the middle of words is left out. */
const fewestKept = 15;

/** Whether a text is the whole one, with `…` for its middle. */
function isCutOf(text: string, whole: string): boolean {
  const at = text.indexOf('…');
  if (at < 1 || text.length <= fewestKept || text.length > whole.length) return false;
  return whole.startsWith(text.slice(0, at)) && whole.endsWith(text.slice(at + 1));
}
