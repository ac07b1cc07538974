// Makes notices of what a pass has to tell: one for everything that began, one for everything that ended.
import { hash } from 'node:crypto';
import { channelName, type NoticeChannel } from '../../certificate/notice-spec.ts';
import type { HealthWord } from '../../state/health.ts';
import { listSome, oneLine, takeFitting } from '../bounds.ts';
import { type HealthChange, type Subject, subjectKinds } from '../health/change.ts';
import { keepsIncidents } from './channels.ts';
import type { HealthNotice, IssuedEntry, Notice, NoticeEntry, TableRow } from './notice.ts';

/** What a pass has to tell, as `notify` reads it from its queue. */
export interface PassNews {
  readonly installation: string;
  readonly at: Date;
  readonly changes: readonly HealthChange[];
  readonly issued: readonly {
    readonly certificate: string;
    readonly domains: readonly string[];
    readonly issuer: string;
    readonly version: string;
    readonly notAfter: Date;
  }[];
  readonly digest?:
    | {
        readonly channels: readonly string[];
        readonly summary: Readonly<Record<HealthWord, number>>;
        readonly rows: readonly TableRow[];
      }
    | undefined;
  /** How many of each list the message had no room for. */
  readonly omitted: { readonly changes: number; readonly issued: number; readonly rows: number };
}

/** A notice for one channel. */
export interface NoticeDelivery {
  /** As `channelName` gives it. */
  readonly channel: string;
  readonly notice: Notice;
}

/** Most that one notice lists: a channel's message is short, and `status` has the rest. */
const most = { entries: 10, others: 300, issued: 20, names: 5, rowBytes: 60_000, message: 500 } as const;

/** What a channel that opens and closes incidents lists: what it is not told has no incident, also when all
 *  others are over. A message of SQS has room for no more. */
const mostOpened = { entries: 100, bytes: 150_000 } as const;

/** The notices of a pass for each channel that wants them. Certificates that a cluster, an issuer or another
 *  cause makes ill are counted with it, and so is their recovery. */
export function planNotices(news: PassNews, channels: readonly NoticeChannel[]): readonly NoticeDelivery[] {
  const { changes } = news;
  const begun = makeHealthNotice('Degraded', changes.filter(isDegraded), news);
  const opened = makeHealthNotice('Degraded', changes.filter(isDegraded), news, takeOpened);
  const recovered = makeHealthNotice('Recovered', changes.filter(isRecovered), news);
  const closed = makeHealthNotice('Recovered', closeIncidents(changes), news);
  const issued = makeIssuedNotice(news);
  const digest = makeDigest(news);
  return channels.flatMap((channel) => {
    const name = channelName(channel);
    const health = keepsIncidents(channel) ? [opened, closed] : [begun, recovered];
    const notices = [...health, issued].filter((notice) => notice !== undefined);
    const wanted = notices.filter(({ event }) => channel.events.some((one) => one === event));
    const asked = digest && news.digest?.channels.includes(name) ? [digest] : [];
    return [...wanted, ...asked].map((notice) => ({ channel: name, notice }));
  });
}

/** The notice that rings a channel. */
export function makeTestNotice(installation: string, at: Date): Notice {
  return withId({ event: 'Test', installation, at, more: 0 }, [at]);
}

function isDegraded({ health }: HealthChange): boolean {
  return health === 'Degraded';
}

function isRecovered({ health, previousHealth }: HealthChange): boolean {
  return previousHealth === 'Degraded' && health !== 'Degraded';
}

/** What may have an incident open: also a cause that was `Suspended` or `Progressing` itself, for what it
 *  made ill, and a certificate that a cause stops now. */
function closeIncidents(changes: readonly HealthChange[]): readonly HealthChange[] {
  const over = new Set(changes.filter(isEndOfCause).map(({ subject }) => keyOf(subject)));
  return changes
    .filter((change) => isRecovered(change) || isEndOfCause(change))
    .map((change) => (change.cause && !over.has(change.cause) ? { ...change, cause: null } : change));
}

function isEndOfCause({ subject, health }: HealthChange): boolean {
  return subject.kind !== 'certificate' && health === 'Healthy';
}

function makeHealthNotice(
  event: HealthNotice['event'],
  changes: readonly HealthChange[],
  { installation, at, omitted }: PassNews,
  take = takeListed,
): HealthNotice | undefined {
  const own = changes.filter(({ cause }) => cause === null);
  const caused = Map.groupBy(
    changes.filter(({ cause }) => cause !== null),
    ({ cause }) => cause ?? '',
  );
  const known = new Set(own.map(({ subject }) => keyOf(subject)));
  const owned = own.map((change) => toEntry(change, caused.get(keyOf(change.subject)) ?? []));
  // Who was told of a cause is told of its end; what it made ill needs no word of its own then.
  const older = event === 'Recovered' ? [] : [...caused].filter(([cause]) => !known.has(cause));
  const all = [...older.flatMap(([cause, group]) => toCauseEntry(cause, group)), ...owned];
  if (all.length === 0) return undefined;
  const entries = take(all);
  const more = all.length - entries.length + omitted.changes;
  const others = event === 'Degraded' ? [] : all.slice(entries.length, entries.length + most.others);
  const notice = { event, installation, at, entries, others: others.map(({ subject }) => subject), more };
  return withId(notice, changes.map(identify));
}

