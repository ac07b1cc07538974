// Finds the name that was probably meant by one that is written wrong.

/** The nearest of the known names: at most a third of its characters differ, or it begins with what was
 *  written. Upper and lower case count as the same. `undefined` if none is near. Of several that are as near,
 *  the first by spelling. */
export function findNearest(written: string, known: Iterable<string>): string | undefined {
  // Longer texts are no slips of a finger; comparing them costs time.
  if (written.length > 100) return undefined;
  const name = written.toLowerCase();
  let best: { readonly name: string; readonly distance: number } | undefined;
  for (const candidate of [...new Set(known)].toSorted()) {
    const limit = Math.max(1, Math.floor(Math.max(name.length, candidate.length) / 3));
    const most = Math.min(limit, best ? best.distance - 1 : limit);
    const other = candidate.toLowerCase();
    const distance = other.startsWith(name) ? Math.min(limit, 2) : measure(name, other, most);
    if (distance <= most) best = { name: candidate, distance };
  }
  return best?.name;
}

/** Insertions, deletions, replacements and swaps of neighbours between two texts; more than `most` as
 *  `most + 1`. */
function measure(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const isSame = a[row - 1] === b[column - 1];
      const isSwap = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      const changed = (last[column - 1] ?? 0) + (isSame ? 0 : 1);
      const moved = Math.min((last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1);
      const swapped = isSwap ? (beforeLast[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY;
      current.push(Math.min(changed, moved, swapped));
    }
    if (Math.min(...current) > most) return most + 1;
    [beforeLast, last] = [last, current];
  }
  return last[b.length] ?? 0;
}
