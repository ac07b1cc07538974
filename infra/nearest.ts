// Finds the word that a person most likely meant.

/** The known word that is nearest to a mistyped one. Upper and lower case count as the same. `undefined` if
 *  each known word needs more edits (a letter added, left out, exchanged, or two swapped) than a third of its
 *  letters. */
export function findNearest(word: string, known: Iterable<string>): string | undefined {
  // Longer texts are no slips of a finger; comparing them costs time.
  if (word.length > 64) return undefined;
  const ranked = [...known].map((name) => ({
    name,
    edits: countEdits(word.toLowerCase(), name.toLowerCase()),
  }));
  const [best] = ranked.toSorted((one, other) => one.edits - other.edits);
  return best && best.edits <= Math.max(1, Math.floor(best.name.length / 3)) ? best.name : undefined;
}

/** Number of edits between two texts (optimal string alignment). */
function countEdits(one: string, other: string): number {
  let before: readonly number[] = [];
  let last: readonly number[] = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let row = 1; row <= one.length; row += 1) {
    const next = [row];
    for (let column = 1; column <= other.length; column += 1) {
      const isSame = one[row - 1] === other[column - 1];
      const isSwapped =
        row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      next.push(
        Math.min(
          (last[column] ?? 0) + 1,
          (next[column - 1] ?? 0) + 1,
          (last[column - 1] ?? 0) + (isSame ? 0 : 1),
          isSwapped ? (before[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    [before, last] = [last, next];
  }
  return last[other.length] ?? 0;
}
