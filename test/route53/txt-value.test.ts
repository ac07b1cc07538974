// The quoted form of TXT values.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { quoteTxt, unquoteTxt } from '../../lib/adapters/route53/txt-value.ts';
import { readValue } from '../sandbox/route53/record-value.ts';

describe('the quoted form of a TXT value', () => {
  const forms: readonly [string, string, string][] = [
    ['a challenge value', 'gfj9Xq-_Rg', '"gfj9Xq-_Rg"'],
    ['quotation marks and backslashes', 'a"b\\c', '"a\\"b\\\\c"'],
    ['a space stays', 'v=spf1 -all', '"v=spf1 -all"'],
    ['control characters and DEL', '\u0000\n\u007f', '"\\000\\012\\177"'],
    ['UTF-8', 'é', '"\\303\\251"'],
    ['nothing', '', '""'],
    ['255 bytes', 'x'.repeat(255), `"${'x'.repeat(255)}"`],
    ['256 bytes', 'x'.repeat(256), `"${'x'.repeat(255)}" "x"`],
  ];
  test.each(forms)('%s', (_title, value, quoted) => {
    expect(quoteTxt(value)).toBe(quoted);
    expect(unquoteTxt(quoted)).toBe(value);
  });

  const read: readonly [string, string, string | undefined][] = [
    ['strings are joined, whatever is between them', ' "ab"   "c d" ', 'abc d'],
    ['an escape nobody needs', '"\\a\\141"', 'aa'],
    ['a UTF-8 character cut in two', '"\\303" "\\251"', 'é'],
    ['no quotation marks', 'abc', undefined],
    ['an open string', '"abc', undefined],
    ['a quotation mark inside', '"a"b"', undefined],
    ['a backslash at the end', '"abc\\"', undefined],
    ['no space between strings', '"a""b"', undefined],
  ];
  test.each(read)('read: %s', (_title, quoted, value) => {
    expect(unquoteTxt(quoted)).toBe(value);
  });

  test('any text comes back, in a form that Route 53 takes and DNS answers byte for byte', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (value) => {
        const quoted = quoteTxt(value);
        expect(unquoteTxt(quoted)).toBe(value);
        if (quoted.length > 4000) return;
        const answered = readValue('TXT', quoted);
        if (answered.problem !== undefined || answered.data?.type !== 'TXT') {
          throw new Error(answered.problem ?? 'no TXT');
        }
        expect(Buffer.concat([...answered.data.data]).equals(Buffer.from(value))).toBe(true);
      }),
    );
  });
});
