// How long the certificates of CAs last, and how long they reuse a validation, as far as they have published
// it: Let's Encrypt (letsencrypt.org/docs/profiles, 2026-07-14; posts on shorter lifetimes, 2026-10-07).

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** What a CA gives at some time. */
export interface IssuanceTerms {
  /** From `notBefore` to `notAfter`, in milliseconds. */
  readonly lifetimeMs: number;
  /** How long a validation serves later orders for the same names, in milliseconds. 0: not at all. */
  readonly reuseMs: number;
}

/** Terms, and from when they hold. */
interface DatedTerms extends IssuanceTerms {
  readonly from: number;
}

/** The profile of orders that name none. */
const defaultProfile = 'classic';

/** The terms of a directory and a profile at an instant. `undefined` if none are published. */
export function publishedTerms(
  {
    directory,
    profile = defaultProfile,
  }: { readonly directory: string; readonly profile?: string | undefined },
  at: Date,
): IssuanceTerms | undefined {
  const dated = known.get(directory)?.get(profile) ?? [];
  return dated.findLast(({ from }) => from <= at.getTime());
}

const since = (day: string, days: number, reuseMs: number): DatedTerms => ({
  from: Date.parse(day),
  lifetimeMs: days * dayMs,
  reuseMs,
});

const others: readonly (readonly [string, readonly DatedTerms[]])[] = [
  ['tlsserver', [since('2026-05-13', 45, 7 * hourMs)]],
  ['shortlived', [{ from: 0, lifetimeMs: 160 * hourMs, reuseMs: 7 * hourMs }]],
];

const known: ReadonlyMap<string, ReadonlyMap<string, readonly DatedTerms[]>> = new Map([
  [
    'https://acme-v02.api.letsencrypt.org/directory',
    new Map([
      [
        defaultProfile,
        [
          since('2020-01-01', 90, 30 * dayMs),
          since('2027-02-10', 64, 10 * dayMs),
          since('2028-02-16', 45, 7 * hourMs),
        ],
      ],
      ...others,
    ]),
  ],
  [
    'https://acme-staging-v02.api.letsencrypt.org/directory',
    new Map([
      [
        defaultProfile,
        [
          since('2020-01-01', 90, 30 * dayMs),
          since('2026-10-14', 64, 10 * dayMs),
          // No date is published for staging; it will be this one at the latest.
          since('2028-02-16', 45, 7 * hourMs),
        ],
      ],
      ...others,
    ]),
  ],
]);
