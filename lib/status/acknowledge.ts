// Records that a person knows of a trouble: no notice of it is sent until a given time.
import { keyOf } from '../policy/health/change.ts';
import { mayAcknowledge } from '../policy/health/reasons.ts';
import { errorOfPart } from '../ports/errors.ts';
import { RequestError } from '../requests/errors.ts';
import type { AcknowledgeRequest } from '../requests/status.ts';
import { createRefusal, unknownPart } from '../requests/unknown.ts';
import type { Acknowledgement } from '../state/health.ts';
import { listOthers } from './changes.ts';
import { countWrite } from './note-writes.ts';
import type { StatusRound } from './round.ts';

/** Something to acknowledge. */
interface Acknowledged {
  readonly health: string;
  readonly reason: string;
}

/** Acknowledges the troubles of the given subjects: certificates by name, others as `cluster/prod`. A length
 *  of zero ends what was acknowledged before. Returns one error for each subject that is unknown, that
 *  nothing is wrong with, or whose trouble may not be acknowledged. */
export async function acknowledge(
  request: AcknowledgeRequest,
  round: StatusRound,
): Promise<readonly Error[]> {
  const failures: Error[] = [];
  for (const name of new Set(request.subjects)) {
    try {
      await (name.includes('/') ? acknowledgeOther : acknowledgeCertificate)(name, request, round);
    } catch (cause) {
      failures.push(errorOfPart(name, cause));
    }
  }
  return failures;
}

async function acknowledgeCertificate(
  name: string,
  request: AcknowledgeRequest,
  { judge, ports: { store, log }, facts: { now }, invocation: { inventory, signal } }: StatusRound,
): Promise<void> {
  const entry = await store.describe(name, signal);
  if (!entry) {
    const isInFile = inventory.certificates.some((spec) => spec.name === name);
    if (!isInFile) throw await createRefusal({ inventory, store, signal })(name);
    throw refuse('it has no AWS secret yet, which would keep that: acknowledge it later');
  }
  const { acknowledged } = entry.state;
  const health = judge.one(name, entry);
  const isKnown = health.reason === 'Acknowledged' && acknowledged !== undefined;
  const found = isKnown ? { health: 'Degraded', reason: acknowledged.reason } : health;
  const next = makeAcknowledgement(found, request, now);
  await store.record(name, { acknowledged: next }, signal);
  log.info('trouble acknowledged', { certificate: name, reason: found.reason, until: next?.until });
}

async function acknowledgeOther(
  key: string,
  request: AcknowledgeRequest,
  { judged, facts: { notes, now }, ports, invocation: { signal } }: StatusRound,
): Promise<void> {
  const others = listOthers(judged);
  const found = others.find(({ subject }) => keyOf(subject) === key)?.health;
  const keys = others.map(({ subject }) => keyOf(subject));
  if (!found) throw unknownPart('beside certificates nothing is called', key, keys);
  const current = (await ports.notes.read(signal)) ?? notes;
  const note = current.subjects[key];
  if (!note) throw refuse('status has not noted any trouble of it yet: acknowledge it after its next pass');
  const isKnown = found.reason === 'Acknowledged' && note.acknowledged !== undefined;
  const trouble = isKnown ? { health: 'Degraded', reason: note.acknowledged.reason } : found;
  const { acknowledged: _, ...rest } = note;
  const next = makeAcknowledgement(trouble, request, now);
  const subjects = { ...current.subjects, [key]: next ? { ...rest, acknowledged: next } : rest };
  await ports.notes.write(countWrite({ ...current, subjects }, now), signal);
  ports.log.info('trouble acknowledged', { subject: key, reason: trouble.reason, until: next?.until });
}

/** `null` ends one. @throws RequestError if the trouble may not be acknowledged. */
function makeAcknowledgement(
  { health, reason }: Acknowledged,
  { forMs, words }: AcknowledgeRequest,
  now: Date,
): Acknowledgement | null {
  if (forMs === 0) return null;
  if (health !== 'Degraded') throw refuse(`it is ${health}: there is nothing to acknowledge`);
  if (!mayAcknowledge(reason)) throw refuse(`${reason} cannot be acknowledged, because time runs out`);
  return { until: new Date(now.getTime() + forMs), reason, words };
}

function refuse(message: string): RequestError {
  return new RequestError('NotAcknowledged', message);
}