/** The same for the same change, and not for one at another time. */
function identify({ subject, health, reason, since, turn }: HealthChange): readonly unknown[] {
  const change = [keyOf(subject), health, reason, since];
  return turn === undefined ? change : [...change, turn];
}

function takeListed(entries: readonly NoticeEntry[]): readonly NoticeEntry[] {
  return entries.slice(0, most.entries);
}

function takeOpened(entries: readonly NoticeEntry[]): readonly NoticeEntry[] {
  return takeFitting(entries.slice(0, mostOpened.entries), mostOpened.bytes);
}

/** `cluster/prod`, as `HealthChange.cause` names a subject. */
function keyOf({ kind, name }: Subject): string {
  return `${kind}/${name}`;
}

function toEntry(change: HealthChange, caused: readonly HealthChange[]): NoticeEntry {
  const { subject, health, previousHealth, reason, since, notAfter, expiresInDays, command } = change;
  const isCertificate = subject.kind === 'certificate';
  const names = isCertificate ? (change.domains ?? []) : caused.map((one) => one.subject.name);
  return {
    subject: { ...subject, name: shorten(subject.name) },
    health,
    previousHealth,
    reason: shorten(reason),
    message: oneLine(change.message, most.message),
    names: listSome(names.map(shorten), most.names),
    certificates: isCertificate ? null : Math.max(change.certificates ?? 0, caused.length),
    since,
    notAfter,
    expiresInDays: expiresInDays ?? soonestOf(caused),
    command: command === null ? null : oneLine(command, most.message),
  };
}

/** Certificates that a cause makes ill which people know of already. */
function toCauseEntry(cause: string, group: readonly HealthChange[]): readonly NoticeEntry[] {
  const [word = '', ...rest] = cause.split('/');
  const kind = subjectKinds.find((one) => one === word);
  const [first] = group;
  if (kind === undefined || first === undefined) return [];
  const count = group.length === 1 ? 'one more certificate is' : `${group.length} more certificates are`;
  const message = `${count} Degraded because of ${kind} ${rest.join('/')}: ${first.message}`;
  return [toEntry({ ...first, subject: { kind, name: rest.join('/') }, message }, group)];
}

function soonestOf(changes: readonly HealthChange[]): number | null {
  const days = changes.flatMap(({ expiresInDays }) => (expiresInDays === null ? [] : [expiresInDays]));
  return days.length === 0 ? null : Math.min(...days);
}

function makeIssuedNotice({ issued, installation, at, omitted }: PassNews): Notice | undefined {
  if (issued.length === 0) return undefined;
  const listed = issued.slice(0, most.issued).map(
    ({ certificate, domains, issuer, version, notAfter }): IssuedEntry => ({
      certificate: shorten(certificate),
      names: listSome(domains.map(shorten), most.names),
      issuer: shorten(issuer),
      version: shorten(version),
      notAfter,
    }),
  );
  const more = issued.length - listed.length + omitted.issued;
  return withId({ event: 'Issued', installation, at, issued: listed, more }, [issued]);
}

function makeDigest({ digest, installation, at, omitted }: PassNews): Notice | undefined {
  if (!digest) return undefined;
  const bounded = digest.rows.map(
    ({ subject: { kind, name }, health, reason, message, notAfter, expiresInDays }): TableRow => ({
      subject: { kind, name: shorten(name) },
      health,
      reason: reason === null ? null : shorten(reason),
      message: message === null ? null : oneLine(message, 200),
      notAfter,
      expiresInDays,
    }),
  );
  const rows = takeFitting(bounded, most.rowBytes);
  const more = bounded.length - rows.length + omitted.rows;
  const { summary } = digest;
  return withId({ event: 'Digest', installation, at, summary, rows, more }, [at]);
}

/** A name is at most 253 characters; what is longer is not one. */
function shorten(name: string): string {
  return oneLine(name, 253);
}

/** Adds an id that follows from the news. */
function withId<T extends Pick<Notice, 'event' | 'installation'>>(
  notice: T,
  news: unknown,
): T & { id: string } {
  const { event, installation } = notice;
  return {
    ...notice,
    id: `certrelay-${hash('sha256', JSON.stringify([installation, event, news])).slice(0, 32)}`,
  };
}
