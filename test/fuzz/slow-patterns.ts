// Finds texts for which a regular expression takes longer than a linear one would.
import fc from 'fast-check';
import type { FoundPattern } from './pattern-literals.ts';

/** Long enough that quadratic time is far above the limit, and linear time far below. */
export const ordinaryLength = 20_000;
const limitMs = 30;

/** A text on which the pattern takes too long, described; lengths grow, so that the worst kinds end early. */
export function findSlow({ source, flags }: FoundPattern, longest: number): string | undefined {
  const pattern = new RegExp(source, flags);
  const texts = textsFor(pattern);
  for (const length of [8, 12, 16, 20, 25, 32, 64, 250, 2_000, longest].filter((one) => one <= longest)) {
    for (const { before, repeated, after } of texts) {
      const text = `${before}${repeated.repeat(length / repeated.length)}${after}`;
      const ms = measure(pattern, text);
      if (ms > limitMs && Math.min(measure(pattern, text), measure(pattern, text)) > limitMs) {
        return `${Math.round(ms)} ms for ${JSON.stringify(before)} + ${length} of ${JSON.stringify(repeated)} + ${JSON.stringify(after)}`;
      }
    }
  }
  return undefined;
}

function measure(pattern: RegExp, text: string): number {
  const startedAt = performance.now();
  text.replace(pattern, '');
  return performance.now() - startedAt;
}

interface Pumped {
  readonly before: string;
  readonly repeated: string;
  readonly after: string;
}

/** Repeats of what the pattern is made of, and texts that it takes with a part of them repeated; each with an
 *  end that it does not take. */
function textsFor(pattern: RegExp): readonly Pumped[] {
  const pieces = piecesOf(pattern.source);
  const pairs = pieces.flatMap((one) => pieces.map((other) => one + other));
  const words = pattern.source.match(/(?:[\w "=,]|\\[^\w]){4,}/g) ?? [];
  const plain = [...new Set([...pieces, ...pairs, ...words.map((word) => word.replaceAll('\\', ''))])].map(
    (repeated) => ({ before: '', repeated }),
  );
  const pumped = examplesOf(pattern).flatMap((example) =>
    Array.from({ length: example.length }, (_, at) => [1, 2].map((size) => [at, at + size] as const))
      .flat()
      .map(([from, to]) => ({ before: example.slice(0, from), repeated: example.slice(from, to) })),
  );
  const all = new Map([...plain, ...pumped].map((one) => [JSON.stringify(one), one]));
  return [...all.values()].flatMap((one) => ['\u0001', ''].map((after) => ({ ...one, after })));
}

/** Letters of the pattern, and one for each of its classes. */
function piecesOf(source: string): readonly string[] {
  const classes: readonly (readonly [RegExp, string])[] = [
    [/\\s/, ' '],
    [/\\d|\\w|0-9/, '0'],
    [/\\w|A-Z|a-z|\./, 'a'],
    [/\\r|\\n|\[\^|\./, '\n'],
    [/-/, '-'],
  ];
  const letters =
    source.replace(/\\[pxu]\{?[\w]*\}?|\\[a-zA-Z]|\(\?<\w+>/g, '').match(/[^\\()[\]{}?*+|^$\w]/g) ?? [];
  const escaped = (source.match(/\\[^\w]/g) ?? []).map((text) => text.slice(1));
  const named = classes.filter(([has]) => has.test(source)).map(([, piece]) => piece);
  return [...new Set([...named, ...letters, ...escaped])].slice(0, 10);
}

/** Short texts that the pattern takes, nearly: what the generator does not know, or takes long to find, is
 *  written simpler. */
function examplesOf({ source }: RegExp): readonly string[] {
  const simple = source
    .replace(/\(\?<?[=!](?:\\.|\[(?:\\.|[^\]\\])*\]|[^)\\[])*\)/g, '')
    .replace(/\[\^(?:\\.|[^\]\\])*\]|\\p\{\w+\}/g, 'q');
  try {
    const texts = fc.sample(fc.stringMatching(new RegExp(simple)), { numRuns: 4, seed: 1 });
    return texts.map((text) => text.slice(0, 10));
  } catch {
    return [];
  }
}
