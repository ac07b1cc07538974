// The order in which what has a health is listed, and how many there are of each.
import { type HealthWord, healthWords } from '../../state/health.ts';

/** How many of the subjects have each health. */
export function countByHealth(
  subjects: readonly { readonly health: HealthWord }[],
): Readonly<Record<HealthWord, number>> {
  const counts = { Degraded: 0, Suspended: 0, Progressing: 0, Healthy: 0 };
  for (const { health } of subjects) counts[health] += 1;
  return counts;
}

/** Something with a health, and an end if that is known. */
interface Ranked {
  readonly health: HealthWord;
  readonly notAfter?: Date | null | undefined;
}

/** Named things in the order in which they are listed: worst first, then the soonest end, then by name. */
export function sortWorst<T extends Ranked & { readonly name: string }>(list: readonly T[]): readonly T[] {
  return list.toSorted((one, other) => compareWorst(one, other) || (one.name < other.name ? -1 : 1));
}

/** Compares two things for a list: worst first, then the soonest end. */
export function compareWorst(one: Ranked, other: Ranked): number {
  const rank = healthWords.indexOf(one.health) - healthWords.indexOf(other.health);
  const end = ({ notAfter }: Ranked) => notAfter?.getTime() ?? Number.MAX_SAFE_INTEGER;
  return rank || end(one) - end(other);
}
