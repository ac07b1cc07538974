// What is read from a refusal: how long to wait, and whether a person must act.
import { describe, expect, it } from 'vitest';
import { readProblem, readRetryAfter, refusal } from '../../lib/adapters/acme/problem.ts';
import { countComputing } from '../computing-time.ts';

const now = new Date('2026-11-22T10:00:00Z');
const dayMs = 86_400_000;
const urn = 'urn:ietf:params:acme:error:';

describe('Retry-After', () => {
  it.each<[string, string | undefined, number | undefined]>([
    ['seconds', '7', 7_000],
    ['seconds with spaces', ' 7 ', 7_000],
    ['a date', 'Sun, 22 Nov 2026 10:00:30 GMT', 30_000],
    ['a date in the old form', 'Sunday, 22-Nov-26 10:00:30 GMT', 30_000],
    ['31 days', String(31 * 86_400), 31 * dayMs],
    ['31 days and a second', String(31 * 86_400 + 1), 31 * dayMs],
    ['a number of 30 digits', '9'.repeat(30), 31 * dayMs],
    ['a date in a hundred years', 'Thu, 22 Nov 2126 10:00:00 GMT', 31 * dayMs],
    ['nothing', undefined, undefined],
    ['an empty text', '', undefined],
    ['no time at all', '0', undefined],
    ['a date that is now', 'Sun, 22 Nov 2026 10:00:00 GMT', undefined],
    ['a date that is past', 'Sun, 22 Nov 2026 09:59:59 GMT', undefined],
    ['less than nothing', '-7', undefined],
    ['a fraction', '7.5', undefined],
    ['words with a number, which Date.parse takes for July 2001', 'soon 7', undefined],
    ['a date without a day', '2026-11-22T10:00:30Z', undefined],
    ['a date that does not exist', 'Sun, 99 Nov 2026 10:00:30 GMT', undefined],
    ['two values', '7, 8', undefined],
  ])('of %s gives the instant it means, or none', (_, header, expected) => {
    expect(readRetryAfter(header, now)).toBe(expected);
  });
});

describe('a paused name', () => {
  const page = 'https://portal.example.com/sfe/v1/unpause?jwt=eyJh.eyJz.c2ln';
  const paused = (detail: string, status = 429, retryAfterMs?: number, type = `${urn}rateLimited`) =>
    refusal('ca.example', status, { type, detail }, retryAfterMs).pausedUrl;

  it.each([
    ['at the end', `Paused. Please visit: ${page}`],
    ['before a full stop', `Visit ${page}. Then try again.`],
    ['in brackets', `Paused (see ${page}) for now`],
    ['in angle brackets', `Paused <${page}>`],
    ['after another page', `See https://ca.example/docs/limits, then visit ${page}`],
    ['beyond what is repeated of the text', `${'a.example.com, '.repeat(90)} visit ${page}`],
  ])('names the page to visit, %s', (_, detail) => {
    expect(paused(detail)).toBe(page);
  });

  it.each([
    ['it is not https', `Visit ${page.replace('https', 'http')}`],
    ['it is about limits alone', 'too many orders, see https://ca.example/docs/rate-limits/'],
    ['only its query says so', 'see https://ca.example/docs?unpause'],
    ['it has no host', 'visit https:///unpause'],
    ['it is over 2,000 characters', `visit https://ca.example/unpause?jwt=${'x'.repeat(2_000)}`],
    ['there is none', 'paused'],
  ])('names none where %s', (_, detail) => {
    expect(paused(detail)).toBeUndefined();
  });

  it('is one only with 429 rateLimited and no Retry-After', () => {
    const detail = `visit ${page}`;
    expect(paused(detail, 429, 60_000)).toBeUndefined();
    expect(paused(detail, 403)).toBeUndefined();
    expect(paused(detail, 429, undefined, `${urn}malformed`)).toBeUndefined();
  });
});

describe('a refusal', () => {
  it('has the status of the answer, whatever the document says', () => {
    const document = { type: `${urn}malformed`, detail: 'no such order', status: 200 };
    expect(refusal('ca.example', 404, document, undefined).problem).toMatchObject({
      type: 'malformed',
      status: 404,
    });
  });

  it.each([
    ['<h1>busy</h1>'],
    [undefined],
    [null],
    [[]],
    [{ type: 7 }],
  ])('without a problem document is said to have none: %j', (body) => {
    const error = refusal('ca.example', 502, body, undefined);
    expect(error.message).toBe('ca.example refused: HTTP 502 without a problem document');
    expect(error.problem).toMatchObject({ type: 'serverInternal', status: 502 });
  });

  it('blames each name once and repeats at most 1,000 characters', () => {
    const part = {
      type: `${urn}dns`,
      detail: 'x'.repeat(600),
      identifier: { type: 'dns', value: 'a.example' },
    };
    const other = { ...part, detail: 'y'.repeat(600) };
    const problem = readProblem({
      type: `${urn}compound`,
      detail: 'several',
      subproblems: [part, part, other],
    });
    expect(problem?.identifiers).toEqual(['a.example']);
    expect(problem?.detail).toHaveLength(1_000);
  });

  it('says once what a CA gives as the whole and as its only part', () => {
    const detail = 'Incorrect TXT record';
    const part = { detail, identifier: { type: 'dns', value: 'a.example' } };
    expect(readProblem({ type: `${urn}dns`, detail, subproblems: [part] })?.detail).toBe(detail);
    const other = { detail, identifier: { type: 'dns', value: 'b.example' } };
    expect(readProblem({ type: `${urn}dns`, detail: 'Two', subproblems: [part, other, part] })?.detail).toBe(
      `Two; a.example: ${detail}; b.example: ${detail}`,
    );
  });
});

describe('what a CA says at length', () => {
  const mebibyte = 1 << 20;
  const long = (text: string) => text.repeat(mebibyte / text.length);

  it.each([
    ['a URL that ends in punctuation, and does not', `https://ca.example/unpause${long(')')}x`],
    ['many beginnings of URLs', long('https://')],
    ['blanks', `${long(' ')}x`],
  ])('is read in time and repeated in part: %s', (_, detail) => {
    const computedMs = countComputing();
    const body = { type: 'urn:ietf:params:acme:error:rateLimited', detail };
    const error = refusal('ca.example', 429, body, undefined);
    expect(computedMs()).toBeLessThan(500);
    expect(error.message.length).toBeLessThan(1_200);
  });

  it('has bounds in every part, and stays one line that no terminal obeys', () => {
    const part = {
      type: 'x'.repeat(5_000),
      detail: 'y'.repeat(5_000),
      identifier: { type: 'dns', value: 'z'.repeat(5_000) },
    };
    const problem = readProblem({
      ...part,
      detail: 'a\u001b[2J\n\u202eb',
      subproblems: Array(5_000).fill(part),
    });
    expect(problem?.type).toHaveLength(100);
    // A run of what is taken out becomes one space.
    expect(problem?.detail).toHaveLength(1_000 - 1);
    expect(problem?.detail).toMatch(/^a \[2J b; z/);
    expect(problem?.identifiers.map(({ length }) => length)).toEqual([260]);
  });
});
