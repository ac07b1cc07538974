// The published schemas of events hold what is really put, whatever it is made of.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventSchemas, renderEventSchema, schemaFile } from '../../infra/template/event-schemas.ts';
import {
  type Announcement,
  announceDelivered,
  announceHealth,
  announceIssued,
  announceRegistered,
  announceRetired,
  announceRevoked,
  eventTypes,
} from '../../lib/policy/events/announcement.ts';
import { describeEvent } from '../../lib/policy/events/detail.ts';
import type { HealthChange } from '../../lib/policy/health/change.ts';

const folder = join(import.meta.dirname, '../../infra/events');
const at = new Date('2026-11-22T10:00:00Z');
const version = { version: 'version-1', notAfter: new Date('2027-02-20T10:00:00Z'), at };

/** One announcement of each type, with a text of any kind at each place that strangers or others write. */
function announceAll(text: string, many: readonly string[]): readonly Announcement[] {
  const news = { certificate: text, arn: 'arn:aws:secretsmanager:x', domains: many, ...version };
  const change: HealthChange = {
    subject: { kind: 'certificate', name: text },
    domains: many,
    health: 'Degraded',
    previousHealth: 'Healthy',
    reason: text,
    message: text,
    since: at,
    cause: text,
    certificates: null,
    version: text,
    notAfter: null,
    expiresInDays: -1.5,
    targets: many,
    command: text,
  };
  return [
    announceRegistered({ ...news, by: 'registration' }),
    announceIssued(news),
    announceDelivered({ ...news, fingerprint: 'ab'.repeat(32), targets: many, served: 'served' }),
    announceRevoked({ ...news, reason: 'superseded' }),
    announceRetired({ ...news, wished: new Date(0), reason: text }),
    announceHealth(change, 'arn:aws:secretsmanager:x'),
    announceHealth({ ...change, subject: { kind: 'cluster', name: text }, certificates: 7 }),
  ];
}

describe('the schemas', () => {
  it('are in the repository as the code makes them, one for each type of event', () => {
    expect(readdirSync(folder).toSorted()).toEqual(eventTypes.map(schemaFile).toSorted());
    for (const type of eventTypes)
      expect(readFileSync(join(folder, schemaFile(type)), 'utf8'), type).toBe(renderEventSchema(type));
  });

  it.each([
    ['plain', 'shop', ['shop.example.com']],
    [
      'hostile',
      'x\u001b[31m\r\n\u202e<!channel> @everyone [a](http://evil.example) \u0000'.repeat(900),
      ['a\nb'],
    ],
    [
      'huge',
      'ü'.repeat(300_000),
      Array.from({ length: 50_000 }, (_, index) => `${'n'.repeat(200)}-${index}`),
    ],
  ])('hold the events of %s texts, each field of one line, below 200 kB', (_, text, many) => {
    const all = announceAll(text, many);
    expect(all.map(({ type }) => type).toSorted()).toEqual(eventTypes.toSorted());
    for (const announcement of all) {
      const json = JSON.stringify(describeEvent(announcement, 'certrelay'));
      expect(
        eventSchemas[announcement.type].safeParse(JSON.parse(json)).error,
        announcement.type,
      ).toBeUndefined();
      expect(Buffer.byteLength(json), announcement.type).toBeLessThan(200_000);
      expect(json, announcement.type).not.toMatch(/\\n|\\r|\\u00|\u202e/);
      const { message } = describeEvent(announcement, 'certrelay');
      expect(message).not.toMatch(/[<>]|@everyone|\]\(/);
    }
  });

  it('count what is left out of long lists', () => {
    const targets = Array.from({ length: 20_000 }, (_, index) => `lab/shop/secret-${index}`);
    const event = announceDelivered({ ...version, certificate: 'shop', fingerprint: 'a', targets });
    const detail = describeEvent(event, 'certrelay');
    expect(detail.omitted).toBeGreaterThan(0);
    expect((detail.targets?.length ?? 0) + detail.omitted).toBe(20_000);
  });
});

describe('an id', () => {
  const idOf = (one: Announcement, installation = 'certrelay') => describeEvent(one, installation).id;

  it('is the same for what is told again later, and another for anything else', () => {
    const issued = { certificate: 'shop', ...version };
    const later = { ...issued, at: new Date(at.getTime() + 60_000), domains: ['shop.example.com'] };
    expect(idOf(announceIssued(later))).toBe(idOf(announceIssued(issued)));
    const others = [
      idOf(announceIssued(issued), 'lab'),
      idOf(announceIssued({ ...issued, version: 'version-2' })),
      idOf(announceIssued({ ...issued, certificate: 'other' })),
      idOf(announceRevoked({ ...issued, reason: 'superseded' })),
    ];
    expect(new Set([idOf(announceIssued(issued)), ...others]).size).toBe(5);
  });
});
