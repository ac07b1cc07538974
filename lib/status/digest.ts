// Sends the state of everything to the channels whose time for it has come.
import type { CertificateHealth } from '../policy/health/certificate.ts';
import type { Subject } from '../policy/health/change.ts';
import type { OtherHealth } from '../policy/health/others.ts';
import { compareWorst, countByHealth } from '../policy/health/ranking.ts';
import { findDueDigests } from '../policy/notices/digest-time.ts';
import { describeError, toError } from '../ports/errors.ts';
import type { StatusNotes } from '../ports/notes.ts';
import type { DigestRow } from '../ports/notices.ts';
import { listOthers } from './changes.ts';
import type { StatusRound } from './round.ts';

/** Hands over a digest if one is due. Returns the notes with the time of it; the same notes if nothing was
 *  sent. Never rejects: the next pass tries again, and `failures` gets what went wrong. */
export async function sendDigest(
  { judged, facts, ports: { notices, log }, invocation: { channels, id, signal } }: StatusRound,
  notes: StatusNotes,
  failures: Error[],
): Promise<StatusNotes> {
  const { now } = facts;
  const due = findDueDigests(channels, notes.digestedAt ?? notes.began, now);
  if (!notices || due.length === 0) return notes;
  const certificates = judged.certificates.map((health) =>
    toRow({ kind: 'certificate', name: health.name }, health),
  );
  const others = listOthers(judged).map(({ subject, health }) => toRow(subject, health));
  const rows = [...others, ...certificates].toSorted(compareWorst);
  try {
    const digest = { channels: due, summary: countByHealth(judged.certificates), rows };
    await notices.send({ at: now, digest }, id, signal);
    return { ...notes, digestedAt: now };
  } catch (error) {
    log.error('changes not queued', { problem: describeError(error) });
    failures.push(toError(error));
    return notes;
  }
}

function toRow(
  subject: Subject,
  told: OtherHealth & Partial<Pick<CertificateHealth, 'notAfter' | 'expiresInDays'>>,
): DigestRow {
  const { health, reason, message, since, notAfter, expiresInDays } = told;
  const isWell = health === 'Healthy';
  return {
    subject,
    health,
    reason: isWell ? null : reason,
    message: isWell ? null : message,
    since: since ?? null,
    notAfter: notAfter ?? null,
    expiresInDays: expiresInDays ?? null,
  };
}
