// Writes an announcement as the detail of an event (infra/events/ has the schemas).
import { createHash } from 'node:crypto';
import { servedWords } from '../../state/delivery.ts';
import { healthWords } from '../../state/health.ts';
import { oneLine, takeFitting } from '../bounds.ts';
import type { Announcement, EventFacts } from './announcement.ts';

/** The detail of every event. All fields are always there; `null`: the teller does not know, or it does not
 *  apply. Instants are ISO 8601 in UTC. Texts are one line each, and not long. */
export interface EventDetail {
  readonly schema: 1;
  /** The same for an event that is put twice. */
  readonly id: string;
  /** The prefix. */
  readonly installation: string;
  readonly kind: Announcement['subject']['kind'];
  /** Name of the certificate, cluster, issuer, agent, function or channel. */
  readonly name: string;
  /** `name` of a certificate. */
  readonly certificate: string | null;
  readonly domains: readonly string[] | null;
  readonly health: string | null;
  readonly previousHealth: string | null;
  readonly reason: string | null;
  readonly message: string;
  readonly since: string;
  readonly cause: string | null;
  readonly certificates: number | null;
  readonly version: string | null;
  readonly notAfter: string | null;
  readonly expiresInDays: number | null;
  readonly targets: readonly string[] | null;
  readonly command: string | null;
  /** How many `domains` and `targets` are left out because there are too many. */
  readonly omitted: number;
}

/** Words that fields of events can have. */
export const eventWords = { health: healthWords, served: servedWords } as const;

const dayMs = 86_400_000;
const longest = { word: 200, name: 512, message: 1_000, command: 2_000 } as const;
/** Bytes of JSON for each list: many services that get an event take 256 KiB at most. */
const mostBytes = { domains: 30_000, targets: 150_000 } as const;

/** The detail of an event, with what its type has in addition. It is below 200 KB, whatever it is made of.
 *  @param installation The prefix. */
export function describeEvent(
  { type, subject, occasion, facts, more = {} }: Announcement,
  installation: string,
): EventDetail & Readonly<Record<string, unknown>> {
  const { kind } = subject;
  const name = oneLine(subject.name, longest.name);
  const domains = listOf(facts.domains, mostBytes.domains);
  const targets = listOf(facts.targets, mostBytes.targets);
  const all = [facts.domains, facts.targets].reduce((sum, list) => sum + (list?.length ?? 0), 0);
  return {
    schema: 1,
    id: identify([installation, type, kind, subject.name, ...occasion]),
    installation,
    kind,
    name,
    certificate: kind === 'certificate' ? name : null,
    domains,
    health: facts.health ?? null,
    previousHealth: facts.previousHealth ?? null,
    reason: textOf(facts.reason, longest.word),
    message: postable(facts.message),
    since: facts.since.toISOString(),
    cause: textOf(facts.cause, longest.name),
    certificates: facts.certificates ?? null,
    version: textOf(facts.version, longest.word),
    notAfter: facts.notAfter?.toISOString() ?? null,
    expiresInDays: daysLeft(facts),
    targets,
    command: textOf(facts.command, longest.command),
    omitted: all - (domains?.length ?? 0) - (targets?.length ?? 0),
    ...more,
  };
}

function identify(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}

function daysLeft({ expiresInDays, notAfter, since }: EventFacts): number | null {
  if (typeof expiresInDays === 'number') return expiresInDays;
  return notAfter ? Math.round(((notAfter.getTime() - since.getTime()) / dayMs) * 10) / 10 : null;
}

function textOf(text: string | null | undefined, most: number): string | null {
  return typeof text === 'string' ? oneLine(text, most) : null;
}

function listOf(list: readonly string[] | null | undefined, most: number): readonly string[] | null {
  if (!list) return null;
  const lines = list.map((item) => oneLine(item, longest.name));
  return takeFitting(lines, most);
}

/** Chats read `<…>` as a mention or a link, `@everyone` as a call to all, and `[…](…)` as a link. */
function postable(message: string): string {
  return oneLine(message, longest.message)
    .replaceAll('<', '‹')
    .replaceAll('>', '›')
    .replaceAll('](', '] (')
    .replace(/@(everyone|here|channel|all)\b/gi, '@ $1');
}
