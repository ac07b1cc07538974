// Confirms by its AWS secret that the health of a certificate has changed: lists lag by minutes.
import { mapConcurrently } from '../async/map-concurrently.ts';
import type { CertificateHealth } from '../policy/health/certificate.ts';
import { keyOf } from '../policy/health/change.ts';
import type { HealthReason } from '../policy/health/reasons.ts';
import { describeError } from '../ports/errors.ts';
import { type StoreEntry, StoreError } from '../ports/store.ts';
import { healthWords } from '../state/health.ts';
import { type ChangeRules, findCertificateChange } from './changes.ts';
import { noteOfCertificate } from './judge.ts';
import type { NotedChange, StatusRound } from './round.ts';

/** AWS secrets looked at at once. */
const concurrency = 16;
/** Certificates that the notes have by themselves, without need: the notes of all are one value. */
const mostKept = 200;

/** Reasons of certificates whose AWS secret is soon deleted, with what its tags say: only the notes can tell
 *  then that the trouble is over. */
const ending: ReadonlySet<string> = new Set<HealthReason>([
  'Abandoned',
  'NotAllowed',
  'RetirementStuck',
  'RevocationFailing',
]);

/** Names of the certificates that seem to have changed, the worst first. */
export function findChanged(
  { judged: { certificates }, facts: { entries, notes } }: StatusRound,
  rules: ChangeRules,
): readonly string[] {
  const changed = certificates.filter((one) => {
    const entry = entries.get(one.name);
    return findCertificateChange(one, noteOfCertificate(one.name, entry, notes), rules) !== undefined;
  });
  const rank = ({ health }: CertificateHealth) => healthWords.indexOf(health);
  return changed.toSorted((one, other) => rank(one) - rank(other)).map(({ name }) => name);
}

/** The changes of these certificates that their AWS secrets confirm. One that cannot be looked at keeps
 *  nobody from being told of the others. */
export async function confirmCertificates(
  names: readonly string[],
  round: StatusRound,
  rules: ChangeRules,
): Promise<readonly NotedChange[]> {
  const { judge, facts } = round;
  const { entries, notes } = facts;
  let room = mostKept - Object.keys(notes.subjects).filter((key) => key.startsWith('certificate/')).length;
  const confirmed = await mapConcurrently(names, concurrency, async (name): Promise<NotedChange[]> => {
    const listed = entries.get(name);
    const described = await describeEntry(name, listed, round);
    // Taken away meanwhile: who did that tells.
    if (described === 'unknown' || (listed && !described)) return [];
    const createdAt = listed?.createdAt;
    const entry = described && { ...described, ...(createdAt && { createdAt }) };
    const health = judge.one(name, entry);
    const before = noteOfCertificate(name, entry, notes);
    const isKeptHere = !entry || notes.subjects[keyOf({ kind: 'certificate', name })] !== undefined;
    if (!entry && health.health !== 'Degraded' && !before && room-- <= 0) return [];
    const planned = findCertificateChange(health, before, rules);
    if (!planned) return [];
    const isEnding = health.health === 'Degraded' && ending.has(health.reason);
    if (isKeptHere || !isEnding || room-- <= 0)
      return [{ ...planned, before, place: isKeptHere ? 'notes' : 'tags' }];
    return [{ ...planned, before, place: 'notes', isMoved: entry.state.health !== undefined }];
  });
  return confirmed.flat();
}

/** What the AWS secret says. Of one that may be listed and not described the list counts; another failure may
 *  be over at the next pass: `unknown`. @throws the signal's reason. */
export async function describeEntry(
  name: string,
  listed: StoreEntry | undefined,
  { ports: { store, log }, invocation: { signal } }: StatusRound,
): Promise<StoreEntry | 'unknown' | undefined> {
  try {
    return await store.describe(name, signal);
  } catch (error) {
    signal.throwIfAborted();
    log.warn('health not noted', { certificate: name, problem: describeError(error) });
    const isDenied = error instanceof StoreError && error.code === 'Denied';
    return isDenied && listed ? listed : 'unknown';
  }
}
