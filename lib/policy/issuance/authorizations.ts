// Checks that the authorizations which a CA wants are for the ordered names.

/** One authorization: `name` without the `*.` of a wildcard. */
interface Wanted {
  readonly name: string;
  readonly isWildcard: boolean;
}

/** What is wrong with the authorizations of an order for `domains`, as the end of a sentence that begins
 *  "the CA". `undefined` if each is for another one of the names. An authorization that is not marked as a
 *  wildcard may be for the wildcard, too. */
export function findUnrequested(
  authorizations: readonly Wanted[],
  domains: readonly string[],
): string | undefined {
  const requested = new Set(domains);
  const unproved = new Set(domains);
  // The marked ones first: an unmarked one takes a name that they leave.
  const ordered = [...authorizations].sort((one, other) => Number(other.isWildcard) - Number(one.isWildcard));
  for (const { name, isWildcard } of ordered) {
    const fitting = isWildcard ? [`*.${name}`] : [name, `*.${name}`];
    if (fitting.some((one) => unproved.delete(one))) continue;
    const shown = JSON.stringify(`${isWildcard ? '*.' : ''}${name.slice(0, 260)}`);
    const isRepeated = fitting.some((one) => requested.has(one));
    return isRepeated ? `wants ${shown} proved twice` : `wants ${shown} proved, which was not asked`;
  }
  return undefined;
}
