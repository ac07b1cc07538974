// Log events are a public interface: the code and the table of docs/log-events.md name the same ones.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { logEvents } from '../../lib/ports/log.ts';

const top = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(top, path), 'utf8');

/** What the table says: levels and functions by event. */
const table = [
  ...read('docs/log-events.md').matchAll(/^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \| (.+) \| (.+) \|$/gm),
].map(([, event = '', levels = '', functions = '', meaning = '', action = '']) => ({
  event,
  levels: levels.split(', '),
  functions: functions.replaceAll('`', '').split(', '),
  meaning,
  action,
}));

/** Every call of a log in the code: its event, and its level unless that is chosen at run time. */
const calls = ['lib', 'functions'].flatMap((folder) =>
  readdirSync(join(top, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => [...findCalls(read(join(folder, name)))].map((call) => ({ ...call, name }))),
);

function findCalls(source: string) {
  return [...source.matchAll(/[lL]og(?:\.(debug|info|warn|error)|\[[^\]]+\])\(([^,)]+)/g)].flatMap(
    ([, level, first = '']) => [...first.matchAll(/'([^']+)'/g)].map(([, event = '']) => ({ event, level })),
  );
}

describe('the events of the log', () => {
  it('are those of the table, in its order, each with a meaning and what to do', () => {
    expect(table.map(({ event }) => event)).toEqual(logEvents);
    for (const row of table) {
      expect(row.meaning.length, row.event).toBeGreaterThan(10);
      expect(row.action, row.event).toMatch(/\.$/);
    }
  });

  it('are each written somewhere, at the levels that the table names', () => {
    expect(calls.length).toBeGreaterThan(100);
    for (const { event, levels } of table) {
      const own = calls.filter((call) => call.event === event);
      expect(own, event).not.toEqual([]);
      const fixed = own.flatMap(({ level }) => (level ? [level] : []));
      expect(levels, event).toEqual(expect.arrayContaining(fixed));
      if (fixed.length === own.length) expect(new Set(levels), event).toEqual(new Set(fixed));
    }
  });

  it('that end a pass are not shared by two functions', () => {
    const finished = table.filter(({ event }) => / (finished|reconciled)$/.test(event));
    const functions = finished.map(({ functions: [first = ''] }) => first).toSorted();
    expect(functions).toEqual(['agent', 'deploy', 'issue', 'probe', 'status']);
    expect(calls.filter(({ event }) => event === 'pass finished')).toEqual([]);
  });

  it('are plain ASCII without a word that has six meanings, so that a filter can be typed', () => {
    for (const event of logEvents) {
      expect(event).toMatch(/^[\x20-\x7e]+$/);
      expect(event).not.toMatch(/\b(told|held|handed|asked for|pass|wave)\b/);
    }
  });
});
